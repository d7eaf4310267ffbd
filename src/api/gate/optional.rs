//! The gate that lets everybody in, and says who it is.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::{ApiError, ClientAuth};
use crate::auth::Authenticator;
use crate::model::User;
use crate::store::Store;

/// Admits everybody. Who carries nothing that is valid is nobody in particular.
#[derive(Clone, Debug)]
pub(in crate::api) struct OptionalAuth(pub(in crate::api) Option<User>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalAuth
where
    Authenticator: FromRef<S>,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let user_id = match ClientAuth::from_request_parts(parts, state).await {
            Ok(client) => client.user_id,
            Err(ApiError::Unauthorized) => return Ok(Self(None)),
            Err(other) => return Err(other),
        };
        let known = Store::from_ref(state).database().user(user_id).await?;
        Ok(Self(known.map(|known| known.user)))
    }
}
