//! `/auth/local/login` and `/auth/logout`: sessions of web pages, by cookie.
//!
//! A session is a client like any other, made elevated and to expire when it is not used for a week. [`start`] makes
//! one, whatever has told who the user is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::LazyBody;
use super::client::{ClientParams, NewClientParams, create, remove};
use super::cookie::{self, MAX_AGE_SECONDS};
use super::error::ErrorObject;
use super::gate::basic_credentials;
use super::json::EmptyResponse;
use super::{ApiError, ApiSettings, AppState, ClientAddress, ClientAuth, Json};
use crate::model::{Client, CurrentUser, UserId};

/// For how long a new session may do what is dangerous.
const ELEVATED: TimeDelta = TimeDelta::hours(1);

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(login)).routes(routes!(logout))
}

/// Starts a session of a user in a browser: makes its client, which is returned with its token, and the cookie that
/// brings the browser the token. The caller must have made sure that it is the user who asks.
pub(super) async fn start(
    state: &AppState,
    user_id: UserId,
    name: String,
) -> Result<(Client, HeaderValue), ApiError> {
    let elevated_until = Some(state.auth.now() + ELEVATED);
    let new = NewClientParams {
        name,
        expires_after_inactivity_seconds: MAX_AGE_SECONDS,
        elevated_until,
        replay: None,
    };
    let client = create(state, user_id, new).await?;
    let cookie = cookie::set(&client.token, &state.settings);
    Ok((client, cookie))
}

/// Starts a session, whose token is in a cookie.
#[utoipa::path(
    post, path = "/auth/local/login", operation_id = "localLogin", tag = "user",
    security(("basicAuth" = [])),
    request_body = ClientParams,
    responses(
        (status = 200, body = CurrentUser),
        (status = 401, body = ErrorObject, description = "The request has no name and password: `basic auth required`. \
            Or they are wrong: `invalid credentials`."),
    )
)]
async fn login(
    State(state): State<AppState>,
    headers: HeaderMap,
    extensions: Extensions,
    mut body: LazyBody,
) -> Result<Response, ApiError> {
    let (name, password) =
        basic_credentials(&headers).ok_or(ApiError::UnauthorizedWith("basic auth required"))?;
    let from = ClientAddress::of(&extensions).map(|from| from.0);
    let known = state.auth.user(from, &name, password).await?;
    let user = known.ok_or(ApiError::UnauthorizedWith("invalid credentials"))?;
    let form: ClientParams = body.read().await?;
    let (client, cookie) = start(&state, user.id, form.name).await?;
    cookie::warn_if_dropped(&state.settings, &headers, &extensions);
    let current = CurrentUser { user, client_id: Some(client.id), elevated_until: client.elevated_until };
    Ok(([(SET_COOKIE, cookie)], Json(current)).into_response())
}

/// Ends a session: deletes its client, closes its streams, and takes the cookie away.
#[utoipa::path(
    post, path = "/auth/logout", operation_id = "logout", tag = "user",
    responses(
        (status = 200),
        (status = 403, description = "The request has a name and password, which are \
            no session to end: `no client auth provided`.", body = ErrorObject),
    )
)]
async fn logout(
    client: ClientAuth,
    State(state): State<AppState>,
    State(settings): State<Arc<ApiSettings>>,
) -> Response {
    let outcome = match client.client().and_then(|client| client.id) {
        Some(id) => remove(&state, client.user_id, id).await.map(|_| EmptyResponse),
        None => Err(ApiError::ForbiddenWith("no client auth provided")),
    };
    // The browser is to forget its cookie whether or not there was a session to end.
    ([(SET_COOKIE, cookie::cleared(&settings))], outcome).into_response()
}
