//! `/version`: which build this is. Gotify's Android app asks it to see whether a server is there.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::routing::get_only;
use super::{ApiSettings, AppState, Json};

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/version", get_only(version))
}

async fn version(State(settings): State<Arc<ApiSettings>>) -> Response {
    Json(&settings.version).into_response()
}
