//! Bounds and times of the hub.

use std::{num::NonZeroUsize, time::Duration};

/// What a [`Hub`](super::Hub) is made with.
///
/// ```
/// use std::time::Duration;
/// use shardcast::hub::HubConfig;
///
/// let config = HubConfig::default().with_shard_count(64).with_stall_timeout(Duration::from_secs(30));
/// assert!(HubConfig::shard_count_is_valid(config.shard_count));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HubConfig {
    /// Number of shards that streams are kept in by token: a power of two from 1 to 4096. An empty shard costs
    /// 128 bytes.
    pub shard_count: usize,
    /// Messages that a user's ring of recent frames holds while one of its streams is behind.
    pub ring_messages: usize,
    /// Bytes that the ring may hold for each stream that is behind, at most [`HubConfig::RING_BYTES_MAX`] a user.
    pub ring_bytes_per_stream: usize,
    /// A stream more messages behind than this is closed as a slow consumer.
    pub max_lag: usize,
    /// A stream that has something to take and takes nothing for this long is closed as a slow consumer.
    pub stall_timeout: Duration,
    /// How often a stream is pinged. The first ping comes a little earlier, by chance, so that streams that came
    /// together are not pinged together.
    pub ping_period: Duration,
    /// A stream that sends no pong for this long is closed.
    pub pong_timeout: Duration,
    /// How long a close frame may take to get out and the peer to answer it.
    pub close_timeout: Duration,
    /// Bytes that all streams together may hold of what was read from the backlog, half-written messages included. A
    /// read waits until there is room; of messages that are larger than all of it one is read at a time. Three eighths of
    /// it are for the streams of one user, and one eighth is for reads of users that hold little; below 8 MiB that is too
    /// little for a read.
    pub backlog_bytes: usize,
    /// How long a stream waits for one read of the backlog, its turn included, before it is closed with
    /// [`EndReason::BacklogUnavailable`](super::EndReason::BacklogUnavailable).
    pub backlog_timeout: Duration,
    /// Each message that is stored is given to this hub, and to no other one. Then a stream that comes back and has
    /// everything that the hub knows of need not ask the backlog.
    pub hears_all: bool,
    /// Tasks that carry messages to streams; by default, one for each worker thread of the runtime.
    pub lanes: Option<NonZeroUsize>,
}

impl HubConfig {
    /// What a user's ring may hold at most, in bytes.
    pub const RING_BYTES_MAX: usize = 1 << 20;
    /// What may wait for a user's next pass: messages, and bytes. Beyond it the streams read from the backlog.
    pub(crate) const INBOX_MESSAGES: usize = 4096;
    pub(crate) const INBOX_BYTES: usize = 4 << 20;
    /// Events that may wait for a user's next pass, and their bytes. Beyond it all of them are missed.
    pub(crate) const INBOX_EVENTS: usize = 1024;
    pub(crate) const INBOX_EVENT_BYTES: usize = 256 << 10;
    /// What one read from the backlog brings at most, in messages, and about, in bytes.
    pub(crate) const CHUNK_MESSAGES: usize = 128;
    pub(crate) const CHUNK_BYTES: usize = 256 << 10;
    /// Pieces of the backlog that streams of one user share while they catch up.
    pub(crate) const CHUNKS: usize = 8;
    /// Reads from the backlog that run at once.
    pub(crate) const LOADS: usize = 8;

    /// Answers whether the number of shards is one that the hub takes.
    pub fn shard_count_is_valid(count: usize) -> bool {
        count.is_power_of_two() && count <= 4096
    }
}

with_methods!(HubConfig {
    with_shard_count(shard_count: usize),
    with_ring_messages(ring_messages: usize),
    with_ring_bytes_per_stream(ring_bytes_per_stream: usize),
    with_max_lag(max_lag: usize),
    with_stall_timeout(stall_timeout: Duration),
    with_ping_period(ping_period: Duration),
    with_pong_timeout(pong_timeout: Duration),
    with_close_timeout(close_timeout: Duration),
    with_backlog_bytes(backlog_bytes: usize),
    with_backlog_timeout(backlog_timeout: Duration),
    with_hears_all(hears_all: bool),
    with_lanes(lanes: NonZeroUsize),
});

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            shard_count: 256,
            ring_messages: 10,
            ring_bytes_per_stream: 8192,
            max_lag: 10_000,
            stall_timeout: Duration::from_secs(10),
            ping_period: Duration::from_secs(45),
            pong_timeout: Duration::from_mins(1),
            close_timeout: Duration::from_secs(2),
            backlog_bytes: 32 << 20,
            backlog_timeout: Duration::from_mins(1),
            hears_all: false,
            lanes: None,
        }
    }
}
