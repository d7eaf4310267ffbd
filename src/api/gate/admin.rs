//! The gate of those who manage users.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::{ApiError, ClientAuth};
use crate::auth::Authenticator;
use crate::model::UserId;
use crate::store::Store;

/// Admits an administrator: by a client's token, or by name and password. It is looked up each time, so who was
/// one a moment ago is not admitted.
#[derive(Clone, Debug)]
pub struct AdminAuth {
    /// Who it is.
    pub user_id: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for AdminAuth
where
    Authenticator: FromRef<S>,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let ClientAuth { user_id, .. } = ClientAuth::from_request_parts(parts, state).await?;
        let known = Store::from_ref(state).database().user(user_id).await?;
        // Deleted since the request was admitted.
        let known = known.ok_or(ApiError::Unauthorized)?;
        if known.user.admin { Ok(Self { user_id }) } else { Err(ApiError::Forbidden) }
    }
}
