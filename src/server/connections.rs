//! The connections that are served now, and the signal that ends them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

/// How many connections are woken before other tasks get their turn.
const WAKES_AT_ONCE: usize = 256;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Phase {
    /// Serve.
    Running = 0,
    /// Finish the request that runs, then close.
    Draining = 1,
    /// Close now.
    Ended = 2,
}

/// The list of connections. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    phase: AtomicU8,
    wakers: Mutex<Wakers>,
}

#[derive(Debug, Default)]
struct Wakers {
    next_id: u64,
    by_id: HashMap<u64, Waker>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { phase: AtomicU8::new(Phase::Running as u8), wakers: Mutex::default() }))
    }

    /// Puts a connection's task on the list for as long as the entry lives. The waker must stay the task's: tokio's
    /// is the same at every poll of a task's own future.
    pub(super) fn enter(&self, waker: &Waker) -> Entry {
        let mut wakers = self.0.wakers.lock();
        let id = wakers.next_id;
        wakers.next_id += 1;
        wakers.by_id.insert(id, waker.clone());
        drop(wakers);
        Entry { connections: self.clone(), id }
    }

    /// Tells all connections to finish what they do, a slice at a time.
    pub(super) async fn begin_drain(&self) {
        for slice in self.advance(Phase::Draining).chunks(WAKES_AT_ONCE) {
            slice.iter().for_each(Waker::wake_by_ref);
            tokio::task::yield_now().await;
        }
    }

    /// Tells all connections to end now.
    pub(super) fn end(&self) {
        self.advance(Phase::Ended).iter().for_each(Waker::wake_by_ref);
    }

    /// Sets the phase, then returns whom to wake. A connection enters the list before it looks at the phase, so it
    /// either sees the new one or is on the list.
    fn advance(&self, phase: Phase) -> Vec<Waker> {
        self.0.phase.fetch_max(phase as u8, Ordering::SeqCst);
        self.0.wakers.lock().by_id.values().cloned().collect()
    }
}

/// One connection's place on the list; dropping it takes it off.
#[derive(Debug)]
pub(super) struct Entry {
    connections: Connections,
    id: u64,
}

impl Entry {
    pub(super) fn phase(&self) -> Phase {
        match self.connections.0.phase.load(Ordering::SeqCst) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Ended,
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let waker = self.connections.0.wakers.lock().by_id.remove(&self.id);
        // A task's last waker may free the task: not under the lock.
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_phase_only_goes_forward() {
        let connections = Connections::new();
        let entry = connections.enter(Waker::noop());
        assert_eq!(entry.phase(), Phase::Running);
        connections.end();
        connections.begin_drain().await;
        assert_eq!(entry.phase(), Phase::Ended);
    }

    #[test]
    fn an_entry_leaves_the_list_when_it_is_dropped() {
        let connections = Connections::new();
        let first = connections.enter(Waker::noop());
        let second = connections.enter(Waker::noop());
        drop(first);
        assert_eq!(connections.advance(Phase::Draining).len(), 1);
        drop(second);
        assert!(connections.advance(Phase::Ended).is_empty());
    }
}
