//! Serving one connection.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::future::RouteFuture;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};
use tower::Service as _;

use super::ServerConfig;
use super::access_log::{AccessLog, Line};
use super::body::RequestBody;
use super::connections::{Connections, Phase};
use super::forwarded::TrustedProxies;
use super::tls::Tls;
use crate::api::ClientAddress;

/// The most bytes of a request's header, and of what is read at a time.
const BUFFER_BYTES: usize = 16 * 1024;

/// What all connections share.
pub(super) struct Http {
    protocol: http1::Builder,
    router: Router,
    max_body_bytes: usize,
    header_timeout: Duration,
    proxies: TrustedProxies,
    access_log: AccessLog,
    /// Whether connections are encrypted.
    secure: bool,
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
    {
        let handshake = timeout(self.header_timeout, tls.handshake(stream));
        if let Some(Ok(Some(stream))) = unless_ending(&connections, handshake).await {
            self.serve(stream, peer, connections).await;
        }
    }

    /// Serves a connection until it ends, is upgraded, or is told to end.
    ///
    /// Must be a task's own future: see [`Connections::enter`].
    pub(super) async fn serve<S>(self: Arc<Self>, stream: S, peer: SocketAddr, connections: Connections)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let asked = Arc::new(AtomicBool::new(false));
        let requests = Requests { http: Arc::clone(&self), peer, asked: Arc::clone(&asked) };
        let connection = self.protocol.serve_connection(TokioIo::new(stream), requests).with_upgrades();
        let mut connection = pin!(connection);
        let mut first_header = pin!(sleep(self.header_timeout));
        let mut entry = None;
        let mut told = false;
        poll_fn(|cx| {
            let entry = entry.get_or_insert_with(|| connections.enter(cx.waker()));
            match entry.phase() {
                Phase::Running => {}
                Phase::Draining if told => {}
                Phase::Draining => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
                Phase::Ended => return Poll::Ready(()),
            }
            // What goes wrong here is the client's doing: a broken request, a time-out, a reset.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if asked.load(Ordering::Relaxed) { Poll::Pending } else { first_header.as_mut().poll(cx) }
        })
        .await;
    }
}

/// Waits for a future as long as connections are served.
async fn unless_ending<F: Future>(connections: &Connections, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut entry = None;
    poll_fn(|cx| {
        let entry = entry.get_or_insert_with(|| connections.enter(cx.waker()));
        if entry.phase() == Phase::Running { future.as_mut().poll(cx).map(Some) } else { Poll::Ready(None) }
    })
    .await
}

/// Hands requests to the router.
struct Requests {
    http: Arc<Http>,
    peer: SocketAddr,
    /// A request has come.
    asked: Arc<AtomicBool>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Served;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.asked.store(true, Ordering::Relaxed);
        let mut request = request.map(|body| {
            // Nothing is allocated for the many requests without a body.
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(RequestBody::new(body, self.http.max_body_bytes, self.http.header_timeout))
            }
        });
        if self.http.secure {
            // What a proxy that ends TLS would say: handlers look at one place. A proxy's own word goes first.
            let proto = HeaderName::from_static("x-forwarded-proto");
            request.headers_mut().entry(proto).or_insert(HeaderValue::from_static("https"));
        }
        let client = self.http.proxies.client(self.peer.ip(), request.headers());
        let line = self.http.access_log.begin(&request, client);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(ClientAddress(client));
        Served { route: self.http.router.clone().call(request), line }
    }
}

/// A request that the router works on.
struct Served {
    route: RouteFuture<Infallible>,
    line: Option<Line>,
}

impl Future for Served {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Ok(response) = ready!(Pin::new(&mut self.route).poll(cx));
        if let Some(line) = self.line.take() {
            line.end(response.status());
        }
        Poll::Ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 848 bytes now, beside what hyper allocates for a connection; freed when it ends or is upgraded.
    #[tokio::test]
    async fn the_task_of_a_connection_stays_small() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let http = Arc::new(Http::new(&ServerConfig::default(), Router::new()));
        let task = http.serve(stream, address, Connections::new());
        let size = size_of_val(&task);
        assert!(size <= 1024, "{size} bytes");
    }
}
