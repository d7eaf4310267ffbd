//! Which users have subscriptions, so that a message of anybody else costs one look into a set.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::model::UserId;

/// The users with subscriptions. A user who has none any more may stay in it until the next message.
#[derive(Debug)]
pub(super) struct Subscribers {
    /// As long as nobody has subscribed, the set is not looked into.
    is_used: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    users: HashSet<UserId>,
    state: State,
}

/// Tells what was added meanwhile from what was known when a look-up began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State(u64);

impl Subscribers {
    pub(super) fn new(users: Vec<UserId>) -> Self {
        let is_used = AtomicBool::new(!users.is_empty());
        let known = Known { users: users.into_iter().collect(), state: State::default() };
        Self { is_used, known: Mutex::new(known) }
    }

    /// Answers whether somebody may have a subscription.
    pub(super) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    pub(super) fn contains(&self, user: UserId) -> bool {
        self.known.lock().users.contains(&user)
    }

    /// A user has subscribed.
    pub(super) fn add(&self, user: UserId) {
        let mut known = self.known.lock();
        known.users.insert(user);
        known.state.0 += 1;
        self.is_used.store(true, Ordering::Relaxed);
    }

    /// Returns what a look-up that begins now is to hand to [`Self::forget`] and [`Self::replace`].
    pub(super) fn state(&self) -> State {
        self.known.lock().state
    }

    /// These users had no subscription when it was looked for, which had begun at `state`. If anybody has subscribed since
    /// then, they are forgotten another time.
    pub(super) fn forget(&self, users: impl Iterator<Item = UserId>, state: State) {
        let mut known = self.known.lock();
        if known.state == state {
            for user in users {
                known.users.remove(&user);
            }
        }
    }

    /// All users with subscriptions were looked up, which had begun at `state`. If anybody has subscribed since then, they
    /// are added to those that are known.
    pub(super) fn replace(&self, users: Vec<UserId>, state: State) {
        let mut known = self.known.lock();
        if known.state == state {
            known.users.clear();
        }
        known.users.extend(users);
        self.is_used.store(!known.users.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_subscribes_during_a_look_up_is_not_forgotten() {
        let (ann, bob) = (UserId(1), UserId(2));
        let subscribers = Subscribers::new(vec![ann]);
        assert!(subscribers.is_used() && subscribers.contains(ann) && !subscribers.contains(bob));
        let state = subscribers.state();
        subscribers.add(bob);
        subscribers.forget([ann, bob].into_iter(), state);
        subscribers.replace(vec![], state);
        assert!(subscribers.is_used() && subscribers.contains(ann) && subscribers.contains(bob));

        subscribers.forget([ann].into_iter(), subscribers.state());
        assert!(!subscribers.contains(ann) && subscribers.contains(bob));
        subscribers.replace(vec![ann], subscribers.state());
        assert!(subscribers.contains(ann) && !subscribers.contains(bob));
        subscribers.replace(vec![], subscribers.state());
        assert!(!subscribers.is_used());
    }
}
