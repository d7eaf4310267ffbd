//! Who is asking, and whether they may.
//!
//! A token is taken from the first of these places that is not empty, and from no other: the query's `token`,
//! the header `X-Gotify-Key`, `Authorization: Bearer`. A name and password come before any token; if they are
//! wrong, the token decides. After too many wrong ones they are not looked at any more, and the token decides too;
//! without one the answer is 429.

mod admin;
mod optional;

pub use admin::AdminAuth;
pub(super) use optional::OptionalAuth;

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;

use super::{ApiError, ClientAddress, query};
use crate::auth::{Authenticator, KnownApplication, LoginError};
use crate::model::{User, UserId};

const KEY_HEADER: &str = "x-gotify-key";

/// Admits a client's token, or a name and password.
#[derive(Clone)]
pub struct ClientAuth {
    /// Whose things may be seen and changed.
    pub user_id: UserId,
    /// The token of the client; empty for a name and password.
    pub token: Box<str>,
}

impl std::fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
        let refusal = match user(&auth, parts).await? {
            Ok(user) => return Ok(Self { user_id: user.id, token: Box::default() }),
            Err(refusal) => refusal,
        };
        let Some(token) = token(parts) else { return Err(refusal) };
        let client = auth.client(&token).await?.ok_or(refusal)?;
        Ok(Self { user_id: client.user_id, token: token.into() })
    }
}

/// Admits an application's token, and nothing else: Gotify 2 forbids sending with a name and password.
#[derive(Clone, Debug)]
pub struct ApplicationAuth(pub Arc<KnownApplication>);

impl<S: Send + Sync> FromRequestParts<S> for ApplicationAuth
where
    Authenticator: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let auth = Authenticator::from_ref(state);
        let Err(refusal) = user(&auth, parts).await? else {
            return Err(ApiError::Forbidden);
        };
        let Some(token) = token(parts) else { return Err(refusal) };
        auth.application(&token).await?.map(Self).ok_or(refusal)
    }
}

/// Returns the user whose name and password the request carries. The inner error is the answer unless a token
/// decides otherwise: a proxy in front may have passwords of its own, which are none here.
async fn user(auth: &Authenticator, parts: &Parts) -> Result<Result<User, ApiError>, ApiError> {
    let Some((name, password)) = basic_credentials(&parts.headers) else {
        return Ok(Err(ApiError::Unauthorized));
    };
    let from = ClientAddress::of(&parts.extensions).map(|from| from.0);
    match auth.user(from, &name, password).await {
        Ok(user) => Ok(user.ok_or(ApiError::Unauthorized)),
        Err(limited @ LoginError::TooManyFailures { .. }) => Ok(Err(limited.into())),
        Err(error) => Err(error.into()),
    }
}

fn token(parts: &Parts) -> Option<Cow<'_, str>> {
    let in_query = parts.uri.query().and_then(|query| query::first(query, "token"));
    let in_header = || parts.headers.get(KEY_HEADER)?.to_str().ok().map(Cow::Borrowed);
    let in_authorization = || credentials(&parts.headers, "Bearer").map(Cow::Borrowed);
    let present = |token: &Cow<'_, str>| !token.is_empty();
    in_query
        .filter(present)
        .or_else(|| in_header().filter(present))
        .or_else(|| in_authorization().filter(present))
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let decoded = BASE64_STANDARD.decode(credentials(headers, "Basic")?).ok()?;
    let decoded = SecretString::from(String::from_utf8(decoded).ok()?);
    let (name, password) = secrecy::ExposeSecret::expose_secret(&decoded).split_once(':')?;
    Some((name.to_owned(), SecretString::from(password)))
}

/// Returns what follows the scheme, in any case, and one space.
fn credentials<'h>(headers: &'h HeaderMap, scheme: &str) -> Option<&'h str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (found, credentials) = value.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(credentials)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use secrecy::ExposeSecret;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_first_place_that_is_not_empty_gives_the_token() {
        let headers = [("x-gotify-key", "header"), ("authorization", "Bearer bearer")];
        assert_eq!(token(&parts("/?token=query", &headers)).as_deref(), Some("query"));
        assert_eq!(token(&parts("/?token=", &headers)).as_deref(), Some("header"));
        assert_eq!(token(&parts("/", &headers[1..])).as_deref(), Some("bearer"));
        let empty_key = [("x-gotify-key", ""), ("authorization", "bEARER bearer")];
        assert_eq!(token(&parts("/", &empty_key)).as_deref(), Some("bearer"));
        assert_eq!(token(&parts("/?token=", &[])), None);
    }

    #[test]
    fn a_bearer_token_follows_one_space() {
        assert_eq!(token(&parts("/", &[("authorization", "Bearer")])), None);
        assert_eq!(token(&parts("/", &[("authorization", "Bearer  x")])).as_deref(), Some(" x"));
        assert_eq!(token(&parts("/", &[("authorization", "Token x")])), None);
    }

    #[test]
    fn a_password_may_hold_colons() {
        let encoded = BASE64_STANDARD.encode("ann:a:b");
        let parts = parts("/", &[("authorization", &format!("basic {encoded}"))]);
        let (name, password) = basic_credentials(&parts.headers).unwrap();
        assert_eq!((name.as_str(), password.expose_secret()), ("ann", "a:b"));
    }

    #[test]
    fn malformed_basic_credentials_count_as_none() {
        for value in ["Basic", "Basic ?", "Basic YW5u"] {
            assert!(basic_credentials(&parts("/", &[("authorization", value)]).headers).is_none(), "{value}");
        }
    }

    #[test]
    fn the_token_of_a_client_is_not_shown() {
        let auth = ClientAuth { user_id: UserId(1), token: "Csecret".into() };
        assert_eq!(format!("{auth:?}"), "ClientAuth { user_id: UserId(1), .. }");
    }
}
