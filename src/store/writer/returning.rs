//! Whether a batch waits for the senders that were answered just now.
//!
//! Many senders send their next message as soon as the last one is stored. Without waiting they split into two halves:
//! one is stored while the other gathers, and each transaction has half of the messages that it could have. Where a
//! commit takes long, that halves what is stored per second.

use std::time::Duration;

use tokio::time::Instant;

/// A transaction that took less is not waited after: tokio's timers count whole milliseconds.
const LONG_COMMIT: Duration = Duration::from_millis(2);

/// The part of a transaction's time that may be waited after it.
const SHARE: u32 = 4;

/// After senders have not come back, so many transactions are not waited after.
const WITHOUT_WAITING: u32 = 32;

/// The senders that may come back.
#[derive(Debug, Default)]
pub(super) struct Returning {
    answered: usize,
    until: Option<Instant>,
    without_waiting: u32,
}

impl Returning {
    /// Notes that so many senders were answered, of a transaction that took so long.
    pub(super) fn answered(&mut self, senders: usize, took: Duration) {
        self.answered = senders;
        self.until =
            (took >= LONG_COMMIT && self.without_waiting == 0).then(|| Instant::now() + took / SHARE);
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
