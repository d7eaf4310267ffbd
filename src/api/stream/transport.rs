//! What a stream's bytes travel on, taken back from the HTTP server.

use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
#[cfg(feature = "tls")]
use tokio_rustls::server::TlsStream;

use crate::api::PacedIo;
use crate::hub::KernelSocket;
#[cfg(feature = "tls")]
use crate::hub::Socket;

/// Bytes that the kernel holds for a client besides what is on its way: more, and a client that does not read would
/// be noticed later and cost more.
const NOT_SENT_BYTES: u32 = 32 << 10;

/// What a stream is given.
pub(crate) enum Carrier {
    /// A socket that the hub waits for itself.
    Kernel(KernelSocket),
    /// A socket under TLS, which needs a task.
    #[cfg(feature = "tls")]
    Tls(Box<dyn Socket>),
}

/// What a stream is given, and what arrived after the handshake.
pub(super) type Taken = (Carrier, Bytes);

/// A connection that a server serves HTTP on, and that a stream can live on.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Makes it what a stream is given. What is to be written must have been flushed.
    fn into_carrier(self) -> Carrier;
}

impl Transport for TcpStream {
    fn into_carrier(self) -> Carrier {
        Carrier::Kernel(self.bounded().into())
    }
}

impl Transport for UnixStream {
    fn into_carrier(self) -> Carrier {
        Carrier::Kernel(self.bounded().into())
    }
}

/// A socket of the kernel.
pub(super) trait Bounded {
    /// Bounds what the kernel holds for a client.
    fn bounded(self) -> Self;
}

impl Bounded for TcpStream {
    fn bounded(self) -> Self {
        if let Err(error) = SockRef::from(&self).set_tcp_notsent_lowat(NOT_SENT_BYTES) {
            tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
        }
        self
    }
}

/// Nothing is on its way there.
impl Bounded for UnixStream {
    fn bounded(self) -> Self {
        if let Err(error) = SockRef::from(&self).set_send_buffer_size(NOT_SENT_BYTES as usize) {
            tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
        }
        self
    }
}

/// Takes a connection of one kind, or gives back what is of another.
type Kind = fn(Upgraded) -> Result<Taken, Upgraded>;

/// The kinds of connection that there are, the usual one first.
const KINDS: &[Kind] = &[
    of_kind::<TcpStream>,
    #[cfg(feature = "tls")]
    of_kind::<TlsStream<TcpStream>>,
    of_kind::<UnixStream>,
    #[cfg(feature = "tls")]
    of_kind::<TlsStream<UnixStream>>,
];

/// Takes the connection back. None if it is of no kind that is known.
pub(super) fn take(upgraded: Upgraded) -> Option<Taken> {
    let mut left = Some(upgraded);
    for kind in KINDS {
        match kind(left.take()?) {
            Ok(taken) => return Some(taken),
            Err(upgraded) => left = Some(upgraded),
        }
    }
    None
}

fn of_kind<S: Transport>(upgraded: Upgraded) -> Result<Taken, Upgraded> {
    io::<S>(upgraded).map(|(io, early)| (io.into_carrier(), early))
}

/// Takes what the connection is served on, if it is of this type: from this crate's server, from `axum::serve`, or from
/// hyper alone.
fn io<S: Transport>(upgraded: Upgraded) -> Result<(S, Bytes), Upgraded> {
    let upgraded = match upgraded.downcast::<TokioIo<PacedIo<S>>>() {
        Ok(Parts { io, read_buf, .. }) => return Ok((io.into_inner().into_inner(), read_buf)),
        Err(upgraded) => upgraded,
    };
    let upgraded = match auto::upgrade::downcast::<TokioIo<S>>(upgraded) {
        Ok(parts) => return Ok((parts.io.into_inner(), parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    let Parts { io, read_buf, .. } = upgraded.downcast::<TokioIo<S>>()?;
    Ok((io.into_inner(), read_buf))
}
