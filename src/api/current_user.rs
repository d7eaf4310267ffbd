//! `/current/user`: who is asking, and their password.

use axum::extract::State;
use secrecy::SecretString;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, FieldTarget, Form, LazyBody, documented};
use super::completion::to_completion;
use super::error::ErrorObject;
use super::json::EmptyResponse;
use super::openapi::errors::NOT_ELEVATED;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, ElevatedAuth, Json};
use crate::auth::{Authenticator, Revocation};
use crate::model::CurrentUser;
use crate::store::Store;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(get_only(routes!(current_user))).routes(routes!(change_password))
}

#[derive(Default)]
struct UserPass {
    pass: String,
}

impl Form for UserPass {
    const NAME: &'static str = "UserExternalPass";
    const FIELDS: &'static [Field] = &[Field::required("pass").described("The new password.").secret()];

    fn target(&mut self, _: usize) -> FieldTarget<'_> {
        FieldTarget::Text(&mut self.pass)
    }
}

documented!(UserPass);

/// Says who is asking.
#[utoipa::path(
    get, path = "/current/user", operation_id = "currentUser", tag = "user",
    responses((status = 200, body = CurrentUser))
)]
async fn current_user(
    asking: ClientAuth,
    State(store): State<Store>,
    State(auth): State<Authenticator>,
) -> Result<Json<CurrentUser>, ApiError> {
    // Deleted since the request was admitted.
    described(&asking, &store, &auth).await?.map(Json).ok_or(ApiError::Unauthorized)
}

/// Describes who is asking; `None` if the user is not there any more.
pub(super) async fn described(
    asking: &ClientAuth,
    store: &Store,
    auth: &Authenticator,
) -> Result<Option<CurrentUser>, ApiError> {
    let Some(known) = store.database().user(asking.user_id).await? else { return Ok(None) };
    // One that is not in the database is no client that the user knows.
    let client = asking.client().filter(|client| client.id.is_some());
    let now = auth.now();
    Ok(Some(CurrentUser {
        user: known.user,
        client_id: client.and_then(|client| client.id),
        elevated_until: client.and_then(|client| client.elevated_until).filter(|&until| now < until),
    }))
}

/// Changes the password.
///
/// Clients and streams stay valid: whoever wants them gone deletes them.
#[utoipa::path(
    post, path = "/current/user/password", operation_id = "updateCurrentUser", tag = "user",
    request_body = UserPass,
    responses(
        (status = 200),
        (status = 400, body = ErrorObject, description = "The password is too long: \
            `password must be at most 72 bytes long`."),
        (status = 403, description = NOT_ELEVATED, body = ErrorObject),
    )
)]
async fn change_password(
    ElevatedAuth(client): ElevatedAuth,
    State(state): State<AppState>,
    mut body: LazyBody,
) -> Result<EmptyResponse, ApiError> {
    let form: UserPass = body.read().await?;
    let hash = state.auth.passwords().hash(SecretString::from(form.pass)).await?;
    let user_id = client.user_id;
    let changed = to_completion(async move {
        if !state.store.database().set_password_hash(user_id, &hash).await? {
            // Deleted since the request was admitted.
            return Err(ApiError::Unauthorized);
        }
        state.revoke(&Revocation::UserChanged { user_id });
        Ok(EmptyResponse)
    });
    changed.await
}
