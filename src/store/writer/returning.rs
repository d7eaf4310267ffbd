//! Whether a batch waits for the senders that were answered just now.
//!
//! Many senders send their next message as soon as the last one is stored. Without waiting they split into two halves:
//! one is stored while the other gathers, and each transaction has half of the messages that it could have. Where a
//! transaction takes long, or much of the processors, that halves what is stored per second.
//!
//! Where the runtime has one thread, as on a single core, a transaction also takes it from the senders that are to be
//! answered and sent their next message. So they come first there, which takes no timer, as long as that takes no longer
//! than the transaction that it saves: other tasks may have much to do.

use std::mem::replace;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::BATCH_MESSAGES;
use crate::store::queue::Job;

/// So many turns of all other tasks a batch waits for at most.
const MOST_TURNS: usize = 8;

/// After senders have not come back, so many transactions are not waited after.
const WITHOUT_WAITING: u32 = 32;

/// The senders that may come back.
#[derive(Debug)]
pub(super) struct Returning {
    long_transaction: Duration,
    answered: usize,
    /// How long the last transaction took.
    took: Duration,
    until: Option<Instant>,
    without_waiting: u32,
    /// Whether the runtime has one thread.
    shares_thread: bool,
}

impl Returning {
    /// Nobody is waited for by the clock after a transaction that took less than this.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(super) fn after(long_transaction: Duration) -> Self {
        let shares_thread = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
        let took = Duration::ZERO;
        Self { long_transaction, answered: 0, took, until: None, without_waiting: 0, shares_thread }
    }

    /// Notes that so many senders were answered, of a transaction that took so long. Another one would take as long,
    /// so no more than that is waited.
    pub(super) fn answered(&mut self, senders: usize, took: Duration) {
        (self.answered, self.took) = (senders, took);
        let waits = took >= self.long_transaction && self.without_waiting == 0;
        self.until = waits.then(|| Instant::now() + took);
        self.without_waiting = self.without_waiting.saturating_sub(1);
    }

    /// Where the runtime has one thread, lets other tasks run until a turn of them brings no further message, or they
    /// have taken as long as the last transaction. Not where senders are waited for by the clock.
    pub(super) async fn take_turns(&self, queue: &mpsc::Receiver<Job>) {
        // A lone sender needs no company, and a turn costs a look at all sockets.
        if !self.shares_thread || self.answered < 2 || self.until.is_some() {
            return;
        }
        let began_at = Instant::now();
        let mut waiting = queue.len();
        for _ in 0..MOST_TURNS {
            if waiting >= BATCH_MESSAGES {
                return;
            }
            yield_now().await;
            let before = replace(&mut waiting, queue.len());
            if waiting <= before || began_at.elapsed() >= self.took {
                return;
            }
        }
    }

    /// Returns for how many messages a batch waits, and until when, if at all. So many wait already.
    pub(super) fn expected(&self, waiting: usize) -> Option<(usize, Instant)> {
        Some((waiting + self.answered, self.until?))
    }

    /// Notes that only so many were there in time.
    pub(super) fn missed(&mut self, came: usize, expected: usize) {
        if came + self.answered / 2 < expected {
            self.without_waiting = WITHOUT_WAITING;
        }
    }
}
