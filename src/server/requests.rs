//! The requests of one connection, on their way to the router and back.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::future::RouteFuture;
use futures_util::future::Either;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, EXPECT, HeaderValue};
use hyper::{Request, Response};
use parking_lot::Mutex;
use tower::Service as _;

use super::access_log::Line;
use super::body::{BodyDiscard, RequestBody, UnreadBody};
use super::connection::Http;
use crate::api::{ClientAddress, ConnectionKind, StopsOnPurpose};

/// What a connection's requests leave behind for the task that serves it.
pub(super) struct Progress {
    /// The header of a request has come.
    pub(super) has_begun: AtomicBool,
    /// A body was too large to be read for nothing: the client may still be sending it.
    pub(super) has_unread_body: AtomicBool,
    /// The answer that is being sent is a stream of events, which has no end of its own.
    pub(super) is_event_stream: AtomicBool,
    /// The answer to the first request, if the router has given it already.
    first_answer: Mutex<Option<Box<Response<Body>>>>,
}

impl Progress {
    pub(super) fn new(first_answer: Option<Box<Response<Body>>>) -> Self {
        Self {
            has_begun: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            is_event_stream: AtomicBool::new(false),
            first_answer: Mutex::new(first_answer),
        }
    }

    /// Notes a request. Returns its answer, if that is there already.
    fn begin(&self) -> Option<Box<Response<Body>>> {
        if self.has_begun.load(Ordering::Relaxed) {
            return None;
        }
        self.has_begun.store(true, Ordering::Relaxed);
        self.first_answer.lock().take()
    }
}

impl Http {
    /// Gives a request to the router.
    pub(super) fn route(&self, mut request: Request<Body>, peer: SocketAddr) -> RoutedRequest {
        let is_from_trusted_proxy = self.proxies.trust(peer.ip());
        let client = self.proxies.client(peer.ip(), request.headers());
        let line = self.access_log.begin(&request, client);
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(peer));
        extensions.insert(ClientAddress(client));
        if self.secure || is_from_trusted_proxy {
            extensions.insert(ConnectionKind::new(self.secure, is_from_trusted_proxy));
        }
        RoutedRequest { route: self.router.clone().call(request), line }
    }
}

/// A request that the router works on.
pub(super) struct RoutedRequest {
    route: RouteFuture<Infallible>,
    line: Option<Line>,
}

impl Future for RoutedRequest {
    type Output = Response<Body>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        let Ok(response) = ready!(Pin::new(&mut self.route).poll(cx));
        if let Some(line) = self.line.take() {
            let stops = response.extensions().get::<StopsOnPurpose>().is_some();
            line.end(response.status(), stops);
        }
        Poll::Ready(response)
    }
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
        let progress = Arc::clone(&self.progress);
        if let Some(answer) = self.progress.begin() {
            let routed = Either::Right(ready(*answer));
            return HandledRequest { routed, progress, body: None, answered: None };
        }
        let http = &self.http;
        let mut body = None;
        let waits_for_continue = request.headers().contains_key(EXPECT);
        let request = request.map(|incoming| {
            // Nothing is allocated for the many requests without a body.
            if incoming.is_end_stream() {
                return Body::empty();
            }
            self.unread.open();
            body = Some(BodyContext { unread: self.unread.clone(), patience: http.pace.pause });
            let unread = self.unread.clone();
            Body::new(RequestBody::new(incoming, http.max_body_bytes, http.pace, waits_for_continue, unread))
        });
        let routed = Either::Left(http.route(request, self.peer));
        HandledRequest { routed, progress, body, answered: None }
    }
}

/// A request that the router works on, and then, if it has a body, the rest of that.
pub(super) struct HandledRequest {
    routed: Either<RoutedRequest, Ready<Response<Body>>>,
    progress: Arc<Progress>,
    body: Option<BodyContext>,
    /// The answer, which waits until the body is out of the way.
    answered: Option<Box<(BodyDiscard, Response<Body>)>>,
}

struct BodyContext {
    unread: UnreadBody,
    patience: Duration,
}

impl Future for HandledRequest {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.answered.is_none() {
            let response = ready!(Pin::new(&mut this.routed).poll(cx));
            this.progress.is_event_stream.store(is_event_stream(&response), Ordering::Relaxed);
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
            this.progress.has_unread_body.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(response))
    }
}

fn is_event_stream(response: &Response<Body>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
