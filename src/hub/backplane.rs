//! The way to other nodes.

use super::{Frame, UserId};

/// Carries what is published here to the other nodes.
///
/// [`Hub::notify`](super::Hub::notify) calls it after the streams of this node were seen to, once for each call, in
/// the order of the calls for one user. What arrives from other nodes goes to
/// [`Hub::notify_local`](super::Hub::notify_local), which does not forward it again.
/// Delivery is at most once: a node that missed something reads it from the backlog.
pub trait Backplane: Send + Sync + 'static {
    /// Takes frames for the other nodes. Must not block; what can't be sent is dropped and counted there.
    fn forward(&self, user: UserId, frames: &[Frame]);
}

/// A node alone.
impl Backplane for () {
    fn forward(&self, _: UserId, _: &[Frame]) {}
}
