//! How the server takes leave of its streams.

use super::declare::section;
use super::shape::{DAY, Shape::Integer};

section! {
    /// What happens after the first signal to stop, before requests are finished.
    pub struct DrainSection at "server.drain." {
        /// Seconds for which `/health/ready` answers 404 and everything is still served, so that a proxy sends new
        /// streams to other nodes. It should be longer than the proxy takes to notice; 0 if there is no proxy that asks.
        waitseconds: u64 = 0, Integer(0..=DAY);
        /// Seconds over which the streams are closed then, evenly, while requests are served. 0 closes one stream per
        /// millisecond, in at most half of server.shutdowngraceseconds.
        windowseconds: u64 = 0, Integer(0..=DAY);
    }
}
