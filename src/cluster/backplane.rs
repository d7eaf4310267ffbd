//! What a backplane must be able to do.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Channel, Inbox};

/// A way between nodes. What is published on a channel reaches all who listen to it, the sender included, most of the
/// time: it may be lost, come twice, or late.
///
/// An implementation makes connections and does nothing else. When one is lost, it says so by [`Inbox::lost`] or by an
/// error, and is asked for a new one; it never connects again by itself. Every call may be dropped half-way, after which
/// the connection is dropped too.
#[async_trait]
pub trait Backplane: fmt::Debug + Send + Sync + 'static {
    /// Returns the kind of the backplane, in lower case, as in `redis`.
    fn kind(&self) -> &'static str {
        "other"
    }

    /// How many bytes a message may have that it carries well.
    fn max_message_bytes(&self) -> usize;

    /// Connects, with no channel yet. What is heard goes to `inbox`, for as long as the link lives.
    async fn connect(&self, inbox: Inbox) -> Result<Box<dyn BackplaneLink>, BackplaneError>;
}

/// A connection to a backplane. It ends when it is dropped.
#[async_trait]
pub trait BackplaneLink: fmt::Debug + Send {
    /// Sends messages, each to the listeners of its channel, in this order.
    async fn publish(&mut self, messages: &[Outgoing]) -> Result<(), BackplaneError>;

    /// Listens to channels. Once it returns, everything that is published on them from then on is heard.
    async fn subscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError>;

    /// Listens to channels no more.
    async fn unsubscribe(&mut self, channels: &[Channel]) -> Result<(), BackplaneError>;
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// On which channel.
    pub channel: Channel,
    /// The message.
    pub payload: Bytes,
}

/// Why a backplane could not do something. Passwords and tokens are not in its text.
#[derive(Debug, thiserror::Error)]
#[error("failed to {operation}")]
pub struct BackplaneError {
    /// What it could not do, as in `connect to Redis`.
    pub operation: &'static str,
    /// Why not.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

impl BackplaneError {
    /// Says what could not be done, and why.
    pub fn new(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { operation, source: source.into() }
    }
}
