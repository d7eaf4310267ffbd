//! Reading topics, on a thread per subscription.

use std::{thread, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::sync::mpsc::Sender;

use super::{Names, Quiet, Received, Topic};
use crate::{bus::unix_ms, report::terminal};

/// How soon it is noticed that nobody reads any more.
const POLL: Duration = Duration::from_millis(100);
/// How long one question to the broker may take.
const QUESTION: Duration = Duration::from_secs(2);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads these topics until the receiver is dropped.
pub(super) fn spawn(
    config: ClientConfig,
    names: Names,
    topics: Vec<Topic>,
    since: Duration,
    tx: Sender<Received>,
) {
    // Ends within `QUESTION` after its receiver.
    thread::spawn(move || {
        let oldest = unix_ms().saturating_sub(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let outcome = connect(config).map(|consumer| {
            let reading = Reading { consumer, names, topics, oldest, tx };
            if reading.begin() {
                reading.run();
            }
        });
        if let Err(error) = outcome {
            terminal::warn(&format!("kafka: {error:#}"));
        }
    });
}

fn connect(mut config: ClientConfig) -> Result<BaseConsumer<Quiet>> {
    // librdkafka assigns nothing to a consumer without a group; this one is in nobody else's use.
    config
        .set("group.id", format!("shardcast-bench-{:032x}", rand::random::<u128>()))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "200")
        .create_with_context(Quiet)
        .context("failed to make a consumer")
}

struct Reading {
    consumer: BaseConsumer<Quiet>,
    names: Names,
    topics: Vec<Topic>,
    /// The oldest message that is wanted, in milliseconds since 1970.
    oldest: u64,
    tx: Sender<Received>,
}

impl Reading {
    /// Waits until all topics exist, and assigns their partitions; returns whether somebody still reads.
    fn begin(&self) -> bool {
        let mut named = false;
        while !self.tx.is_closed() {
            let assigned = self.partitions().and_then(|partitions| Ok(self.consumer.assign(&partitions)?));
            match assigned {
                Ok(()) => return true,
                Err(error) => {
                    if !std::mem::replace(&mut named, true) {
                        terminal::warn(&format!("kafka: nothing to read yet, trying again: {error:#}"));
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
        false
    }

    /// Returns all partitions of all topics, each at the first message that is wanted.
    fn partitions(&self) -> Result<TopicPartitionList> {
        // Of all topics: asking for one may make it, with a wrong number of partitions.
        let metadata = self.consumer.fetch_metadata(None, QUESTION).context("the servers do not answer")?;
        let mut list = TopicPartitionList::new();
        let oldest = i64::try_from(self.oldest).unwrap_or(i64::MAX);
        for topic in &self.topics {
            let name = self.names.of(*topic);
            let found =
                metadata.topics().iter().find(|known| known.name() == name && !known.partitions().is_empty());
            let found = found.with_context(|| format!("there is no topic `{name}`"))?;
            for partition in found.partitions() {
                list.add_partition_offset(&name, partition.id(), Offset::Offset(oldest))?;
            }
        }
        let mut begin =
            self.consumer.offsets_for_times(list, QUESTION).context("failed to look up offsets")?;
        let ends: Vec<(String, i32)> = begin
            .elements()
            .iter()
            .filter(|element| !matches!(element.offset(), Offset::Offset(_)))
            .map(|element| (element.topic().to_owned(), element.partition()))
            .collect();
        for (topic, partition) in ends {
            // A fixed number: the offset called "end" is looked up later, and what is sent until then would be missed.
            let (_, end) = self
                .consumer
                .fetch_watermarks(&topic, partition, QUESTION)
                .with_context(|| format!("failed to look up the end of `{topic}`"))?;
            begin.set_partition_offset(&topic, partition, Offset::Offset(end))?;
        }
        Ok(begin)
    }

    fn run(&self) {
        let mut is_away = false;
        while !self.tx.is_closed() {
            match self.consumer.poll(POLL) {
                None => {}
                Some(Ok(message)) => {
                    if std::mem::take(&mut is_away) {
                        terminal::warn("kafka: messages can be read again");
                    }
                    let topic = self.topics.iter().find(|topic| self.names.of(**topic) == message.topic());
                    if let Some(topic) = topic {
                        let payload = Bytes::copy_from_slice(message.payload().unwrap_or_default());
                        let stamp =
                            message.timestamp().to_millis().and_then(|stamp| u64::try_from(stamp).ok());
                        let received =
                            Received { topic: *topic, payload, unix_ms: stamp.unwrap_or_else(unix_ms) };
                        // Waits until the subscriber takes it.
                        if self.tx.blocking_send(received).is_err() {
                            return;
                        }
                    }
                }
                Some(Err(error)) => {
                    // It connects again by itself, and goes on where it was.
                    if !std::mem::replace(&mut is_away, true) {
                        terminal::warn(&format!("kafka: can't be read, trying again: {error}"));
                    }
                    thread::sleep(PAUSE);
                }
            }
        }
    }
}
