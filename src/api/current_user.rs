//! `/current/user`: who is asking, and their password.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use secrecy::SecretString;

use super::body::{Field, Form, Slot, Unread};
use super::json::Done;
use super::routing::get_only;
use super::{ApiError, AppState, ClientAuth, Json};
use crate::auth::Authenticator;
use crate::model::User;
use crate::store::Store;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/current/user", get_only(current_user))
        .route("/current/user/password", post(change_password))
}

#[derive(Default)]
struct UserPass {
    pass: String,
}

impl Form for UserPass {
    const NAME: &'static str = "UserExternalPass";
    const FIELDS: &'static [Field] = &[Field::required("pass")];

    fn slot(&mut self, _: usize) -> Slot<'_> {
        Slot::Text(&mut self.pass)
    }
}

async fn current_user(client: ClientAuth, State(store): State<Store>) -> Result<Json<User>, ApiError> {
    let known = store.database().user(client.user_id).await?;
    // Deleted since the request was admitted.
    known.map(|known| Json(known.user)).ok_or(ApiError::Unauthorized)
}

/// Clients and streams stay valid: whoever wants them gone deletes them.
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
