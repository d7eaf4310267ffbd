//! The gate of those who manage users.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::ClientAuth;
use crate::api::ApiError;
use crate::auth::Authenticator;
use crate::model::{Compatibility, UserId};
use crate::store::Store;

/// Admits an administrator, for what only shows something. It is looked up each time.
#[derive(Clone, Debug)]
pub struct AdminViewAuth(pub ClientAuth);

impl<S: Send + Sync> FromRequestParts<S> for AdminViewAuth
where
    Authenticator: FromRef<S>,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let client = ClientAuth::from_request_parts(parts, state).await?;
        let known = Store::from_ref(state).database().user(client.user_id).await?;
        // Deleted since the request was admitted.
        if known.ok_or(ApiError::Unauthorized)?.user.admin {
            Ok(Self(client))
        } else {
            Err(ApiError::Forbidden)
        }
    }
}

/// Admits an administrator whom [`ElevatedAuth`](super::ElevatedAuth) admits. It is looked up each time, so who was
/// one a moment ago is not admitted.
#[derive(Clone, Debug)]
pub struct AdminAuth {
    /// Who it is.
    pub user_id: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for AdminAuth
where
    Authenticator: FromRef<S>,
    Compatibility: FromRef<S>,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let AdminViewAuth(client) = AdminViewAuth::from_request_parts(parts, state).await?;
        client.check_elevated(Compatibility::from_ref(state), &Authenticator::from_ref(state))?;
        Ok(Self { user_id: client.user_id })
    }
}
