//! Apache Kafka as the bus.
//!
//! Consumers are assigned to partitions from an offset, and have a group of their own that never commits: so no two
//! drivers share a group, nothing waits for a group to be balanced, and nothing that was sent before is missed.
//! Every topic has one partition, because every driver reads every test, and the order over all tests is worth more
//! than what a second partition would carry: 200 drivers send 400 messages per second. Topics that others made with
//! more partitions are read as well; the key then keeps the order within a test.

mod reading;
mod topics;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, FutureRecord},
    util::Timeout,
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{Bus, Outgoing, Received, Topic, outbox::Outbox};
use crate::report::terminal;

/// Messages that wait while Kafka is away. A driver sends two per second and test; newer ones replace most of them.
const WAITING: usize = 1024;
/// How long a message is tried before newer ones may replace it.
const SEND_MS: &str = "5000";
/// How long to wait after a message could not be sent.
const PAUSE: Duration = Duration::from_millis(500);
/// Messages that wait for one subscriber. When they are not taken, no more are fetched.
const BUFFERED: usize = 256;

/// A connection to Kafka.
pub(crate) struct KafkaBus {
    names: Names,
    config: ClientConfig,
    outbox: Arc<Outbox>,
    sender: JoinHandle<()>,
}

/// The names of topics on this cluster.
#[derive(Debug, Clone)]
struct Names {
    prefix: String,
}

impl Names {
    fn of(&self, topic: Topic) -> String {
        format!("{}{}", self.prefix, topic.name())
    }
}

/// Keeps librdkafka's log off the terminal: it repeats each second that a broker is away.
#[derive(Debug, Clone, Copy)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, _facility: &str, text: &str) {
        if level as i32 <= RDKafkaLogLevel::Critical as i32 {
            terminal::warn(&format!("kafka: {text}"));
        }
    }

    // What it tells here, it also tells the one who sends or reads.
    fn error(&self, _error: KafkaError, _reason: &str) {}
}

impl ConsumerContext for Quiet {}

impl KafkaBus {
    /// Connects to these servers; they may be away. `name` identifies this process, and is in no use twice.
    ///
    /// # Errors
    ///
    /// When librdkafka can't take the servers' names.
    pub(crate) fn connect(servers: &str, prefix: &str, name: &str) -> Result<Self> {
        let names = Names { prefix: prefix.to_owned() };
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", servers)
            .set("client.id", name)
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "1000")
            // After a broker was away, readers otherwise look for it late.
            .set("topic.metadata.refresh.interval.ms", "3000");
        let producer: FutureProducer<Quiet> = config
            .clone()
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("message.timeout.ms", SEND_MS)
            .set("topic.metadata.propagation.max.ms", "1000")
            .create_with_context(Quiet)
            .with_context(|| format!("failed to use the Kafka servers `{servers}`"))?;
        let outbox = Arc::new(Outbox::new(WAITING));
        // Ends with the bus, which aborts it.
        let sender = tokio::spawn(send(producer, Arc::clone(&outbox), names.clone()));
        Ok(Self { names, config, outbox, sender })
    }

    /// Makes all topics that do not exist yet. Tries again until Kafka answers, and so may wait for ever.
    pub(crate) async fn create_topics(&self) -> Result<()> {
        topics::create(&self.config, &self.names).await
    }
}

/// Sends one message after the other, so that their order is kept whatever fails.
async fn send(producer: FutureProducer<Quiet>, outbox: Arc<Outbox>, names: Names) {
    let mut is_away = false;
    loop {
        let message = outbox.take().await;
        let topic = names.of(message.topic);
        let record = FutureRecord::to(&topic).key(&message.key).payload(&message.payload[..]);
        match producer.send(record, Timeout::After(Duration::ZERO)).await {
            Ok(_) => {
                if std::mem::take(&mut is_away) {
                    terminal::warn("kafka: takes messages again");
                }
                outbox.settled();
            }
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => {
                let bytes = message.payload.len();
                terminal::warn(&format!(
                    "kafka: a message of {bytes} bytes is too large for `{topic}`; left out"
                ));
                outbox.settled();
            }
            Err((error, _)) => {
                if !std::mem::replace(&mut is_away, true) {
                    terminal::warn(&format!("kafka: takes no message on `{topic}`, trying again: {error}"));
                }
                outbox.put_back(message);
                sleep(PAUSE).await;
            }
        }
    }
}

impl Bus for KafkaBus {
    fn publish(&self, message: Outgoing) {
        self.outbox.push(message);
    }

    fn subscribe(&self, topics: &[Topic], since: Duration) -> mpsc::Receiver<Received> {
        let (tx, rx) = mpsc::channel(BUFFERED);
        reading::spawn(self.config.clone(), self.names.clone(), topics.to_vec(), since, tx);
        rx
    }

    fn flush(&self, within: Duration) -> BoxFuture<'_, bool> {
        Box::pin(
            async move { timeout(within, self.outbox.emptied()).await.is_ok() && self.outbox.dropped() == 0 },
        )
    }
}

impl Drop for KafkaBus {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

impl std::fmt::Debug for KafkaBus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration may hold a password.
        formatter.debug_struct("KafkaBus").field("names", &self.names).finish_non_exhaustive()
    }
}
