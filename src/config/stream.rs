//! The stream of messages.

use serde::{Deserialize, Serialize};

/// `server.stream`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StreamSection {
    /// Seconds between pings. A client has 15 seconds more to answer one. Default 45.
    pub pingperiodseconds: u64,
    /// Regular expressions, one of which the host of a foreign web page must match. Default none.
    pub allowedorigins: Vec<String>,
    /// In how many shards streams are kept, a power of two. Default 256. (ours)
    pub shardcount: usize,
    /// The most bytes that one frame from a client may use. Default 8192. (ours)
    pub readbuffersize: usize,
    /// Bytes a stream that wait in memory while a socket is full. Default 8192. (ours)
    pub writebuffersize: usize,
    /// Messages of a user that wait in memory while a socket is full; older ones are read from the database.
    /// Default 10. (ours)
    pub channelbuffersize: usize,
    /// How many messages a stream may be behind before it is closed. Default 10000. (ours)
    pub maxlag: u64,
    /// Seconds without progress after which a stream whose socket is full is closed. Default 10. (ours)
    pub stalltimeoutseconds: u64,
}

impl Default for StreamSection {
    fn default() -> Self {
        Self {
            pingperiodseconds: 45,
            allowedorigins: Vec::new(),
            shardcount: 256,
            readbuffersize: 8192,
            writebuffersize: 8192,
            channelbuffersize: 10,
            maxlag: 10_000,
            stalltimeoutseconds: 10,
        }
    }
}
