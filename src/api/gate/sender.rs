//! The gate for whoever sends a message.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::credentials::RequestCredentials;
use crate::api::ApiError;
use crate::auth::{Authenticator, TokenApplication};
use crate::model::{Compatibility, UserId};

/// Admits an application's token, and in Gotify 3 also whoever may manage applications. Gotify 2 forbids sending with
/// a name and password, even along with a token.
#[derive(Clone, Debug)]
pub enum SenderAuth {
    /// An application.
    Application(Arc<TokenApplication>),
    /// A user, who has to say which of the applications sends.
    User(UserId),
}

impl<S: Send + Sync> FromRequestParts<S> for SenderAuth
where
    Authenticator: FromRef<S>,
    Compatibility: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Authenticator::from_ref(state);
        let credentials = RequestCredentials::by(parts, &auth)?;
        if Compatibility::from_ref(state) == Compatibility::V2 {
            let Err(refusal) = credentials.user().await? else {
                return Err(ApiError::Forbidden);
            };
            return credentials.application().await?.map(Self::Application).ok_or(refusal);
        }
        if let Some(application) = credentials.application().await? {
            return Ok(Self::Application(application));
        }
        if let Some(found) = credentials.client().await? {
            return Ok(Self::User(found.client.user_id));
        }
        Ok(Self::User(credentials.user().await??.id))
    }
}
