//! The requests of one connection, on their way to the router and back.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::future::RouteFuture;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, EXPECT, HeaderValue};
use hyper::{Request, Response};
use tower::Service as _;

use super::access_log::Line;
use super::body::{BodyDiscard, RequestBody, UnreadBody};
use super::connection::Http;
use crate::api::{ClientAddress, ConnectionKind};

/// What a connection's requests leave behind for the task that serves it.
#[derive(Default)]
pub(super) struct Progress {
    /// The header of a request has come.
    pub(super) has_begun: AtomicBool,
    /// A body was too large to be read for nothing: the client may still be sending it.
    pub(super) has_unread_body: AtomicBool,
}

/// Hands requests to the router.
pub(super) struct Requests {
    pub(super) http: Arc<Http>,
    pub(super) peer: SocketAddr,
    pub(super) progress: Arc<Progress>,
    pub(super) unread: UnreadBody,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = HandledRequest;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.progress.has_begun.store(true, Ordering::Relaxed);
        let http = &self.http;
        let mut body = None;
        let waits_for_continue = request.headers().contains_key(EXPECT);
        let mut request = request.map(|incoming| {
            // Nothing is allocated for the many requests without a body.
            if incoming.is_end_stream() {
                return Body::empty();
            }
            self.unread.open();
            body = Some(BodyContext {
                unread: self.unread.clone(),
                progress: Arc::clone(&self.progress),
                patience: http.pace.pause,
            });
            let unread = self.unread.clone();
            Body::new(RequestBody::new(incoming, http.max_body_bytes, http.pace, waits_for_continue, unread))
        });
        let is_from_trusted_proxy = http.proxies.trust(self.peer.ip());
        let client = http.proxies.client(self.peer.ip(), request.headers());
        let line = http.access_log.begin(&request, client);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        extensions.insert(ClientAddress(client));
        if http.secure || is_from_trusted_proxy {
            extensions.insert(ConnectionKind::new(http.secure, is_from_trusted_proxy));
        }
        HandledRequest { route: http.router.clone().call(request), line, body, answered: None }
    }
}

/// A request that the router works on, and then, if it has a body, the rest of that.
pub(super) struct HandledRequest {
    route: RouteFuture<Infallible>,
    line: Option<Line>,
    body: Option<BodyContext>,
    /// The answer, which waits until the body is out of the way.
    answered: Option<Box<(BodyDiscard, Response<Body>)>>,
}

struct BodyContext {
    unread: UnreadBody,
    progress: Arc<Progress>,
    patience: Duration,
}

impl Future for HandledRequest {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.answered.is_none() {
            let Ok(response) = ready!(Pin::new(&mut this.route).poll(cx));
            if let Some(line) = this.line.take() {
                line.end(response.status());
            }
            // The handler is gone, and has left what it did not read.
            let Some(rest) = this.body.as_ref().and_then(|body| body.unread.take(body.patience)) else {
                return Poll::Ready(Ok(response));
            };
            this.answered = Some(Box::new((rest, response)));
        }
        let Some(answered) = &mut this.answered else { return Poll::Pending };
        let has_ended = ready!(Pin::new(&mut answered.0).poll(cx));
        let mut response = std::mem::take(&mut answered.1);
        if !has_ended {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            if let Some(body) = &this.body {
                body.progress.has_unread_body.store(true, Ordering::Relaxed);
            }
        }
        Poll::Ready(Ok(response))
    }
}
