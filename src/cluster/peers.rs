//! Which other nodes are there.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A node that was not heard for so long does not count.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// A node that was not heard for so long is forgotten.
const REMEMBERED: Duration = Duration::from_mins(1);

/// More nodes are not remembered.
const MOST: usize = 1024;

/// Who was heard, and when.
#[derive(Debug)]
pub(super) struct Peers {
    self_heard_at: Mutex<Instant>,
    /// The other nodes. One that was started again has another number.
    others: Mutex<HashMap<u64, Peer>>,
}

#[derive(Debug)]
struct Peer {
    name: Box<str>,
    /// When it was heard last.
    heard_at: Instant,
}

/// Another node, as far as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerNode {
    /// Its name, for people.
    pub name: Box<str>,
    /// How long ago it was heard last. A node that is there says so once per second.
    pub last_heard: Duration,
}

impl Peers {
    pub(super) fn new(now: Instant) -> Self {
        Self { self_heard_at: Mutex::new(now), others: Mutex::default() }
    }

    /// A connection begins: this node counts as heard.
    pub(super) fn begin(&self, now: Instant) {
        *self.self_heard_at.lock() = now;
    }

    /// This node has heard itself.
    pub(super) fn heard_self(&self, now: Instant) {
        self.begin(now);
    }

    /// When this node has heard itself last.
    pub(super) fn self_heard_at(&self) -> Instant {
        *self.self_heard_at.lock()
    }

    /// Another node was heard. It is logged when it appears.
    pub(super) fn heard(&self, id: u64, name: &str, now: Instant) {
        let mut others = self.others.lock();
        if let Some(peer) = others.get_mut(&id) {
            peer.heard_at = now;
            return;
        }
        others.retain(|_, peer| peer.silence(now) <= REMEMBERED);
        if others.len() < MOST {
            others.insert(id, Peer { name: name.into(), heard_at: now });
            drop(others);
            tracing::info!(node = name, "another node is there");
        }
    }

    /// Counts the other nodes that are there.
    pub(super) fn count(&self, now: Instant) -> usize {
        self.others.lock().values().filter(|peer| peer.is_there(now)).count()
    }

    /// Lists the other nodes that were heard within a minute, by name. One that was started again is listed once.
    pub(super) fn list(&self, now: Instant) -> Vec<PeerNode> {
        let others = self.others.lock();
        let is_heard = |peer: &&Peer| peer.silence(now) <= REMEMBERED;
        let is_replaced = |old: &Peer| {
            !old.is_there(now)
                && others.values().any(|new| new.name == old.name && new.heard_at > old.heard_at)
        };
        let current = others.values().filter(is_heard).filter(|peer| !is_replaced(peer));
        let mut listed: Vec<_> =
            current.map(|peer| PeerNode { name: peer.name.clone(), last_heard: peer.silence(now) }).collect();
        drop(others);
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        listed
    }
}

impl Peer {
    fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard_at)
    }

    fn is_there(&self, now: Instant) -> bool {
        self.silence(now) <= HEARD_WITHIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_silent_does_not_count() {
        let start = Instant::now();
        let peers = Peers::new(start);
        peers.heard(1, "a", start);
        peers.heard(2, "b", start + HEARD_WITHIN);
        assert_eq!(peers.count(start + HEARD_WITHIN), 2);
        assert_eq!(peers.count(start + HEARD_WITHIN + Duration::from_millis(1)), 1);
    }

    #[test]
    fn a_node_that_was_started_again_is_listed_once_and_one_that_is_silent_for_a_minute() {
        let start = Instant::now();
        let peers = Peers::new(start);
        peers.heard(1, "b", start);
        peers.heard(2, "a", start);
        peers.heard(3, "b", start + Duration::from_secs(20));
        let listed = |after| {
            let now = start + Duration::from_secs(after);
            let seconds = |peer: PeerNode| (peer.name, peer.last_heard.as_secs());
            peers.list(now).into_iter().map(seconds).collect::<Vec<_>>()
        };
        assert_eq!(listed(20), [("a".into(), 20), ("b".into(), 0)]);
        assert_eq!(listed(60), [("a".into(), 60), ("b".into(), 40)]);
        assert_eq!(listed(61), [("b".into(), 41)]);
    }
}
