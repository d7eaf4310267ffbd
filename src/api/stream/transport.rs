//! What a stream's bytes travel on, taken back from the HTTP server.

use bytes::Bytes;
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::{rt::TokioIo, server::conn::auto};
use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};

/// Bytes that the kernel holds for a client besides what is on its way: more, and a client that does not read would
/// be noticed later and cost more.
const NOT_SENT_BYTES: u32 = 32 << 10;

/// The connection of a stream.
pub(super) enum Transport {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Takes the connection with what arrived after the handshake, from this crate's server or from `axum::serve`, which
/// wraps its sockets once more. None if it is of another kind.
pub(super) fn take(upgraded: Upgraded) -> Option<(Transport, Bytes)> {
    let upgraded = match socket::<TcpStream>(upgraded) {
        Ok((socket, early)) => {
            if let Err(error) = SockRef::from(&socket).set_tcp_notsent_lowat(NOT_SENT_BYTES) {
                tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
            }
            return Some((Transport::Tcp(socket), early));
        }
        Err(upgraded) => upgraded,
    };
    let (socket, early) = socket::<UnixStream>(upgraded).ok()?;
    // The counterpart of the bound above: there is nothing on its way here, only what is not read yet.
    if let Err(error) = SockRef::from(&socket).set_send_buffer_size(NOT_SENT_BYTES as usize) {
        tracing::debug!(%error, "failed to bound what the kernel holds for a stream");
    }
    Some((Transport::Unix(socket), early))
}

/// Takes the socket if it is of this kind.
fn socket<S: 'static>(upgraded: Upgraded) -> Result<(S, Bytes), Upgraded>
where
    TokioIo<S>: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    match upgraded.downcast::<TokioIo<S>>() {
        Ok(Parts { io, read_buf, .. }) => Ok((io.into_inner(), read_buf)),
        Err(upgraded) => {
            let parts = auto::upgrade::downcast::<TokioIo<S>>(upgraded)?;
            Ok((parts.io.into_inner(), parts.read_buf))
        }
    }
}
