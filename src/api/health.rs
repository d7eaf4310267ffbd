//! `/health`: whether the server can do its work.

use std::error::Error;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::stream::StreamState;
use super::{AppState, encode_json};
use crate::store::Store;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(health, probe))
}

/// Whether the server can do its work: `green`, `orange` or `red`.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "Gotify's names")]
struct Health {
    /// The whole.
    health: &'static str,
    /// The database.
    database: &'static str,
    /// What carries messages between nodes, if there are several: `green`, or `degraded` while it is away, so that
    /// other nodes' messages come some seconds later.
    #[serde(skip_serializing_if = "Option::is_none")]
    backplane: Option<&'static str>,
}

/// Says whether the server can do its work: whether a message could be stored now.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "info",
    security(()),
    responses(
        (status = 200, body = Health, content_type = "application/json; charset=utf-8"),
        (status = 500, description = "No message can be stored.", body = Health,
            content_type = "application/json; charset=utf-8"),
    )
)]
async fn health(State(store): State<Store>, State(streams): State<StreamState>) -> Response {
    let backplane =
        streams.cluster.as_ref().map(|cluster| if cluster.is_degraded() { "degraded" } else { "green" });
    let (status, health) = match store.check().await {
        Ok(()) => (StatusCode::OK, Health { health: "green", database: "green", backplane }),
        Err(error) => {
            let cause = error.source().map(tracing::field::display);
            tracing::warn!(%error, cause, "no message can be stored");
            (StatusCode::INTERNAL_SERVER_ERROR, Health { health: "orange", database: "red", backplane })
        }
    };
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], encode_json(&health)).into_response()
}

/// Says by its status alone whether the server can do its work.
#[utoipa::path(
    head, path = "/health", operation_id = "probeHealth", tag = "info",
    security(()),
    responses((status = 200), (status = 500, description = "No message can be stored."))
)]
async fn probe(store: State<Store>, streams: State<StreamState>) -> Response {
    // The body goes no further than axum.
    health(store, streams).await
}
