//! `/version` and `/gotifyinfo`: which build this is, and what it offers to who is not logged in.
//!
//! Gotify's Android app asks for the version to see whether a server is there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::routing::get_only;
use super::{ApiSettings, AppState, Json, VersionInfo};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(version))).routes(get_only(routes!(info)))
}

/// Says which build this is.
#[utoipa::path(
    get, path = "/version", operation_id = "getVersion", tag = "info",
    security(()),
    responses((status = 200, body = VersionInfo))
)]
async fn version(State(settings): State<Arc<ApiSettings>>) -> Response {
    Json(&settings.version).into_response()
}

/// What the server offers to who is not logged in.
#[derive(Serialize, ToSchema)]
struct GotifyInfo {
    /// The version.
    version: String,
    /// Whether anybody may make a user.
    register: bool,
    /// Whether one can log in elsewhere.
    oidc: bool,
}

/// Says what is offered to who is not logged in.
#[utoipa::path(
    get, path = "/gotifyinfo", operation_id = "getInfo", tag = "info",
    security(()),
    responses((status = 200, body = GotifyInfo))
)]
async fn info(State(state): State<AppState>) -> Json<GotifyInfo> {
    let ApiSettings { version, registration, .. } = &*state.settings;
    Json(GotifyInfo { version: version.version.clone(), register: *registration, oidc: state.oidc.is_some() })
}
