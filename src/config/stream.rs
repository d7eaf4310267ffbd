//! The stream of messages.

use super::declare::section;
use super::shape::{
    DAY,
    Shape::{Integer, Patterns, PowerOfTwo},
};

section! {
    /// Streams of messages (`GET /stream`).
    pub struct StreamSection at "server.stream." {
        /// Seconds between two pings. A client has 15 seconds more to answer a ping.
        pingperiodseconds: u64 = 45, Integer(1..=DAY);
        /// Regular expressions. A web page of another host may open a stream if its host matches one of them, or if
        /// its origin matches one of server.cors.alloworigins.
        allowedorigins: Vec<String> = [], Patterns;
        /// How many shards hold the streams.
        shardcount: usize = 256, PowerOfTwo(1..=4096);
        /// Bytes that are read from a client's socket at a time.
        readbuffersize: usize = 8192, Integer(64..=16_777_216);
        /// Bytes of messages per stream that wait in memory while its socket is full.
        writebuffersize: usize = 8192, Integer(0..=16_777_216);
        /// Messages per user that wait in memory while a socket is full. Older ones are read from the database.
        channelbuffersize: usize = 10, Integer(1..=65_536);
        /// How many messages a stream may be behind before it is closed.
        maxlag: u64 = 10_000, Integer(1..=1_000_000_000);
        /// A stream whose socket stays full is closed after this many seconds.
        stalltimeoutseconds: u64 = 10, Integer(1..=DAY);
        /// Whether a client that does not know `since`, as those made for Gotify, gets again what it has not acknowledged
        /// when it comes back. `PUT /client/{id}` sets it for one client.
        replay: bool = false;
    }
}
