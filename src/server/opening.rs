//! The beginning of a connection: what it sends first, and streams that need no HTTP library.
//!
//! A connection that the HTTP library serves holds 16 KiB of buffers, also while nothing has come. When many streams come
//! back at once, so do their handshakes, and the allocator keeps the memory. So the first bytes of a connection are read
//! onto the stack. If they are a usual WebSocket handshake, the router is asked at once, and a stream that is let in gets
//! the socket. Everything else goes to the HTTP library, with the bytes put back.

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::Response;
use bytes::Bytes;
use hyper::header::{CONNECTION, HeaderValue};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::connection::Http;
use super::connections::{Connections, Entry, Phase};
use super::handshake::{Handshake, Outcome};
use super::head;
use crate::api::stream::{Handover, Transport};

/// The most that is read at first. The HTTP library reads as much, so that it takes what is put back in one piece.
const FIRST_BYTES: usize = 8 * 1024;

/// What the HTTP library needs to know of what was done before it.
pub(super) struct Opening {
    /// What was read.
    pub(super) bytes: Bytes,
    /// The answer to the first request, if the router has given it already.
    pub(super) answer: Option<Box<Response>>,
    /// When the header of the first request is to be there.
    pub(super) header_deadline: Instant,
}

/// What comes first on a connection.
enum First {
    /// Nothing any more: the client has closed, or the server ends.
    End,
    /// Nothing in time, or the connection was lost.
    Loss,
    /// What only the HTTP library understands.
    Http(Bytes),
    Handshake(Box<Handshake>),
}

impl Http {
    /// Serves a connection until it ends, is upgraded, or is asked to end.
    ///
    /// Must be a task's own future: see [`Connections::enter`]. It is a block, because a function would hold its arguments
    /// twice, and what is needed only by some connections is in boxes: ten thousand may be here at once.
    #[expect(clippy::manual_async_fn, reason = "a function would hold its arguments twice")]
    pub(super) fn serve<S: Transport>(
        self: Arc<Self>,
        mut stream: S,
        peer: SocketAddr,
        connections: Connections,
    ) -> impl Future<Output = ()> + Send {
        async move {
            let entry = connections.enter().await;
            let header_deadline = Instant::now() + self.header_timeout;
            let first = {
                let mut late = pin!(sleep_until(header_deadline));
                poll_fn(|cx| self.poll_first(&mut stream, peer, &entry, late.as_mut(), cx)).await
            };
            let (bytes, answer) = match first {
                First::Loss => return,
                First::End => {
                    let shutdown = timeout(self.header_timeout, stream.shutdown());
                    let _ = Box::pin(entry.unless_cut_off(shutdown)).await;
                    return;
                }
                First::Http(bytes) => (bytes, None),
                First::Handshake(mut handshake) => {
                    match poll_fn(|cx| entry.poll_unless_cut_off(|| handshake.poll(&mut stream, cx))).await {
                        None => return,
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a stream's connection was lost before it began");
                            return;
                        }
                        Some(Ok(Outcome::Accepted)) => return handshake.start(stream),
                        Some(Ok(Outcome::Refused(mut answer))) => {
                            if entry.phase() != Phase::Running {
                                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                            }
                            (handshake.bytes, Some(answer))
                        }
                    }
                }
            };
            let opening = Opening { bytes, answer, header_deadline };
            Box::pin(self.serve_http(stream, opening, peer, entry)).await;
        }
    }

    /// Waits for what comes first.
    fn poll_first<S: Transport>(
        &self,
        stream: &mut S,
        peer: SocketAddr,
        entry: &Entry,
        late: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<First> {
        if entry.phase() != Phase::Running {
            return Poll::Ready(First::End);
        }
        match poll_read(stream, cx) {
            Poll::Ready(Ok(bytes)) if bytes.is_empty() => Poll::Ready(First::End),
            Poll::Ready(Ok(bytes)) => Poll::Ready(self.understand(bytes, peer)),
            Poll::Ready(Err(_)) => Poll::Ready(First::Loss),
            Poll::Pending => late.poll(cx).map(|()| First::Loss),
        }
    }

    /// Gives the router what is a handshake for it.
    fn understand(&self, bytes: Bytes, peer: SocketAddr) -> First {
        let read = self.stream_path.as_deref().and_then(|path| head::handshake(&bytes, path));
        let Some((mut request, length)) = read else { return First::Http(bytes) };
        let handover = Handover::default();
        request.extensions_mut().insert(handover.clone());
        let routed = self.route(request, peer);
        First::Handshake(Box::new(Handshake::new(bytes, length, handover, self.pace, routed)))
    }
}

/// Reads what has come, and keeps as much memory as it takes. Nothing is the end.
fn poll_read<S: AsyncRead + Unpin>(io: &mut S, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
    let mut room = [const { MaybeUninit::uninit() }; FIRST_BYTES];
    let mut buffer = ReadBuf::uninit(&mut room);
    ready!(Pin::new(io).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(Bytes::copy_from_slice(buffer.filled())))
}

#[cfg(test)]
mod tests;
