//! What a program may watch of publishing.

use std::time::Duration;

/// What became of a message that was given to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublishOutcome {
    /// It is durable.
    Stored,
    /// The database did not take it, or not in time, or its write was interrupted.
    Failed,
    /// The store was shut down.
    Refused,
}

/// Observes messages on their way to the database. Every method does nothing by default.
///
/// Calls come from the writer's task, which the next transaction waits for, or from the sender's, with no lock held.
/// They must be quick and must not block.
///
/// ```
/// use std::{sync::atomic::{AtomicU64, Ordering}, time::Duration};
/// use shardcast::store::{PublishObserver, PublishOutcome};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl PublishObserver for Failures {
///     fn on_publish(&self, outcome: PublishOutcome, _: Duration) {
///         if outcome != PublishOutcome::Stored {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait PublishObserver: Send + Sync + 'static {
    /// A message was stored, or was not, so long after it was given to the store.
    fn on_publish(&self, outcome: PublishOutcome, took: Duration) {
        let _ = (outcome, took);
    }

    /// A transaction of so many messages took so long, whether or not it succeeded.
    fn on_commit(&self, messages: usize, took: Duration) {
        let _ = (messages, took);
    }

    /// A sender found the writer's queue full, in messages or in bytes, and waits for room.
    fn on_queue_full(&self) {}

    /// Something panicked, and goes on: `part` is `observer` (a method of this trait, or what is called after a commit),
    /// `database` or `writer`.
    fn on_panic(&self, part: &'static str) {
        let _ = part;
    }
}

/// Watches nothing.
impl PublishObserver for () {}
