//! What a stream's bytes travel on, taken back from the HTTP server.

use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

#[cfg(feature = "tls")]
use super::tls_socket;
use crate::api::PacedIo;
use crate::hub::KernelSocket;
#[cfg(feature = "tls")]
use crate::hub::Socket;

/// Bytes that the kernel holds for a client besides what is on its way: more, and a client that does not read would
/// be noticed later and cost more.
const NOT_SENT_BYTES: u32 = 32 << 10;

/// What a stream is given.
pub(super) enum Carrier {
    /// A socket that the hub waits for itself.
    Kernel(KernelSocket),
    /// A socket under TLS, which needs a task.
    #[cfg(feature = "tls")]
    Tls(Box<dyn Socket>),
}

/// A socket, and what arrived after the handshake.
pub(super) type Taken = (Carrier, Bytes);

/// Takes a connection of one kind, or gives back what is of another.
type Kind = fn(Upgraded) -> Result<Taken, Upgraded>;

/// The kinds of connection that there are, the usual one first.
const KINDS: &[Kind] = &[
    tcp,
    #[cfg(feature = "tls")]
    tls_socket::tcp,
    unix,
    #[cfg(feature = "tls")]
    tls_socket::unix,
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

fn tcp(upgraded: Upgraded) -> Result<Taken, Upgraded> {
    let (socket, early) = io::<TcpStream>(upgraded)?;
    bound_tcp(&socket);
    Ok((Carrier::Kernel(socket.into()), early))
}

fn unix(upgraded: Upgraded) -> Result<Taken, Upgraded> {
    let (socket, early) = io::<UnixStream>(upgraded)?;
    bound_unix(&socket);
    Ok((Carrier::Kernel(socket.into()), early))
}

/// Takes what the connection is served on, if it is of this type: from this crate's server, from `axum::serve`, or from
/// hyper alone.
pub(super) fn io<S>(upgraded: Upgraded) -> Result<(S, Bytes), Upgraded>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
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

/// Bounds what the kernel holds for a client.
pub(super) fn bound_tcp(socket: &TcpStream) {
    if let Err(error) = SockRef::from(socket).set_tcp_notsent_lowat(NOT_SENT_BYTES) {
        tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
    }
}

/// The same for a Unix socket, where nothing is on its way.
pub(super) fn bound_unix(socket: &UnixStream) {
    if let Err(error) = SockRef::from(socket).set_send_buffer_size(NOT_SENT_BYTES as usize) {
        tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
    }
}
