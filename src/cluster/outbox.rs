//! What waits to be published, with a limit.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Outgoing;

/// How much may wait.
const MAX_BYTES: usize = 8 << 20;
const MAX_MESSAGES: usize = 16_384;

/// How much is published at once.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_MESSAGES: usize = 256;

/// What waits to be published. Nobody who puts something in waits for the backplane.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Outgoing>,
    bytes: usize,
    /// There is a connection to publish by.
    is_open: bool,
}

impl Outbox {
    /// Puts a message in; false if it was dropped, because there is no connection or too much waits.
    pub(super) fn push(&self, message: Outgoing) -> bool {
        let mut waiting = self.waiting.lock();
        let is_full =
            waiting.messages.len() >= MAX_MESSAGES || waiting.bytes + message.payload.len() > MAX_BYTES;
        if !waiting.is_open || is_full {
            return false;
        }
        waiting.bytes += message.payload.len();
        waiting.messages.push_back(message);
        drop(waiting);
        self.filled.notify_one();
        true
    }

    /// From now on messages are taken.
    pub(super) fn open(&self) {
        self.waiting.lock().is_open = true;
    }

    /// Drops what waits and takes nothing more; returns how many were dropped.
    pub(super) fn close(&self) -> u64 {
        let dropped = std::mem::take(&mut *self.waiting.lock());
        dropped.messages.len() as u64
    }

    /// Waits for messages, and returns the first of them.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next_batch(&self) -> Vec<Outgoing> {
        loop {
            let filled = self.filled.notified();
            let batch = self.waiting.lock().take_batch();
            if !batch.is_empty() {
                return batch;
            }
            filled.await;
        }
    }
}

impl Waiting {
    fn take_batch(&mut self) -> Vec<Outgoing> {
        let mut bytes = 0;
        let fits = |message: &&Outgoing| {
            bytes += message.payload.len();
            bytes <= BATCH_BYTES
        };
        // One message alone may be larger.
        let count = self.messages.iter().take(BATCH_MESSAGES).take_while(fits).count().max(1);
        let batch: Vec<_> = self.messages.drain(..count.min(self.messages.len())).collect();
        self.bytes -= batch.iter().map(|message| message.payload.len()).sum::<usize>();
        batch
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::Channel;
    use super::*;

    fn message(bytes: usize) -> Outgoing {
        Outgoing { channel: Channel::ALL, payload: Bytes::from(vec![0; bytes]) }
    }

    #[tokio::test]
    async fn nothing_is_kept_for_a_connection_that_is_not_there() {
        let outbox = Outbox::default();
        assert!(!outbox.push(message(1)));
        outbox.open();
        assert!(outbox.push(message(1)));
        assert_eq!(outbox.next_batch().await.len(), 1);
        assert!(outbox.push(message(1)));
        assert_eq!(outbox.close(), 1);
        assert!(!outbox.push(message(1)));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_goes_out_in_batches() {
        let outbox = Outbox::default();
        outbox.open();
        let half = BATCH_BYTES / 2;
        let taken = (0..100).filter(|_| outbox.push(message(half))).count();
        assert_eq!(taken, MAX_BYTES / half);
        assert_eq!(outbox.next_batch().await.len(), 2);
        assert!(outbox.push(message(BATCH_BYTES)), "there is room again");
        for _ in 0..7 {
            assert_eq!(outbox.next_batch().await.len(), 2);
        }
        assert_eq!(outbox.next_batch().await.len(), 1);
        let small = (0..1000).filter(|_| outbox.push(message(1))).count();
        assert_eq!((small, outbox.next_batch().await.len()), (1000, BATCH_MESSAGES));
    }
}
