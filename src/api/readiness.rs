//! `/health/ready`: whether proxies may send new connections to this node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{AppState, encode_json};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(ready, probe))
}

/// Whether a node takes new streams. A node is ready until it is stopped. Clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    has_ended: Arc<AtomicBool>,
}

impl Readiness {
    /// Returns whether `/health/ready` answers 200.
    pub fn is_ready(&self) -> bool {
        !self.has_ended.load(Ordering::Relaxed)
    }

    /// Makes `/health/ready` answer 404 from now on.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }
}

/// Whether this node takes new streams.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `false` from the moment that the node is about to stop.
    ready: bool,
}

/// Says whether a proxy should send new connections to this node.
///
/// The database is not asked: while it is away, no node would be ready, and all streams would have nowhere to go.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "getReadiness", tag = "info",
    security(()),
    responses(
        (status = 200, body = Ready, content_type = "application/json; charset=utf-8"),
        (status = 404, description = "The node is about to stop. It still serves what comes.", body = Ready,
            content_type = "application/json; charset=utf-8"),
    )
)]
async fn ready(State(readiness): State<Readiness>) -> Response {
    let ready = readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::NOT_FOUND };
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], encode_json(&Ready { ready }))
        .into_response()
}

/// Says by its status alone whether a proxy should send new connections to this node.
#[utoipa::path(
    head, path = "/health/ready", operation_id = "probeReadiness", tag = "info",
    security(()),
    responses((status = 200), (status = 404, description = "The node is about to stop."))
)]
async fn probe(readiness: State<Readiness>) -> Response {
    // The body goes no further than axum.
    ready(readiness).await
}
