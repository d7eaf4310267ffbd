//! What every request passes on its way in and out.
//!
//! Some routes are open: health, and what browsers fetch. The rest is the API proper, with its rules for foreign pages
//! and the configured response headers; so is whatever matches no route.

mod middleware;

pub(super) use middleware::ApiMiddlewareLayer;

use std::sync::Arc;

use axum::{
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use tokio::time::Instant;

use super::{
    ApiSettings, RequestObserver, RouteClass,
    cors::{Cors, CorsConfig, Verdict},
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

/// The rules, and the observer of answers.
pub(super) struct ApiMiddleware {
    pub(super) rules: Arc<Boundary>,
    pub(super) observer: Arc<dyn RequestObserver>,
    pub(super) settings: Arc<ApiSettings>,
}

impl Default for ApiMiddleware {
    fn default() -> Self {
        Self { rules: Arc::default(), observer: Arc::new(()), settings: Arc::default() }
    }
}

impl ApiMiddleware {
    /// Reports an answer that no route has given, and returns it.
    pub(super) fn answer(&self, path: &str, began_at: Instant, response: Response) -> Response {
        self.observer.on_response(RouteClass::of(path), response.status(), began_at.elapsed());
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        extract::Request,
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    fn middleware(rules: Boundary) -> Arc<ApiMiddleware> {
        Arc::new(ApiMiddleware { rules: Arc::new(rules), ..ApiMiddleware::default() })
    }

    #[tokio::test]
    async fn a_panic_costs_one_request() {
        async fn broken() {
            panic!("on purpose");
        }
        let router = Router::new()
            .route("/broken", get(broken))
            .route("/fine", get(|| async {}))
            .layer(ApiMiddlewareLayer::open(middleware(Boundary::default())));

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
            .layer(ApiMiddlewareLayer::guarded(middleware(rules)));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.headers()["x-frame-options"], "DENY");
        assert_eq!(response.headers()["content-type"], "text/x");
        assert_eq!(response.headers()["location"], "/here");
    }
}
