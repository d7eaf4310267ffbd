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
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use hyper::StatusCode;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Semaphore;

    use crate::server::{Drained, Server, ServerConfig};

    use super::*;

    /// Only a failing test waits for it.
    const PATIENCE: Duration = Duration::from_secs(20);

    const HANDSHAKE: &[u8] =
        b"GET /stream HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

    async fn start(router: Router, change: impl FnOnce(&mut ServerConfig)) -> Server {
        let mut config = ServerConfig {
            listen_address: "127.0.0.1".to_owned(),
            stream_path: Some("/stream".to_owned()),
            ..ServerConfig::default()
        };
        change(&mut config);
        Server::bind(config, router, ()).await.unwrap()
    }

    async fn send(server: &Server, bytes: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(server.local_addr()).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        socket
    }

    async fn read_to_end(mut socket: TcpStream) -> String {
        let mut bytes = Vec::new();
        let _ = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("a close in time");
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn the_task_of_a_connection_stays_small() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let http = Arc::new(Http::new(&ServerConfig::default(), Router::new()));
        let size = size_of_val(&http.serve(stream, address, Connections::new()));
        assert!(size <= 400, "{size} bytes");
    }

    #[tokio::test]
    async fn a_handshake_that_stops_coming_is_answered_408_and_silence_is_not() {
        let server = start(Router::new(), |config| config.header_timeout = Duration::from_millis(50)).await;
        let silent = send(&server, b"").await;
        let slow = send(&server, &HANDSHAKE[..HANDSHAKE.len() - 1]).await;
        assert_eq!(read_to_end(silent).await, "");
        assert!(read_to_end(slow).await.starts_with("HTTP/1.1 408 "));
    }

    #[tokio::test]
    async fn an_answer_that_is_under_way_when_the_server_ends_still_comes_and_says_so() {
        let (started, finish) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let handler = {
            let (started, finish) = (Arc::clone(&started), Arc::clone(&finish));
            move || async move {
                started.add_permits(1);
                finish.acquire().await.unwrap().forget();
                (StatusCode::SERVICE_UNAVAILABLE, "later")
            }
        };
        let mut server = start(Router::new().route("/stream", get(handler)), |_| {}).await;
        let socket = send(&server, HANDSHAKE).await;
        started.acquire().await.unwrap().forget();
        server.shutdown();
        // The listener is gone once the drain has begun; only then may the request end.
        let refused = async { while TcpStream::connect(server.local_addr()).await.is_ok() {} };
        timeout(PATIENCE, refused).await.expect("no further connections");
        finish.add_permits(1);
        let answer = read_to_end(socket).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.ends_with("later"), "{answer}");
        let ended = timeout(PATIENCE, server.join()).await.expect("the server ends in time");
        assert_eq!(ended, Drained { unfinished: 0 });
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_end_in_time_is_cut_off() {
        let started = Arc::new(Semaphore::new(0));
        let handler = {
            let started = Arc::clone(&started);
            move || {
                started.add_permits(1);
                std::future::pending::<()>()
            }
        };
        let router = Router::new().route("/stream", get(handler));
        let short = |config: &mut ServerConfig| config.shutdown_grace = Duration::from_millis(50);
        let mut server = start(router, short).await;
        let socket = send(&server, HANDSHAKE).await;
        started.acquire().await.unwrap().forget();
        server.shutdown();
        let ended = timeout(PATIENCE, server.join()).await.expect("the server ends in time");
        assert_eq!(ended, Drained { unfinished: 1 });
        assert_eq!(read_to_end(socket).await, "");
    }

    #[tokio::test]
    async fn a_handler_that_promises_a_stream_without_one_ends_the_connection() {
        let promise = || async { StatusCode::SWITCHING_PROTOCOLS };
        let server = start(Router::new().route("/stream", get(promise)), |_| {}).await;
        let answer = read_to_end(send(&server, HANDSHAKE).await).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    }
}
