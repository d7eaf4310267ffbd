//! Whether a batch waits for the senders that were answered just now.
//!
//! Many senders send their next message as soon as the last one is stored. Without waiting they split into two halves:
//! one is stored while the other gathers, and each transaction has half of the messages that it could have. Where a
//! transaction takes long, or much of the processors, that halves what is stored per second.

use std::time::Duration;

use tokio::time::Instant;

/// After senders have not come back, so many transactions are not waited after.
const WITHOUT_WAITING: u32 = 32;

/// The senders that may come back.
#[derive(Debug)]
pub(super) struct Returning {
    long_transaction: Duration,
    answered: usize,
    until: Option<Instant>,
    without_waiting: u32,
}

impl Returning {
    /// Nobody is waited for after a transaction that took less than this.
    pub(super) fn after(long_transaction: Duration) -> Self {
        Self { long_transaction, answered: 0, until: None, without_waiting: 0 }
    }

    /// Notes that so many senders were answered, of a transaction that took so long. Another one would take as long,
    /// so no more than that is waited.
    pub(super) fn answered(&mut self, senders: usize, took: Duration) {
        self.answered = senders;
        let waits = took >= self.long_transaction && self.without_waiting == 0;
        self.until = waits.then(|| Instant::now() + took);
        self.without_waiting = self.without_waiting.saturating_sub(1);
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
