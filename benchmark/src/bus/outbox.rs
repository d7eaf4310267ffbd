//! The bounded queue in front of a bus that may be away.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Outgoing;

/// Messages that wait. While the bus is away, a newer report takes the place of an older one.
#[derive(Debug)]
pub(crate) struct Outbox {
    capacity: usize,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<Outgoing>,
    /// Taken, and not settled yet.
    under_way: usize,
    dropped: u64,
}

impl Outbox {
    /// Returns an empty queue for at most `capacity` messages.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, waiting: Mutex::default(), changed: Notify::new() }
    }

    /// Adds a message. One that it replaces goes; if the queue is full, the oldest message goes.
    pub(crate) fn push(&self, message: Outgoing) {
        let mut waiting = self.waiting.lock();
        if message.replaces.is_some() {
            waiting
                .messages
                .retain(|older| older.topic != message.topic || older.replaces != message.replaces);
        }
        if waiting.messages.len() >= self.capacity {
            waiting.messages.pop_front();
            waiting.dropped += 1;
        }
        waiting.messages.push_back(message);
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// Waits for the oldest message and takes it; it counts as under way until [`Self::settled`] or [`Self::put_back`].
    pub(crate) async fn take(&self) -> Outgoing {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            {
                let mut waiting = self.waiting.lock();
                if let Some(message) = waiting.messages.pop_front() {
                    waiting.under_way += 1;
                    return message;
                }
            }
            changed.await;
        }
    }

    /// The bus has a message that was taken, or will never have it.
    pub(crate) fn settled(&self) {
        self.waiting.lock().under_way -= 1;
        self.changed.notify_waiters();
    }

    /// The bus has not taken a message: it is the next one again, unless a newer one has replaced it.
    pub(crate) fn put_back(&self, message: Outgoing) {
        let mut waiting = self.waiting.lock();
        waiting.under_way -= 1;
        let is_replaced = message.replaces.is_some()
            && waiting
                .messages
                .iter()
                .any(|newer| newer.topic == message.topic && newer.replaces == message.replaces);
        if !is_replaced {
            waiting.messages.push_front(message);
        }
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// Waits until nothing waits and nothing is under way.
    pub(crate) async fn emptied(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let waiting = self.waiting.lock();
                if waiting.messages.is_empty() && waiting.under_way == 0 {
                    return;
                }
            }
            changed.await;
        }
    }

    /// Returns how many messages were dropped because the queue was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.waiting.lock().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Topic;

    fn message(payload: &'static str, replaces: Option<&str>) -> Outgoing {
        let replaces = replaces.map(str::to_owned);
        Outgoing { topic: Topic::Metrics, key: "k".to_owned(), payload: payload.into(), replaces }
    }

    #[tokio::test]
    async fn a_newer_report_takes_the_place_of_an_older_one() {
        let outbox = Outbox::new(4);
        for message in
            [message("1", Some("a")), message("x", None), message("2", Some("b")), message("3", Some("a"))]
        {
            outbox.push(message);
        }
        let taken =
            [outbox.take().await, outbox.take().await, outbox.take().await].map(|message| message.payload);
        assert_eq!(taken, ["x", "2", "3"]);
        assert_eq!(outbox.dropped(), 0);
    }

    #[tokio::test]
    async fn a_message_that_failed_comes_first_unless_a_newer_one_is_there() {
        let outbox = Outbox::new(4);
        outbox.push(message("1", Some("a")));
        let failed = outbox.take().await;
        outbox.push(message("other", None));
        outbox.put_back(failed);
        let failed = outbox.take().await;
        assert_eq!(failed.payload, "1");
        outbox.push(message("2", Some("a")));
        outbox.put_back(failed);
        assert_eq!([outbox.take().await.payload, outbox.take().await.payload], ["other", "2"]);
        outbox.settled();
        outbox.settled();
        outbox.emptied().await;
    }

    #[test]
    fn a_full_queue_drops_the_oldest_message_and_counts_it() {
        let outbox = Outbox::new(2);
        for payload in ["1", "2", "3"] {
            outbox.push(message(payload, None));
        }
        assert_eq!(outbox.dropped(), 1);
        assert_eq!(
            outbox.waiting.lock().messages.front().map(|message| message.payload.clone()),
            Some("2".into())
        );
    }
}
