//! What every request passes on its way in and out.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::time::{Duration, Instant};

use super::{ApiError, RequestObserver, RouteClass};

/// Serves a request; a panic costs that request only. Each gets a line in the log at `debug`, and is told to the
/// observer.
pub(super) async fn guard(
    State(observer): State<Arc<dyn RequestObserver>>,
    request: Request,
    next: Next,
) -> Response {
    let began_at = Instant::now();
    let route = RouteClass::of(request.uri().path());
    let line = tracing::enabled!(tracing::Level::DEBUG).then(|| AccessLine::begin(&request));
    let served = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = served.unwrap_or_else(|_| {
        // The panic hook has said where and why.
        tracing::error!("a request handler panicked");
        ApiError::Internal.into_response()
    });
    let took = began_at.elapsed();
    observer.on_response(route, response.status(), took);
    if let Some(line) = line {
        line.end(response.status(), took);
    }
    response
}

struct AccessLine {
    method: String,
    target: String,
}

impl AccessLine {
    fn begin(request: &Request) -> Self {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        Self { method: request.method().to_string(), target: masked(target) }
    }

    fn end(&self, status: StatusCode, took: Duration) {
        let (method, target) = (&self.method, &self.target);
        tracing::debug!(status = status.as_u16(), took_us = took.as_micros(), "{method} {target}");
    }
}

/// Replaces the value of every `token` in a query, however it is written.
fn masked(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let pairs: Vec<&str> =
        query.split('&').map(|pair| if names_a_token(pair) { "token=[masked]" } else { pair }).collect();
    format!("{path}?{}", pairs.join("&"))
}

fn names_a_token(pair: &str) -> bool {
    // `%74oken=` names one too; when in doubt, hide it.
    let name = pair.split('=').next().unwrap_or_default();
    name.to_ascii_lowercase().contains("token") || name.contains('%')
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn tokens_are_masked_in_the_log() {
        assert_eq!(masked("/stream?since=1&token=Cabc"), "/stream?since=1&token=[masked]");
        assert_eq!(masked("/stream?%74oken=Cabc"), "/stream?token=[masked]");
        assert_eq!(masked("/stream?token=Cabc&token=Cdef"), "/stream?token=[masked]&token=[masked]");
        assert_eq!(masked("/message?limit=1"), "/message?limit=1");
        assert_eq!(masked("/message"), "/message");
    }

    #[tokio::test]
    async fn a_panic_costs_one_request() {
        async fn broken() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/broken", get(broken))
            .route("/fine", get(|| async {}))
            .layer(from_fn_with_state(Arc::new(()) as Arc<dyn RequestObserver>, guard));

        let request = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request("/broken")).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(
            body,
            r#"{"error":"Internal Server Error","errorCode":500,"errorDescription":"an internal error occurred"}"#
        );
        assert_eq!(router.oneshot(request("/fine")).await.unwrap().status(), 200);
    }
}
