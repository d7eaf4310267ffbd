//! The connections that are served now, and the signal that ends them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Poll, Waker};

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

/// The wakers of tasks, each at a place of its own.
#[derive(Debug, Default)]
struct Wakers {
    places: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl Wakers {
    fn insert(&mut self, waker: Waker) -> usize {
        if let Some(place) = self.free.pop() {
            self.places[place] = Some(waker);
            return place;
        }
        self.places.push(Some(waker));
        self.places.len() - 1
    }

    fn remove(&mut self, place: usize) -> Option<Waker> {
        let waker = self.places[place].take();
        self.free.push(place);
        if self.free.len() == self.places.len() {
            // Nobody is left of those who came at once.
            *self = Self::default();
        }
        waker
    }
}

impl Connections {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { phase: AtomicU8::new(Phase::Running as u8), wakers: Mutex::default() }))
    }

    /// Puts the task of a connection on the list for as long as the entry lives. To be awaited by the task's own future:
    /// tokio's waker is the same at every poll of it.
    pub(super) async fn enter(&self) -> Entry {
        poll_fn(|cx| Poll::Ready(self.enter_with(cx.waker()))).await
    }

    fn enter_with(&self, waker: &Waker) -> Entry {
        let place = self.0.wakers.lock().insert(waker.clone());
        Entry { connections: self.clone(), place }
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
        self.0.wakers.lock().places.iter().flatten().cloned().collect()
    }
}

/// One connection's place on the list; dropping it takes it off.
#[derive(Debug)]
pub(super) struct Entry {
    connections: Connections,
    place: usize,
}

impl Entry {
    pub(super) fn phase(&self) -> Phase {
        match self.connections.0.phase.load(Ordering::SeqCst) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Ended,
        }
    }

    /// Waits for a future as long as connections are served.
    pub(super) async fn unless_ending<F: Future>(&self, future: F) -> Option<F::Output> {
        self.up_to(Phase::Running, future).await
    }

    /// Waits for a future until connections are cut off.
    pub(super) async fn unless_cut_off<F: Future>(&self, future: F) -> Option<F::Output> {
        self.up_to(Phase::Draining, future).await
    }

    /// Polls once, unless connections are cut off.
    pub(super) fn poll_unless_cut_off<T>(&self, poll: impl FnOnce() -> Poll<T>) -> Poll<Option<T>> {
        self.poll_up_to(Phase::Draining, poll)
    }

    async fn up_to<F: Future>(&self, last: Phase, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| self.poll_up_to(last, || future.as_mut().poll(cx))).await
    }

    fn poll_up_to<T>(&self, last: Phase, poll: impl FnOnce() -> Poll<T>) -> Poll<Option<T>> {
        if self.phase() <= last { poll().map(Some) } else { Poll::Ready(None) }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let waker = self.connections.0.wakers.lock().remove(self.place);
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
        let entry = connections.enter_with(Waker::noop());
        assert_eq!(entry.phase(), Phase::Running);
        connections.end();
        connections.begin_drain().await;
        assert_eq!(entry.phase(), Phase::Ended);
    }

    #[test]
    fn an_entry_leaves_the_list_when_it_is_dropped() {
        let connections = Connections::new();
        let first = connections.enter_with(Waker::noop());
        let second = connections.enter_with(Waker::noop());
        drop(first);
        assert_eq!(connections.advance(Phase::Draining).len(), 1);
        let third = connections.enter_with(Waker::noop());
        assert_eq!(connections.0.wakers.lock().places.len(), 2);
        drop(second);
        assert_eq!(connections.advance(Phase::Draining).len(), 1);
        drop(third);
        assert!(connections.advance(Phase::Ended).is_empty());
        assert_eq!(connections.0.wakers.lock().places.capacity(), 0);
    }
}
