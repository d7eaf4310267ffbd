//! Serving one connection.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::ServerConfig;
use super::access_log::AccessLog;
use super::body::UnreadBody;
use super::connections::{Connections, Entry, Phase};
use super::forwarded::TrustedProxies;
use super::opening::Opening;
use super::refuse;
use super::requests::{Progress, Requests};
use super::tls::{Encrypted, Tls};
use crate::api::stream::Transport;
use crate::api::{Hints, PaceLimits, PacedIo};

/// The most bytes of a request's header, and of what is read at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// How long a client that has begun its first request has for the rest of the header, once the server is to end.
const HEADER_IN_DRAIN: Duration = Duration::from_secs(1);

/// How long the client of an event stream may take nothing, once the server is to end: as long as the hub waits for it
/// to take the end of the stream.
const STREAM_PAUSE_IN_DRAIN: Duration = Duration::from_secs(2);

/// What all connections share.
pub(super) struct Http {
    protocol: http1::Builder,
    pub(super) router: Router,
    pub(super) max_body_bytes: usize,
    pub(super) header_timeout: Duration,
    /// Where handshakes are taken without the HTTP library.
    pub(super) stream_path: Option<String>,
    /// How long a client may keep the server waiting for a body, or until it takes an answer.
    pub(super) pace: PaceLimits,
    pub(super) proxies: TrustedProxies,
    pub(super) access_log: AccessLog,
    /// Whether connections are encrypted.
    pub(super) secure: bool,
}

impl Http {
    pub(super) fn new(config: &ServerConfig, router: Router) -> Self {
        let mut protocol = http1::Builder::new();
        // hyper's timer also runs while it waits for the next request of an idle connection, which may take longer
        // than the header of the first: a sender that is cut off between two messages loses the second.
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(config.idle_timeout)
            .max_buf_size(BUFFER_BYTES)
            // Else hyper looks, during every request, whether the client has gone, with a buffer of 8 KiB for it. A
            // handler that has begun goes on: what it does is bounded.
            .half_close(true)
            .writev(false);
        Self {
            protocol,
            // Resolves the routes once, not at every request.
            router: router.with_state(()),
            max_body_bytes: config.max_body_bytes,
            header_timeout: config.header_timeout,
            stream_path: config.stream_path.clone(),
            pace: PaceLimits { pause: config.header_timeout, total: config.transfer_timeout },
            proxies: TrustedProxies::new(&config.trusted_proxies),
            access_log: AccessLog { successes: config.access_log },
            secure: false,
        }
    }

    /// For connections that come in encrypted.
    pub(super) fn secure(self) -> Self {
        Self { secure: true, ..self }
    }

    /// As [`Http::serve`], once the connection is encrypted.
    pub(super) async fn serve_secure<S>(
        self: Arc<Self>,
        tls: Arc<Tls>,
        stream: S,
        peer: SocketAddr,
        connections: Connections,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        Encrypted<S>: Transport,
    {
        let handshake = async {
            let entry = connections.enter().await;
            entry.unless_ending(timeout(self.header_timeout, tls.handshake(stream))).await
        };
        if let Some(Ok(Some(stream))) = handshake.await {
            self.serve(stream, peer, connections).await;
        }
    }

    /// Serves a connection by the HTTP library.
    pub(super) async fn serve_http<S: Transport>(
        self: Arc<Self>,
        stream: S,
        opening: Opening,
        peer: SocketAddr,
        entry: Entry,
    ) {
        let progress = Arc::new(Progress::new(opening.answer));
        let requests = Requests {
            http: Arc::clone(&self),
            peer,
            progress: Arc::clone(&progress),
            unread: UnreadBody::default(),
        };
        let hints = Hints::default();
        let mut io = PacedIo::new(stream, self.pace).with_hints(hints.clone());
        io.put_back(opening.bytes);
        let mut connection = self.protocol.serve_connection(TokioIo::new(io), requests).with_upgrades();
        let mut first_header = pin!(sleep_until(opening.header_deadline));
        let mut is_draining = false;
        let end = poll_fn(|cx| {
            if entry.phase() == Phase::Ended {
                return Poll::Ready(ConnectionEnd::CutOff);
            }
            loop {
                let is_event_stream = progress.is_event_stream.load(Ordering::Relaxed);
                // Who hangs up during a request is still answered. Of such an answer nothing would be seen until a ping
                // can't be sent.
                hints.end_at_hang_up(is_event_stream);
                if is_draining && is_event_stream {
                    hints.limit_pause(STREAM_PAUSE_IN_DRAIN);
                }
                // What goes wrong here is the client's doing: a broken request, a time-out, a reset.
                if let Poll::Ready(outcome) = Pin::new(&mut connection).poll(cx) {
                    let is_late = outcome.is_err_and(|error| error.is_timeout());
                    return Poll::Ready(if is_late {
                        ConnectionEnd::HeaderTimeout
                    } else {
                        ConnectionEnd::Done
                    });
                }
                if progress.is_event_stream.load(Ordering::Relaxed) != is_event_stream {
                    continue;
                }
                // Only then: before its first poll the connection would be closed, and an answer that is there already
                // would be lost.
                if is_draining || entry.phase() == Phase::Running {
                    break;
                }
                is_draining = true;
                let header_by = first_header.deadline().min(Instant::now() + HEADER_IN_DRAIN);
                first_header.as_mut().reset(header_by);
                Pin::new(&mut connection).graceful_shutdown();
            }
            if progress.has_begun.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            first_header.as_mut().poll(cx).map(|()| ConnectionEnd::HeaderTimeout)
        })
        .await;

        let has_unread_body = progress.has_unread_body.load(Ordering::Relaxed);
        if let Some(last) = last_words(connection, end, has_unread_body, self.max_body_bytes) {
            let last = timeout(self.header_timeout, last);
            let _ = Box::pin(entry.unless_ending(last)).await;
        }
    }
}

/// How serving a connection has ended.
#[derive(Clone, Copy)]
enum ConnectionEnd {
    /// By itself: closed, broken or upgraded.
    Done,
    /// The header of a request did not come in time.
    HeaderTimeout,
    /// The server ends.
    CutOff,
}

/// What is left to do with a connection that is not served any more. Boxed, because it is rare.
type LastWords = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// Answers a header that did not come in time, and lets the last answer reach a client that is still sending: closing a
/// socket with unread bytes would reset it, and the client might lose the answer.
fn last_words<S>(
    connection: http1::UpgradeableConnection<TokioIo<PacedIo<S>>, Requests>,
    end: ConnectionEnd,
    has_unread_body: bool,
    max_body_bytes: usize,
) -> Option<LastWords>
where
    S: Transport,
{
    // Nothing is left of a connection that was upgraded.
    let parts = connection.into_parts()?;
    let answer: &[u8] = match end {
        // Only to whom has begun a request: an idle client would take it for the answer to its next one.
        ConnectionEnd::HeaderTimeout if !parts.read_buf.is_empty() => refuse::REQUEST_TIMEOUT,
        ConnectionEnd::Done if has_unread_body => &[],
        ConnectionEnd::Done | ConnectionEnd::HeaderTimeout | ConnectionEnd::CutOff => return None,
    };
    let mut stream = parts.io.into_inner().into_inner();
    Some(Box::pin(async move {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(max_body_bytes as u64), &mut tokio::io::sink()).await?;
        Ok(())
    }))
}
