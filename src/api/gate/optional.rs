//! The gate that lets everybody in, and says who it is.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::ClientAuth;
use super::credentials::RequestCredentials;
use crate::api::ApiError;
use crate::auth::Authenticator;
use crate::model::User;
use crate::store::Store;

/// Admits everybody. Who carries nothing that is valid is nobody in particular.
#[derive(Clone, Debug)]
pub struct OptionalAuth(pub Option<User>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalAuth
where
    Authenticator: FromRef<S>,
    Store: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let OptionalClientAuth(Some(client)) = OptionalClientAuth::from_request_parts(parts, state).await?
        else {
            return Ok(Self(None));
        };
        let known = Store::from_ref(state).database().user(client.user_id).await?;
        Ok(Self(known.map(|known| known.user)))
    }
}

/// As [`OptionalAuth`], and says with what they came.
pub(in crate::api) struct OptionalClientAuth(pub(in crate::api) Option<ClientAuth>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalClientAuth
where
    Authenticator: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Authenticator::from_ref(state);
        match ClientAuth::of(&RequestCredentials::by(parts, &auth)?).await? {
            Ok(client) => Ok(Self(Some(client))),
            Err(ApiError::Unauthorized) => Ok(Self(None)),
            Err(refusal) => Err(refusal),
        }
    }
}
