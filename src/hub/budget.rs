//! The bytes that a hub may hold of what it has read from its backlog.
//!
//! One user may hold a part of them, and the rest is there for others. What reads large messages can't take all: a part
//! is kept for reads that need little, of users that hold little. So nobody waits for the slow streams of somebody else
//! who has many or large messages.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::UserId;
use pool::{Pool, Portion};

mod pool;

/// How many bytes are reserved for a byte that is read from the backlog: as the database has it, as it is read, encoded,
/// and in its frame. Once it is read, only the frame is held.
const RESERVED_PER_BYTE: u32 = 4;

/// A user may hold so many eighths. With the eighth that is kept for what needs little, half is left: enough that others
/// can read a message of an eighth.
const EIGHTHS_OF_A_USER: u32 = 3;

/// A number of bytes, shared by all that a hub reads from its backlog. Bytes that belong to a budget give their share
/// back when the last handle of them goes, be it in a chunk, in a write or half-written in a stream.
#[derive(Debug)]
pub(super) struct Budget {
    all: Arc<Pool>,
    total: u32,
    users: Arc<Users>,
}

/// The users that hold something or wait.
type Users = Mutex<HashMap<UserId, Weak<UserBudget>>>;

/// What one user may hold. Reads are counted by what will be held of them.
#[derive(Debug)]
struct UserBudget {
    id: UserId,
    own: Pool,
    all: Arc<Pool>,
    users: Arc<Users>,
}

/// Bytes that were taken out of a budget.
#[derive(Debug)]
pub(super) struct Reservation(Share);

/// Given back when it is dropped.
#[derive(Debug)]
struct Share {
    of_own: Portion,
    of_all: Portion,
    user: Arc<UserBudget>,
}

/// Bytes, and their share of the budget.
struct Held {
    bytes: Bytes,
    _share: Share,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.user.all.give_back(&mut self.of_all);
        self.user.own.give_back(&mut self.of_own);
    }
}

