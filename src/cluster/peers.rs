//! Which other nodes are there.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A node that was not heard for so long does not count.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// More nodes are not remembered.
const MOST: usize = 1024;

/// Who was heard, and when.
#[derive(Debug)]
pub(super) struct Peers {
    self_heard_at: Mutex<Instant>,
    /// When each other node was heard last.
    others: Mutex<HashMap<u64, Instant>>,
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
        if let Some(heard_at) = others.get_mut(&id) {
            *heard_at = now;
            return;
        }
        others.retain(|_, heard_at| is_there(*heard_at, now));
        if others.len() < MOST {
            others.insert(id, now);
            drop(others);
            tracing::info!(node = name, "another node is there");
        }
    }

    /// Counts the other nodes that are there.
    pub(super) fn count(&self, now: Instant) -> usize {
        self.others.lock().values().filter(|heard_at| is_there(**heard_at, now)).count()
    }
}

fn is_there(heard_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(heard_at) <= HEARD_WITHIN
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
}
