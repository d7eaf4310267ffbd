//! How an orchestrator and its drivers talk: the published topics, and what carries them.
//!
//! The five topics `register`, `test_config`, `trigger`, `metrics` and `heartbeat` have the fields of the published
//! specification, and fields of our own beside them, so that drivers and orchestrators of other people take part.
//! The topic `control` is our own: the orchestrator repeats its state there each second.
//!
//! No message is so important that its loss matters: states are repeated, reports are cumulative. What carries them
//! still loses nothing: a subscriber reads from an offset, and so misses nothing that was sent before it came.

pub(crate) mod connection;
pub(crate) mod event;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
pub(crate) mod lenient;
pub(crate) mod measured;
pub(crate) mod memory;
pub(crate) mod message;
// Only Kafka can be away, and needs a queue in front.
#[cfg(any(feature = "kafka", test))]
pub(crate) mod outbox;

use std::{
    fmt::{self, Debug},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// A driver that introduces itself.
    Register,
    /// A test that drivers prepare.
    TestConfig,
    /// The start of a test.
    Trigger,
    /// What a driver has measured so far.
    Metrics,
    /// The sign of life of a driver.
    Heartbeat,
    /// The orchestrator's state, each second; not part of the published specification.
    Control,
}

impl Topic {
    /// All topics.
    #[cfg_attr(
        not(any(feature = "kafka", fuzzing)),
        expect(dead_code, reason = "only Kafka's topics are made")
    )]
    pub(crate) const ALL: [Self; 6] =
        [Self::Register, Self::TestConfig, Self::Trigger, Self::Metrics, Self::Heartbeat, Self::Control];

    /// Returns its published name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::TestConfig => "test_config",
            Self::Trigger => "trigger",
            Self::Metrics => "metrics",
            Self::Heartbeat => "heartbeat",
            Self::Control => "control",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) topic: Topic,
    /// Messages of one key keep their order.
    #[cfg_attr(
        not(feature = "kafka"),
        expect(dead_code, reason = "the bus in memory keeps the order of all messages")
    )]
    pub(crate) key: String,
    pub(crate) payload: Bytes,
    /// If set, this message makes older ones with the same value needless, which may be left out while the bus is away.
    #[cfg_attr(
        not(any(feature = "kafka", test)),
        expect(dead_code, reason = "the bus in memory is never away")
    )]
    pub(crate) replaces: Option<String>,
}

/// A message that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) topic: Topic,
    pub(crate) payload: Bytes,
    /// When the bus took it, in milliseconds since 1970.
    pub(crate) unix_ms: u64,
}

/// What carries messages between an orchestrator and its drivers.
///
/// Messages with the same key arrive in the order in which they were sent, at least once.
pub(crate) trait Bus: Debug + Send + Sync {
    /// Takes a message over. Never waits: while the bus is away, a bounded queue holds messages, and leaves out older
    /// ones first.
    fn publish(&self, message: Outgoing);

    /// Returns all messages on these topics that were sent at most `since` ago, and all later ones. A topic that does
    /// not exist yet is read from its first message on. Ends when the receiver is dropped.
    fn subscribe(&self, topics: &[Topic], since: Duration) -> mpsc::Receiver<Received>;

    /// Waits until all that was published is with the bus, at most for `within`; returns whether it is.
    fn flush(&self, within: Duration) -> BoxFuture<'_, bool>;
}

/// Returns the time in milliseconds since 1970.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