impl Drop for UserBudget {
    fn drop(&mut self) {
        let mut users = self.users.lock();
        // The user may have got another one meanwhile.
        if users.get(&self.id).is_some_and(|user| user.strong_count() == 0) {
            users.remove(&self.id);
        }
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Budget {
    pub(super) fn new(total: usize) -> Self {
        let total = u32::try_from(total).unwrap_or(u32::MAX);
        Self { all: Arc::new(Pool::new(total)), total, users: Arc::default() }
    }

    /// Reserves what it takes to read messages of so many bytes, once that is free; more than there is counts as all
    /// that there is.
    pub(super) async fn reserve(&self, user: UserId, message_bytes: usize) -> Reservation {
        let (held, read) = needed(message_bytes);
        let mut share = self.nothing_of(user);
        share.of_own = share.user.own.take(held, true).await;
        let holds_little = share.user.own.taken() <= self.all.kept_total() / 2;
        share.of_all = self.all.take(read, holds_little).await;
        Reservation(share)
    }

    /// As [`Self::reserve`], for a message that is larger than most. For some time, [`Self::reserve`] does not wait
    /// behind this.
    pub(super) async fn reserve_much(&self, user: UserId, message_bytes: usize) -> Reservation {
        let (held, read) = needed(message_bytes);
        let mut share = self.nothing_of(user);
        share.of_own = share.user.own.take_much(held).await;
        share.of_all = self.all.take_much(read).await;
        Reservation(share)
    }

    /// A share of nothing yet, which gives back what it is given even if who waits gives up.
    fn nothing_of(&self, user: UserId) -> Share {
        Share { of_own: Portion::default(), of_all: Portion::default(), user: self.of_user(user) }
    }

    fn of_user(&self, id: UserId) -> Arc<UserBudget> {
        let mut users = self.users.lock();
        if let Some(user) = users.get(&id).and_then(Weak::upgrade) {
            return user;
        }
        let own = Pool::new(self.total / 8 * EIGHTHS_OF_A_USER);
        let user = UserBudget { id, own, all: Arc::clone(&self.all), users: Arc::clone(&self.users) };
        let user = Arc::new(user);
        users.insert(id, Arc::downgrade(&user));
        user
    }

    /// Answers whether so little is free that nothing should be kept for convenience.
    pub(super) fn is_scarce(&self) -> bool {
        self.all.is_scarce()
    }

    /// Answers whether so little is free for this user that nothing of theirs should be kept for convenience.
    pub(super) fn is_scarce_for(&self, user: UserId) -> bool {
        self.is_scarce() || {
            let user = self.users.lock().get(&user).and_then(Weak::upgrade);
            user.is_some_and(|user| user.own.is_scarce())
        }
    }
}

impl Reservation {
    /// Makes bytes that hold their share of the reservation for as long as they live; what is beyond the reservation
    /// is not counted.
    pub(super) fn hold(&mut self, bytes: Bytes) -> Bytes {
        let Share { of_own, of_all, user } = &mut self.0;
        let share = Share {
            of_own: of_own.split(bytes.len()),
            of_all: of_all.split(bytes.len()),
            user: Arc::clone(user),
        };
        Bytes::from_owner(Held { bytes, _share: share })
    }
}

/// How many bytes of messages will be held, and how many it takes to read them.
fn needed(message_bytes: usize) -> (u32, u32) {
    let held = u32::try_from(message_bytes).unwrap_or(u32::MAX);
    (held, held.saturating_mul(RESERVED_PER_BYTE))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const ALICE: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    #[tokio::test]
    async fn bytes_give_their_share_back_with_their_last_handle() {
        let budget = Budget::new(160);
        let mut reservation = budget.reserve(ALICE, 20).await;
        assert_eq!(budget.all.taken(), 80);
        let first = reservation.hold(Bytes::from_static(&[b'x'; 15]));
        let part = first.slice(10..);
        drop(reservation);
        assert_eq!((budget.all.taken(), budget.of_user(ALICE).own.taken()), (15, 15));
        drop(first);
        assert_eq!((budget.all.taken(), &part[..]), (15, &[b'x'; 5][..]));
        drop(part);
        assert_eq!((budget.all.taken(), budget.users.lock().len()), (0, 0));
    }

    #[tokio::test]
    async fn bytes_beyond_the_reservation_are_not_counted() {
        let budget = Budget::new(80);
        let mut all = budget.reserve_much(ALICE, 1000).await;
        assert_eq!((budget.all.taken(), budget.is_scarce()), (70, true));
        let larger = all.hold(Bytes::from_static(&[b'x'; 200]));
        drop(all);
        assert_eq!(budget.all.taken(), 70);
        drop(larger);
        assert_eq!(budget.all.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_user_holds_leaves_room_for_others() {
        let budget = Budget::new(160);
        let mut held = Vec::new();
        let more = async |held: &mut Vec<Bytes>| {
            let waits = budget.reserve(ALICE, 10);
            let mut reservation = timeout(Duration::from_secs(30), waits).await.map_err(drop)?;
            held.push(reservation.hold(Bytes::from_static(&[b'x'; 10])));
            Ok::<_, ()>(())
        };
        while more(&mut held).await.is_ok() {}
        assert!(budget.is_scarce_for(ALICE) && !budget.is_scarce_for(BOB));
        drop(budget.reserve_much(BOB, 20).await);
        // Whoever gave up has taken nothing.
        held.pop();
        more(&mut held).await.unwrap();
        assert!(more(&mut held).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_kept_is_for_users_that_hold_little() {
        let budget = Budget::new(160);
        let mut held = Vec::new();
        for user in [2, 3, 4].repeat(3) {
            let mut reservation = budget.reserve(UserId(user), 10).await;
            held.push(reservation.hold(Bytes::from_static(&[b'x'; 10])));
        }
        let much = budget.reserve_much(UserId(5), 35);
        let others = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            assert!(timeout(Duration::from_secs(1), budget.reserve(BOB, 5)).await.is_err());
            drop(timeout(Duration::from_secs(1), budget.reserve(ALICE, 5)).await.unwrap());
            held.clear();
        };
        tokio::join!(async { drop(much.await) }, others);
        assert_eq!((budget.all.taken(), budget.users.lock().len()), (0, 0));
    }
}
