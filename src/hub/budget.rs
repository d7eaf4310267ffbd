//! The bytes that a hub may hold of what it has read from its backlog.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// For so long, what needs little may overtake what needs much.
const OVERTAKING: Duration = Duration::from_secs(10);

/// A number of bytes, shared by all that a hub reads from its backlog. Bytes that belong to a budget give their share
/// back when the last handle of them goes, be it in a chunk, in a write or half-written in a stream.
#[derive(Debug)]
pub(super) struct Budget {
    free: Arc<Semaphore>,
    total: u32,
    /// Wakes the one who waits for much.
    given_back: Arc<Notify>,
    /// One at a time waits for much.
    waits_for_much: Semaphore,
}

/// Bytes that were taken out of a budget.
#[derive(Debug)]
pub(super) struct Reservation(Share);

/// Given back when it is dropped.
#[derive(Debug)]
struct Share {
    permit: Option<OwnedSemaphorePermit>,
    given_back: Arc<Notify>,
}

/// Bytes, and their share of the budget.
struct Held {
    bytes: Bytes,
    _share: Share,
}

impl Drop for Share {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.given_back.notify_one();
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
        Self {
            free: Arc::new(Semaphore::new(total as usize)),
            total,
            given_back: Arc::default(),
            waits_for_much: Semaphore::new(1),
        }
    }

    /// Reserves so many bytes once they are free; more than there are at all counts as all. Those who wait are served
    /// in their order.
    pub(super) async fn reserve(&self, bytes: usize) -> Reservation {
        let reserved = Arc::clone(&self.free).acquire_many_owned(self.within_total(bytes)).await;
        self.reservation(reserved.expect("the semaphore is never closed"))
    }

    /// Reserves more bytes than most need. For [`OVERTAKING`], [`Self::reserve`] does not wait behind this; then all
    /// are served in their order, so that this comes to an end too.
    pub(super) async fn reserve_much(&self, bytes: usize) -> Reservation {
        let _turn = self.waits_for_much.acquire().await;
        match timeout(OVERTAKING, self.room_for(self.within_total(bytes))).await {
            Ok(reservation) => reservation,
            Err(_) => self.reserve(bytes).await,
        }
    }

    /// Waits until so many bytes are free which nobody else waits for.
    async fn room_for(&self, bytes: u32) -> Reservation {
        loop {
            if let Ok(permit) = Arc::clone(&self.free).try_acquire_many_owned(bytes) {
                return self.reservation(permit);
            }
            // What was given back since the attempt is remembered.
            self.given_back.notified().await;
        }
    }

    fn within_total(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).unwrap_or(u32::MAX).min(self.total)
    }

    fn reservation(&self, permit: OwnedSemaphorePermit) -> Reservation {
        Reservation(Share { permit: Some(permit), given_back: Arc::clone(&self.given_back) })
    }

    /// Answers whether so little is free that nothing should be kept for convenience: always so while somebody waits.
    pub(super) fn is_scarce(&self) -> bool {
        // Who waits for little is given all that is free.
        self.free.available_permits() < self.total as usize / 4
            || self.waits_for_much.available_permits() == 0
    }
}

impl Reservation {
    /// Makes bytes that hold their share of the reservation for as long as they live; what is beyond the reservation
    /// is not counted.
    pub(super) fn hold(&mut self, bytes: Bytes) -> Bytes {
        let Share { permit, given_back } = &mut self.0;
        let share = permit.as_mut().and_then(|permit| permit.split(bytes.len().min(permit.num_permits())));
        let share = Share { permit: share, given_back: Arc::clone(given_back) };
        Bytes::from_owner(Held { bytes, _share: share })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn bytes_give_their_share_back_with_their_last_handle() {
        let budget = Budget::new(100);
        let mut reservation = budget.reserve(80).await;
        let first = reservation.hold(Bytes::from_static(&[b'x'; 30]));
        let part = first.slice(20..);
        drop(reservation);
        assert_eq!(budget.free.available_permits(), 70);
        drop(first);
        assert_eq!((budget.free.available_permits(), &part[..]), (70, &[b'x'; 10][..]));
        drop(part);
        assert_eq!(budget.free.available_permits(), 100);
    }

    #[tokio::test]
    async fn more_than_there_is_counts_as_all() {
        let budget = Budget::new(100);
        let mut all = budget.reserve(1000).await;
        assert_eq!((budget.free.available_permits(), budget.is_scarce()), (0, true));
        let larger = all.hold(Bytes::from_static(&[b'x'; 200]));
        drop(all);
        assert_eq!(budget.free.available_permits(), 0);
        drop(larger);
        assert_eq!(budget.free.available_permits(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn while_somebody_waits_the_budget_is_scarce() {
        let budget = Budget::new(100);
        let some = budget.reserve(40).await;
        assert!(!budget.is_scarce());
        let waits = tokio::time::timeout(Duration::from_secs(1), budget.reserve(80));
        let (waited, is_scarce) = tokio::join!(waits, async { budget.is_scarce() });
        assert_eq!((waited.is_err(), is_scarce), (true, true));
        drop(some);
        assert!(!budget.is_scarce());
    }

    #[tokio::test(start_paused = true)]
    async fn what_needs_little_overtakes_what_needs_much_but_not_for_ever() {
        let budget = Budget::new(100);
        let some = budget.reserve(40).await;
        let little = async {
            tokio::task::yield_now().await;
            assert!(budget.is_scarce(), "somebody waits");
            for _ in 0..3 {
                drop(budget.reserve(60).await);
            }
            drop(some);
        };
        tokio::join!(async { drop(budget.reserve_much(80).await) }, little);
        assert!(!budget.is_scarce());

        let some = budget.reserve(40).await;
        let late = async {
            tokio::time::sleep(OVERTAKING + Duration::from_secs(1)).await;
            let little = timeout(Duration::from_secs(1), budget.reserve(60)).await;
            assert!(little.is_err(), "it overtakes for ever");
            drop(some);
        };
        tokio::join!(async { drop(budget.reserve_much(80).await) }, late);
        assert!(!budget.is_scarce());
    }
}
