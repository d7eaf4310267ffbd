//! The gates for whoever manages something.

use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::credentials::RequestCredentials;
use crate::api::ApiError;
use crate::auth::{AuthenticatedClient, Authenticator, TokenClient};
use crate::model::{Compatibility, User, UserId};
use crate::store::{Store, StoreError};

/// Admits a client's token, or a name and password.
#[derive(Clone)]
pub struct ClientAuth {
    /// Whose things may be seen and changed.
    pub user_id: UserId,
    /// The token of the client, as it is stored; empty for a name and password.
    pub token: Box<str>,
    client: Option<Arc<TokenClient>>,
    /// In which the client was found.
    generation: Option<u64>,
}

impl ClientAuth {
    /// The inner error is the answer to who has to be known.
    pub(super) async fn of(credentials: &RequestCredentials<'_>) -> Result<Result<Self, ApiError>, ApiError> {
        let refusal = match credentials.user().await? {
            Ok(User { id, .. }) => {
                return Ok(Ok(Self { user_id: id, token: Box::default(), client: None, generation: None }));
            }
            Err(refusal) => refusal,
        };
        Ok(credentials.client().await?.map(Self::of_client).ok_or(refusal))
    }

    fn of_client(AuthenticatedClient { client, token, generation }: AuthenticatedClient) -> Self {
        Self { user_id: client.user_id, token, client: Some(client), generation }
    }

    /// Answers whether it would be admitted again: it may have been revoked meanwhile.
    pub(in crate::api) async fn is_still_valid(
        &self,
        auth: &Authenticator,
        store: &Store,
    ) -> Result<bool, StoreError> {
        if self.token.is_empty() {
            // It was a name and password.
            Ok(store.database().user(self.user_id).await?.is_some())
        } else {
            auth.has_still(&self.token, self.generation).await
        }
    }

    /// Returns the client; `None` for a name and password.
    pub fn client(&self) -> Option<&TokenClient> {
        self.client.as_deref()
    }

    /// Refuses a client that may not do what is dangerous; Gotify 2 knows nothing of that.
    pub(super) fn check_elevated(
        &self,
        compatibility: Compatibility,
        auth: &Authenticator,
    ) -> Result<(), ApiError> {
        let is_elevated = self.client().is_none_or(|client| client.is_elevated(auth.now()));
        if is_elevated || compatibility == Compatibility::V2 { Ok(()) } else { Err(ApiError::NotElevated) }
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuth").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientAuth
where
    Authenticator: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Authenticator::from_ref(state);
        Self::of(&RequestCredentials::by(parts, &auth)?).await?
    }
}

/// As [`ClientAuth`], for a request that opens a stream.
#[derive(Clone, Debug)]
pub(in crate::api) struct StreamAuth(pub(in crate::api) ClientAuth);

impl<S: Send + Sync> FromRequestParts<S> for StreamAuth
where
    Authenticator: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Authenticator::from_ref(state);
        let mut credentials = RequestCredentials::by(parts, &auth)?;
        credentials.opens_stream = true;
        ClientAuth::of(&credentials).await?.map(Self)
    }
}

/// Admits a name and password, or the token of a client that is elevated, see [`Compatibility::V3`]. Guards what
/// can't be undone.
#[derive(Clone, Debug)]
pub struct ElevatedAuth(pub ClientAuth);

impl<S: Send + Sync> FromRequestParts<S> for ElevatedAuth
where
    Authenticator: FromRef<S>,
    Compatibility: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let client = ClientAuth::from_request_parts(parts, state).await?;
        client.check_elevated(Compatibility::from_ref(state), &Authenticator::from_ref(state))?;
        Ok(Self(client))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_client_is_not_shown() {
        let client = Arc::new(TokenClient::of_user(UserId(1)));
        let auth = ClientAuth {
            user_id: UserId(1),
            token: "Csecret".into(),
            client: Some(client),
            generation: None,
        };
        assert_eq!(format!("{auth:?}"), "ClientAuth { user_id: UserId(1), .. }");
    }
}
