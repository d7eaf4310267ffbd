//! `/current/user`: who is asking, and their password.

use axum::extract::State;
use secrecy::SecretString;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::body::{Field, Form, Slot, Unread, documented};
use super::json::Done;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, Json};
use crate::auth::Authenticator;
use crate::model::User;
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
    const FIELDS: &'static [Field] = &[Field::required("pass").described("The new password.")];

    fn slot(&mut self, _: usize) -> Slot<'_> {
        Slot::Text(&mut self.pass)
    }
}

documented!(UserPass);

/// Says who is asking.
#[utoipa::path(
    get, path = "/current/user", operation_id = "currentUser", tag = "user",
    responses((status = 200, body = User))
)]
async fn current_user(client: ClientAuth, State(store): State<Store>) -> Result<Json<User>, ApiError> {
    let known = store.database().user(client.user_id).await?;
    // Deleted since the request was admitted.
    known.map(|known| Json(known.user)).ok_or(ApiError::Unauthorized)
}

/// Changes the password.
///
/// Clients and streams stay valid: whoever wants them gone deletes them.
#[utoipa::path(
    post, path = "/current/user/password", operation_id = "updateCurrentUser", tag = "user",
    request_body = UserPass,
    responses((status = 200))
)]
async fn change_password(
    client: ClientAuth,
    State(store): State<Store>,
    State(auth): State<Authenticator>,
    body: Unread,
) -> Result<Done, ApiError> {
    let form: UserPass = body.read().await?;
    let hash = auth.passwords().hash(SecretString::from(form.pass)).await?;
    if store.database().set_password_hash(client.user_id, &hash).await? {
        Ok(Done)
    } else {
        Err(ApiError::Unauthorized)
    }
}
