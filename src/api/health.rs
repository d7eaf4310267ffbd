//! `/health`: whether the server can do its work.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::{AppState, encode_json};
use crate::store::Store;

pub(super) fn router() -> Router<AppState> {
    // axum answers HEAD with the same handler.
    Router::new().route("/health", get(health))
}

#[derive(Serialize)]
struct Health {
    health: &'static str,
    database: &'static str,
}

async fn health(State(store): State<Store>) -> Response {
    let (status, health) = match store.database().ping().await {
        Ok(()) => (StatusCode::OK, Health { health: "green", database: "green" }),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (StatusCode::INTERNAL_SERVER_ERROR, Health { health: "orange", database: "red" })
        }
    };
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], encode_json(&health)).into_response()
}
