//! The interface over HTTP.

mod request;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::request::{TriggerRequest, new_test};
use super::{
    Shared, access, live,
    report::{Format, Page},
    state::Refusal,
};

/// The largest body.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The page loads what the orchestrator serves, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An answer that is no success, as Gotify writes it.
#[derive(Debug)]
pub(super) struct RestError {
    status: StatusCode,
    text: String,
}

impl RestError {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let body = json!({
            "error": self.status.canonical_reason().unwrap_or("Error"),
            "errorCode": self.status.as_u16(),
            "errorDescription": self.text,
        });
        (self.status, json_answer(&body)).into_response()
    }
}

impl From<Refusal> for RestError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NoTest(_) => StatusCode::NOT_FOUND,
            Refusal::Triggered(_) | Refusal::Ended(_) | Refusal::NoDriver => StatusCode::CONFLICT,
            Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
        };
        Self::new(status, refusal.to_string())
    }
}

impl From<anyhow::Error> for RestError {
    fn from(error: anyhow::Error) -> Self {
        crate::report::terminal::warn(&format!("{error:#}"));
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the test could not be kept on disk; the terminal says why",
        )
    }
}

type Answer<T = Response> = Result<T, RestError>;
type App = State<Arc<Shared>>;

/// Returns all routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(|| async { asset("text/html; charset=utf-8", include_str!("page/index.html")) }))
        .route("/page.css", get(|| async { asset("text/css", include_str!("page/page.css")) }))
        .route("/page.js", get(|| async { asset("text/javascript", include_str!("page/page.js")) }))
        .route("/report.js", get(|| async { asset("text/javascript", include_str!("page/report.js")) }))
        .route("/openapi.json", get(|| async { asset("application/json", include_str!("openapi.json")) }))
        .route("/ping", get(|| async { StatusCode::OK }))
        .route("/ws", get(live::open))
        .route("/tests", get(tests).post(create))
        .route("/tests/{id}", get(test).delete(abort))
        .route("/tests/{id}/report", get(report))
        .route("/trigger", post(trigger))
        .route("/drivers", get(drivers))
        .fallback(no_route)
        .layer(from_fn_with_state(Arc::clone(&shared), access::cross_origin))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(shared)
}

/// A body, or why it could not be read.
type Body = Result<Bytes, BytesRejection>;

impl From<BytesRejection> for RestError {
    fn from(rejection: BytesRejection) -> Self {
        let status = rejection.status();
        let text = match status {
            StatusCode::PAYLOAD_TOO_LARGE => format!("the body has more than {BODY_BYTES_MAX} bytes"),
            _ => "the body could not be read".to_owned(),
        };
        Self::new(status, text)
    }
}

async fn create(State(shared): App, headers: HeaderMap, body: Body) -> Answer {
    shared.access.check(&headers)?;
    let body = body?;
    let allowed = shared.allowed.clone();
    // A target's name is looked up, which may take seconds.
    let config = tokio::task::spawn_blocking(move || new_test(&body, &allowed));
    let config =
        config.await.map_err(|error| RestError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let config = config.map_err(|text| RestError::new(StatusCode::BAD_REQUEST, text))?;
    let id = config.test_id.clone();
    let effects = shared.state.lock().create(config)?;
    shared.apply(effects).await?;
    let location = HeaderValue::try_from(format!("/tests/{id}"));
    let mut response = id.into_response();
    response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

async fn trigger(State(shared): App, headers: HeaderMap, body: Body) -> Answer<StatusCode> {
    shared.access.check(&headers)?;
    let request =
        TriggerRequest::read(&body?).map_err(|text| RestError::new(StatusCode::BAD_REQUEST, text))?;
    let effects = shared.state.lock().trigger(&request.test_id)?;
    shared.apply(effects).await?;
    Ok(StatusCode::OK)
}

async fn abort(State(shared): App, Path(id): Path<String>, headers: HeaderMap) -> Answer<StatusCode> {
    shared.access.check(&headers)?;
    let effects = shared.state.lock().abort(&id)?;
    shared.apply(effects).await?;
    Ok(StatusCode::OK)
}

async fn tests(State(shared): App) -> Response {
    json_answer(&shared.state.lock().tests())
}

async fn test(State(shared): App, Path(id): Path<String>) -> Answer {
    let shown = shared.state.lock().shown(&id)?;
    Ok(json_answer(&shown))
}

async fn drivers(State(shared): App) -> Response {
    json_answer(&shared.state.lock().drivers())
}

#[derive(Debug, Deserialize)]
struct ReportQuery {
    format: Option<String>,
}

async fn report(State(shared): App, Path(id): Path<String>, Query(query): Query<ReportQuery>) -> Answer {
    let format = Format::named(query.format.as_deref().unwrap_or("json"));
    let format = format.map_err(|text| RestError::new(StatusCode::BAD_REQUEST, text))?;
    let report = shared.state.lock().report(&id)?;
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()))];
    if format != Format::Html {
        return Ok((content_type, report.written(format)).into_response());
    }
    let page = Page::new(&report);
    let policy = HeaderValue::try_from(page.policy())
        .map_err(|error| RestError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok((content_type, [(header::CONTENT_SECURITY_POLICY, policy)], page.text).into_response())
}

async fn no_route(uri: Uri) -> RestError {
    RestError::new(
        StatusCode::NOT_FOUND,
        format!("there is no `{}`: `/openapi.json` lists what there is", uri.path()),
    )
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

fn json_answer(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
