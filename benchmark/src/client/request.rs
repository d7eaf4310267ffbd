//! A request: where it goes, and what becomes of it.

use std::{net::SocketAddr, sync::Arc};

use crate::client::{Nanos, http::HttpError, transport::Tls};

/// Where requests go, and how.
#[expect(clippy::struct_excessive_bools, reason = "they have nothing in common")]
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    /// None for plain HTTP.
    pub(crate) tls: Option<Tls>,
    /// Whether a connection serves more than one request.
    pub(crate) keep_alive: bool,
    /// Whether a request may be sent once more if the server left the connection before it had answered (RFC 9110,
    /// section 9.2.2).
    pub(crate) is_safe: bool,
    /// Whether answers have no body, as those to `HEAD`.
    pub(crate) to_head: bool,
    /// Whether the id in the answer is wanted.
    pub(crate) wants_id: bool,
}

impl Endpoint {
    /// Returns a server that messages are published to.
    pub(crate) fn publish(address: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            address,
            tls: None,
            keep_alive: true,
            is_safe: false,
            to_head: false,
            wants_id: true,
        })
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("connect: {0}")]
    Connect(String),
    #[error("time-out")]
    TimeOut,
    #[error("the server closed the connection")]
    Closed,
    #[error("the answer ended too early")]
    Cut,
    #[error("connection: {0}")]
    Broken(String),
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) sequence: u32,
    /// The status of the answer.
    pub(crate) outcome: Result<u16, Failure>,
    /// The id the server gave a message.
    pub(crate) id: Option<u64>,
    pub(crate) due: Nanos,
    pub(crate) sent: Nanos,
    pub(crate) at: Nanos,
}
