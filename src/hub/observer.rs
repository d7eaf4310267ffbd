//! What a program may watch.

use std::time::Duration;

use super::{ConnectionId, EndReason, UserId};

/// What one pass over a user's streams did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassReport {
    /// Messages that the pass carried.
    pub messages: usize,
    /// Streams that the pass came by.
    pub streams: usize,
    /// Messages given to sockets, summed over the streams.
    pub delivered: usize,
    /// Streams that were behind when the pass came by, or fell behind in it.
    pub behind: usize,
    /// The user's inbox was full: the pass sent every stream to the backlog.
    pub overflowed: bool,
    /// How long the pass took, from its first write to its last.
    pub took: Duration,
    /// How long before the end of the pass its oldest message had come in, for frames that know
    /// ([`Frame::received_at`](super::Frame::received_at)).
    pub oldest: Option<Duration>,
}

/// Told what happens in the hub. Every method does nothing by default.
///
/// Calls come from the hub's own tasks and threads, or from whoever registers or runs a stream, with no lock held. They must
/// be quick and must not block; one that panics is reported by [`Observer::on_panic`]. An [`Observer::on_end`] follows each
/// [`Observer::on_register`], exactly once.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use shardcast::hub::{ConnectionId, EndReason, Hub, HubConfig, HubParts, Observer, UserId};
///
/// #[derive(Default)]
/// struct Ends(AtomicU64);
///
/// impl Observer for Ends {
///     fn on_end(&self, _: UserId, _: ConnectionId, _: EndReason) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), shardcast::hub::RegisterError> {
/// let ends = Arc::new(Ends::default());
/// let mut parts = HubParts::default();
/// parts.observer = Some(ends.clone());
/// let hub = Hub::with_parts(HubConfig::default(), parts);
/// drop(hub.register(UserId(1), "token", None)?);
/// assert_eq!(ends.0.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A stream was registered.
    fn on_register(&self, user: UserId, connection: ConnectionId) {
        let _ = (user, connection);
    }

    /// A stream ended.
    fn on_end(&self, user: UserId, connection: ConnectionId, reason: EndReason) {
        let _ = (user, connection, reason);
    }

    /// A pass over a user's streams has ended. What streams that were behind fetch later is told by
    /// [`Observer::on_catch_up`].
    fn on_pass(&self, user: UserId, report: PassReport) {
        let _ = (user, report);
    }

    /// A stream that was behind took so many messages.
    fn on_catch_up(&self, user: UserId, messages: usize) {
        let _ = (user, messages);
    }

    /// A stream that was behind needed more than its user's ring holds, and asks the backlog. A stream that came
    /// for old messages does so without being told here.
    fn on_ring_overflow(&self, user: UserId, connection: ConnectionId) {
        let _ = (user, connection);
    }

    /// Something panicked: `part` is `observer` (a method of this trait), `stream` (a socket or a backlog, which cost
    /// one stream), `pass`, `lane` or `sweep`. The hub goes on; this is to be counted and looked into.
    fn on_panic(&self, part: &'static str) {
        let _ = part;
    }

    /// A peer sent a message on its stream, as [`Stream::on_message`](super::Stream::on_message) was told.
    fn on_receive(&self, user: UserId, connection: ConnectionId) {
        let _ = (user, connection);
    }
}

/// Watches nothing.
impl Observer for () {}
