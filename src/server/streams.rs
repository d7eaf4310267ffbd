//! What becomes of upgraded connections.

use std::future::Future;

use tokio::time::Instant;

/// Owns the sockets that left the server by an upgrade.
///
/// `()` is the implementation for a router that upgrades nothing.
pub trait Streams: Send + Sync + 'static {
    /// Returns how many are open. They count against the cap on connections; asked for on every accept, so it must
    /// be a matter of nanoseconds.
    fn open(&self) -> usize;

    /// Closes them all, spread over a window that ends before the deadline, and takes no more. Called once, on the
    /// accept task, when no connection is accepted any more; dropped after the deadline.
    fn drain(&self, deadline: Instant) -> impl Future<Output = ()> + Send;
}

impl Streams for () {
    fn open(&self) -> usize {
        0
    }

    async fn drain(&self, _deadline: Instant) {}
}
