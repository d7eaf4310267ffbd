//! `/plugin`: there are none. Gotify's plugins are Go libraries, which nothing but a Go program can load.

use utoipa_axum::{router::OpenApiRouter, routes};

use super::error::ErrorObject;
use super::openapi::errors::NO_PLUGIN;
use super::path::PathId;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, Json};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(get_only(routes!(list)))
        .routes(get_only(routes!(config, change_config)))
        .routes(get_only(routes!(display)))
        .routes(routes!(enable))
        .routes(routes!(disable))
}

/// Lists the plugins: this server has none.
#[utoipa::path(
    get, path = "/plugin", operation_id = "getPlugins", tag = "plugin",
    responses((status = 200, description = "An empty list.", body = Vec<Object>))
)]
async fn list(_: ClientAuth) -> Json<[(); 0]> {
    Json([])
}

/// Shows a plugin's configuration.
#[utoipa::path(
    get, path = "/plugin/{id}/config", operation_id = "getPluginConfig", tag = "plugin",
    params(PathId), responses((status = 404, description = NO_PLUGIN, body = ErrorObject))
)]
async fn config(_: ClientAuth, PathId(_): PathId) -> ApiError {
    unknown()
}

/// Changes a plugin's configuration.
#[utoipa::path(
    post, path = "/plugin/{id}/config", operation_id = "updatePluginConfig", tag = "plugin",
    params(PathId), responses((status = 404, description = NO_PLUGIN, body = ErrorObject))
)]
async fn change_config(_: ClientAuth, PathId(_): PathId) -> ApiError {
    unknown()
}

/// Shows what a plugin has to say.
#[utoipa::path(
    get, path = "/plugin/{id}/display", operation_id = "getPluginDisplay", tag = "plugin",
    params(PathId), responses((status = 404, description = NO_PLUGIN, body = ErrorObject))
)]
async fn display(_: ClientAuth, PathId(_): PathId) -> ApiError {
    unknown()
}

/// Enables a plugin.
#[utoipa::path(
    post, path = "/plugin/{id}/enable", operation_id = "enablePlugin", tag = "plugin",
    params(PathId), responses((status = 404, description = NO_PLUGIN, body = ErrorObject))
)]
async fn enable(_: ClientAuth, PathId(_): PathId) -> ApiError {
    unknown()
}

/// Disables a plugin.
#[utoipa::path(
    post, path = "/plugin/{id}/disable", operation_id = "disablePlugin", tag = "plugin",
    params(PathId), responses((status = 404, description = NO_PLUGIN, body = ErrorObject))
)]
async fn disable(_: ClientAuth, PathId(_): PathId) -> ApiError {
    unknown()
}

fn unknown() -> ApiError {
    ApiError::NotFound("unknown plugin".to_owned())
}
