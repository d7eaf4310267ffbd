//! The boundary as a middleware around routes.
//!
//! Written by hand, because every request passes it: axum's middleware functions would box their future and clone what
//! they wrap each time.

use std::any::Any;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{CatchUnwind, Either};
use tokio::time::Instant;
use tower::{Layer, Service};

use super::ApiMiddleware;
use crate::api::cookie::Session;
use crate::api::cors::Verdict;
use crate::api::json::EmptyResponse;
use crate::api::{ApiError, RouteClass};

/// Puts routes behind the boundary.
#[derive(Clone)]
pub(in crate::api) struct ApiMiddlewareLayer {
    middleware: Arc<ApiMiddleware>,
    is_open: bool,
}

impl ApiMiddlewareLayer {
    /// For routes that are open to every page.
    pub(in crate::api) fn open(middleware: Arc<ApiMiddleware>) -> Self {
        Self { middleware, is_open: true }
    }

    /// For the API proper. A page that may not use it learns nothing, not even whether its token is right.
    pub(in crate::api) fn guarded(middleware: Arc<ApiMiddleware>) -> Self {
        Self { middleware, is_open: false }
    }
}

impl<S> Layer<S> for ApiMiddlewareLayer {
    type Service = MiddlewareService<S>;

    fn layer(&self, inner: S) -> MiddlewareService<S> {
        MiddlewareService { inner, layer: self.clone() }
    }
}

/// A service behind the boundary.
#[derive(Clone)]
pub(in crate::api) struct MiddlewareService<S> {
    inner: S,
    layer: ApiMiddlewareLayer,
}

impl<S> Service<Request> for MiddlewareService<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Unpin>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = MiddlewareFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let ApiMiddlewareLayer { middleware, is_open } = &self.layer;
        let (route, began_at) = (RouteClass::of(request.uri().path()), Instant::now());
        let verdict = if *is_open { None } else { Some(middleware.rules.cors.judge(&request)) };
        let session = if *is_open { None } else { Session::of(&mut request) };
        let answer = match verdict {
            Some(Verdict::Refused) => early((StatusCode::FORBIDDEN, EmptyResponse)),
            Some(Verdict::Preflight(_)) => early((StatusCode::NO_CONTENT, EmptyResponse)),
            _ => Either::Right(AssertUnwindSafe(self.inner.call(request)).catch_unwind()),
        };
        MiddlewareFuture { answer, middleware: Arc::clone(middleware), route, began_at, verdict, session }
    }
}

/// What comes of a request: an answer, or what its handler panicked with.
type Outcome = Result<Result<Response, Infallible>, Box<dyn Any + Send>>;

/// An answer that is there at once, or one that a handler works on.
type Answer<F> = Either<Ready<Outcome>, CatchUnwind<AssertUnwindSafe<F>>>;

fn early<F>(response: impl IntoResponse) -> Answer<F> {
    Either::Left(ready(Ok(Ok(response.into_response()))))
}

/// A request on its way. A panic costs that request only.
pub(in crate::api) struct MiddlewareFuture<F> {
    answer: Answer<F>,
    middleware: Arc<ApiMiddleware>,
    route: RouteClass,
    began_at: Instant,
    /// Nothing for open routes.
    verdict: Option<Verdict>,
    session: Option<Session>,
}

impl<F> Future for MiddlewareFuture<F>
where
    F: Future<Output = Result<Response, Infallible>> + Unpin,
{
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Ok(mut response) = ready!(this.answer.poll_unpin(cx)).unwrap_or_else(|_| {
            // The panic hook has said where and why.
            tracing::error!("a request handler panicked");
            Ok(ApiError::Internal.into_response())
        });
        if let Some(session) = this.session.take() {
            session.keep_alive(&mut response, &this.middleware.settings);
        }
        if let Some(verdict) = this.verdict.take() {
            this.middleware.rules.add_headers(verdict, &mut response);
        }
        this.middleware.observer.on_response(this.route, response.status(), this.began_at.elapsed());
        Poll::Ready(Ok(response))
    }
}
