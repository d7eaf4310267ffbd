//! A bus inside one process: bounded logs that subscribers read at their own pace.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::{Bus, Outgoing, Received, Topic, unix_ms};

/// How many messages are kept. The oldest ones go, also for a subscriber that has not read them.
const KEPT: usize = 16_384;
/// How many messages wait for one subscriber outside the log.
const BUFFERED: usize = 64;

/// A bus inside one process.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBus {
    log: Arc<Mutex<Log>>,
    /// How many messages there ever were.
    written: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct Log {
    /// The number of the first message that is kept.
    first: u64,
    messages: VecDeque<Received>,
}

impl MemoryBus {
    /// Returns a bus on which nothing was sent.
    pub(crate) fn new() -> Self {
        Self { log: Arc::default(), written: Arc::new(watch::Sender::new(0)) }
    }
}

impl Bus for MemoryBus {
    fn publish(&self, message: Outgoing) {
        let mut log = self.log.lock();
        if log.messages.len() == KEPT {
            log.messages.pop_front();
            log.first += 1;
        }
        log.messages.push_back(Received {
            topic: message.topic,
            payload: message.payload,
            unix_ms: unix_ms(),
        });
        let written = log.first + log.messages.len() as u64;
        drop(log);
        // Two publishers may come here in either order.
        self.written.send_modify(|known| *known = written.max(*known));
    }

    fn subscribe(&self, topics: &[Topic], since: Duration) -> mpsc::Receiver<Received> {
        let (tx, rx) = mpsc::channel(BUFFERED);
        let topics = topics.to_vec();
        let oldest = unix_ms().saturating_sub(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let (log, mut written) = (Arc::clone(&self.log), self.written.subscribe());
        // Ends with its receiver, or with the bus.
        tokio::spawn(async move {
            let mut next = 0;
            loop {
                let message = {
                    let log = log.lock();
                    next = log.first.max(next);
                    usize::try_from(next - log.first).ok().and_then(|at| log.messages.get(at).cloned())
                };
                let Some(message) = message else {
                    let known = next;
                    tokio::select! {
                        () = tx.closed() => return,
                        changed = written.wait_for(|written| *written > known) => if changed.is_err() { return },
                    }
                    continue;
                };
                next += 1;
                let is_wanted = topics.contains(&message.topic) && message.unix_ms >= oldest;
                if is_wanted && tx.send(message).await.is_err() {
                    return;
                }
            }
        });
        rx
    }

    fn flush(&self, _within: Duration) -> BoxFuture<'_, bool> {
        Box::pin(async { true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: Topic, payload: String) -> Outgoing {
        Outgoing { topic, key: String::new(), payload: payload.into(), replaces: None }
    }

    #[tokio::test]
    async fn a_late_subscriber_misses_nothing_and_sees_its_topics_alone() {
        let bus = MemoryBus::new();
        bus.publish(message(Topic::TestConfig, "1".to_owned()));
        bus.publish(message(Topic::Metrics, "other".to_owned()));
        let mut late = bus.subscribe(&[Topic::TestConfig], Duration::MAX);
        bus.publish(message(Topic::TestConfig, "2".to_owned()));
        assert_eq!(late.recv().await.unwrap().payload, "1");
        assert_eq!(late.recv().await.unwrap().payload, "2");
    }

    #[tokio::test]
    async fn a_bus_keeps_a_bounded_number_of_messages() {
        let bus = MemoryBus::new();
        for number in 0..KEPT + 10 {
            bus.publish(message(Topic::Metrics, number.to_string()));
        }
        let mut late = bus.subscribe(&[Topic::Metrics], Duration::MAX);
        assert_eq!(late.recv().await.unwrap().payload, "10");
    }
}
