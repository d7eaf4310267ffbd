//! `/version`: which build this is. Gotify's Android app asks it to see whether a server is there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::routing::get_only;
use super::{ApiSettings, AppState, Json, VersionInfo};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(version)))
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
