//! `/shardcast/overview`: what a page must know to begin, in one answer.
//!
//! What Gotify's API lacks is below `/shardcast`, so that no path can clash with one that Gotify adds.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::current_user::described;
use super::gate::OptionalClientAuth;
use super::routing::get_only;
use super::{ApiError, AppState, Json};
use crate::model::CurrentUser;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(overview)))
}

/// The server, and who is asking.
#[derive(Serialize, ToSchema)]
struct Overview {
    /// The version.
    version: String,
    /// Which Gotify the server behaves as: `v2` or `v3`.
    compatibility: &'static str,
    /// Whether anybody may make a user.
    register: bool,
    /// Whether one can log in through an identity provider.
    oidc: bool,
    /// How browsers subscribe to push messages; null where none are sent.
    #[schema(required)]
    push: Option<OverviewPush>,
    /// Who is asking; null for who is not logged in.
    #[schema(required)]
    user: Option<CurrentUser>,
}

/// How browsers subscribe to push messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OverviewPush {
    /// The key that a subscription is made for (RFC 8292), in base64url.
    public_key: String,
}

/// Describes the server, and who is asking.
///
/// A token that is not valid, such as that of a session that has ended, is nobody's.
#[utoipa::path(
    get, path = "/shardcast/overview", operation_id = "getOverview", tag = "info",
    security(()),
    responses((status = 200, body = Overview))
)]
async fn overview(
    OptionalClientAuth(client): OptionalClientAuth,
    State(state): State<AppState>,
) -> Result<Json<Overview>, ApiError> {
    let user = match &client {
        Some(client) => described(client, &state.store, &state.auth).await?,
        None => None,
    };
    let settings = &state.settings;
    Ok(Json(Overview {
        version: settings.version.version.clone(),
        compatibility: settings.compatibility.name(),
        register: settings.registration,
        oidc: state.oidc.is_some(),
        push: state.push.as_ref().map(|push| OverviewPush { public_key: push.public_key().to_owned() }),
        user,
    }))
}
