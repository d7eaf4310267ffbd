//! What every request passes on its way in and out.
//!
//! Some routes are open: health, and what browsers fetch. The rest is the API proper, with its rules for foreign pages
//! and the configured response headers; so is whatever matches no route.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use tokio::time::Instant;

use super::{
    ApiError, RequestObserver, RouteClass,
    cors::{Cors, CorsConfig, Verdict},
    json::Done,
    patterns::OriginPatternError,
};

/// The rules of the API proper.
#[derive(Debug, Default)]
pub struct Boundary {
    cors: Cors,
    response_headers: HeaderMap,
}

impl Boundary {
    /// Makes rules from who may come from elsewhere, and the headers that every answer carries.
    pub fn new(cors: &CorsConfig, response_headers: HeaderMap) -> Result<Self, OriginPatternError> {
        Ok(Self { cors: Cors::new(cors, &response_headers)?, response_headers })
    }

    fn add_headers(&self, verdict: Verdict, response: &mut Response) {
        // Gotify hands the connection over without them.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        let headers = response.headers_mut();
        for (name, value) in &self.response_headers {
            // What a handler says of its answer is right, but for JSON, where Gotify's handlers give way.
            if headers.get(name).is_none_or(|said| name == CONTENT_TYPE && said == "application/json") {
                headers.insert(name, value.clone());
            }
        }
        self.cors.add_headers(verdict, headers);
    }
}

/// The rules, and who is told what is answered.
#[derive(Clone)]
pub(super) struct Passage {
    pub(super) rules: Arc<Boundary>,
    pub(super) observer: Arc<dyn RequestObserver>,
}

impl Passage {
    /// Passes by an answer that no route has given.
    pub(super) fn answer(&self, path: &str, began_at: Instant, response: Response) -> Response {
        self.observer.on_response(RouteClass::of(path), response.status(), began_at.elapsed());
        response
    }
}

/// Serves a request of an open route.
pub(super) async fn open(State(passage): State<Passage>, request: Request, next: Next) -> Response {
    let (route, began_at) = (RouteClass::of(request.uri().path()), Instant::now());
    let response = served(request, next).await;
    passage.observer.on_response(route, response.status(), began_at.elapsed());
    response
}

/// Serves a request of the API proper. A page that may not use it learns nothing, not even whether its token is right.
pub(super) async fn guarded(State(passage): State<Passage>, request: Request, next: Next) -> Response {
    let (route, began_at) = (RouteClass::of(request.uri().path()), Instant::now());
    let verdict = passage.rules.cors.judge(&request);
    let mut response = match verdict {
        Verdict::Refused => (StatusCode::FORBIDDEN, Done).into_response(),
        Verdict::Preflight(_) => (StatusCode::NO_CONTENT, Done).into_response(),
        Verdict::SameOrigin | Verdict::Allowed(_) => served(request, next).await,
    };
    passage.rules.add_headers(verdict, &mut response);
    passage.observer.on_response(route, response.status(), began_at.elapsed());
    response
}

/// Serves a request; a panic costs that request only.
async fn served(request: Request, next: Next) -> Response {
    let served = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    served.unwrap_or_else(|_| {
        // The panic hook has said where and why.
        tracing::error!("a request handler panicked");
        ApiError::Internal.into_response()
    })
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        middleware::from_fn_with_state,
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    fn passage(rules: Boundary) -> Passage {
        Passage { rules: Arc::new(rules), observer: Arc::new(()) }
    }

    #[tokio::test]
    async fn a_panic_costs_one_request() {
        async fn broken() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/broken", get(broken))
            .route("/fine", get(|| async {}))
            .layer(from_fn_with_state(passage(Boundary::default()), open));

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

    #[tokio::test]
    async fn configured_headers_give_way_to_what_a_handler_says() {
        let configured =
            [("x-frame-options", "DENY"), ("content-type", "text/x"), ("location", "/elsewhere")];
        let headers = configured.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let rules = Boundary::new(&CorsConfig::default(), HeaderMap::from_iter(headers)).unwrap();
        let router = Router::new()
            .route(
                "/",
                get(|| async { ([("location", "/here"), ("content-type", "application/json")], "{}") }),
            )
            .layer(from_fn_with_state(passage(rules), guarded));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert_eq!(response.headers()["content-type"], "text/x");
        assert_eq!(response.headers()["location"], "/here");
    }
}
