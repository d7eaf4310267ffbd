//! What was heard and waits to be read, with a limit.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How much may wait.
const MAX_BYTES: usize = 16 << 20;
const MAX_MESSAGES: usize = 65_536;

/// Where a backplane puts what it hears. It takes everything at once and never waits: what is over the limit is dropped,
/// and the node compares heads. Clones share it.
#[derive(Clone)]
pub struct Inbox(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something is to be read.
    filled: Notify,
    /// The connection was lost.
    lost: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Bytes>,
    bytes: usize,
    dropped: u64,
    is_lost: Option<String>,
}

/// What [`Inbox::take`] returns.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) payloads: VecDeque<Bytes>,
    /// How many were dropped since the last call.
    pub(super) dropped: u64,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Puts in what was published on a channel that the node listens to.
    pub fn deliver(&self, payload: Bytes) {
        let mut state = self.0.state.lock();
        if state.waiting.len() >= MAX_MESSAGES || state.bytes + payload.len() > MAX_BYTES {
            state.dropped += 1;
        } else {
            state.bytes += payload.len();
            state.waiting.push_back(payload);
        }
        drop(state);
        self.0.filled.notify_one();
    }

    /// Says that a message was lost on the way.
    #[cfg(feature = "nats")]
    pub(super) fn missed(&self) {
        self.0.state.lock().dropped += 1;
        self.0.filled.notify_one();
    }

    /// Says that the connection was lost, and why: without passwords. The node makes a new one.
    pub fn lost(&self, why: impl fmt::Display) {
        self.0.state.lock().is_lost.get_or_insert_with(|| why.to_string());
        self.0.lost.notify_one();
    }

    /// Waits until something was heard or dropped, and takes all of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn take(&self) -> Heard {
        loop {
            let filled = self.0.filled.notified();
            {
                let mut state = self.0.state.lock();
                if !state.waiting.is_empty() || state.dropped > 0 {
                    state.bytes = 0;
                    let payloads = std::mem::take(&mut state.waiting);
                    return Heard { payloads, dropped: std::mem::take(&mut state.dropped) };
                }
            }
            filled.await;
        }
    }

    /// Waits until the connection was lost, and returns why.
    pub(super) async fn until_lost(&self) -> String {
        loop {
            let lost = self.0.lost.notified();
            let why = self.0.state.lock().is_lost.take();
            if let Some(why) = why {
                return why;
            }
            lost.await;
        }
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        let (messages, bytes) = (state.waiting.len(), state.bytes);
        drop(state);
        f.debug_struct("Inbox").field("messages", &messages).field("bytes", &bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_over_the_limit_is_dropped_and_counted() {
        let inbox = Inbox::new();
        let payload = Bytes::from(vec![0; MAX_BYTES / 4]);
        for _ in 0..6 {
            inbox.deliver(payload.clone());
        }
        let heard = inbox.take().await;
        assert_eq!((heard.payloads.len(), heard.dropped), (4, 2));
        inbox.deliver(payload);
        let heard = inbox.take().await;
        assert_eq!((heard.payloads.len(), heard.dropped), (1, 0));
    }

    #[tokio::test]
    async fn the_first_reason_of_a_loss_is_told_once() {
        let inbox = Inbox::new();
        inbox.lost("first");
        inbox.lost("second");
        assert_eq!(inbox.until_lost().await, "first");
        inbox.lost("third");
        assert_eq!(inbox.until_lost().await, "third");
    }
}
