//! What a request carries to say who it comes from.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::cross_origin;
use crate::api::cookie::{self, CookieUse, NAME};
use crate::api::{ApiError, ClientAddress, query};
use crate::auth::{AuthenticatedClient, Authenticator, LoginError, TokenApplication};
use crate::model::User;

const KEY_HEADER: &str = "x-gotify-key";

/// What a request carries, with what knows whose it is.
pub(super) struct RequestCredentials<'r> {
    parts: &'r Parts,
    auth: &'r Authenticator,
    token: Option<Cow<'r, str>>,
    in_cookie: bool,
    /// Whether it opens a stream.
    pub(super) opens_stream: bool,
}

impl<'r> RequestCredentials<'r> {
    /// Looks for a token. Refuses a request that another site's page may have made with the cookie.
    pub(super) fn by(parts: &'r Parts, auth: &'r Authenticator) -> Result<Self, ApiError> {
        let token = token(parts);
        let in_cookie = token.is_none();
        let token = token.or_else(|| cookie(&parts.headers));
        if in_cookie
            && token.is_some()
            && let Some(why) = cross_origin::refusal(parts)
        {
            return Err(ApiError::ForbiddenWith(why));
        }
        Ok(Self { parts, auth, token, in_cookie, opens_stream: false })
    }

    /// Returns the user whose name and password the request carries. The inner error is the answer unless a token
    /// decides otherwise: a proxy in front may have passwords of its own, which are none here.
    pub(super) async fn user(&self) -> Result<Result<User, ApiError>, ApiError> {
        let Some((name, password)) = basic_credentials(&self.parts.headers) else {
            return Ok(Err(ApiError::Unauthorized));
        };
        let from = ClientAddress::of(&self.parts.extensions).map(|from| from.0);
        match self.auth.user(from, &name, password).await {
            Ok(user) => Ok(user.ok_or(ApiError::Unauthorized)),
            Err(limited @ LoginError::TooManyFailures { .. }) => Ok(Err(limited.into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the client whose token the request carries.
    pub(super) async fn client(&self) -> Result<Option<AuthenticatedClient>, ApiError> {
        let Some(token) = &self.token else { return Ok(None) };
        // What is known of a cookie's use must be kept.
        let found = if self.opens_stream && !self.in_cookie {
            self.auth.client_of_stream(token).await?
        } else {
            self.auth.client(token).await?
        };
        if let Some(found) = &found
            && self.in_cookie
            && found.client.claim_cookie(self.auth.now())
        {
            CookieUse::note(&self.parts.extensions);
        }
        Ok(found)
    }

    /// Returns the application whose token the request carries.
    pub(super) async fn application(&self) -> Result<Option<Arc<TokenApplication>>, ApiError> {
        match &self.token {
            Some(token) => Ok(self.auth.application(token).await?),
            None => Ok(None),
        }
    }
}

/// Returns the token of the first place that is not empty, but for the cookie.
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

/// Returns the token in the session's cookie, if it is not empty.
pub(in crate::api) fn cookie(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let cookie = cookie::sent(headers, NAME).next()?;
    let token = cookie.value_trimmed();
    (!token.is_empty()).then(|| Cow::Owned(token.to_owned()))
}

/// Returns the name and password of `Authorization: Basic`.
pub(in crate::api) fn basic_credentials(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let decoded = BASE64_STANDARD.decode(credentials(headers, "Basic")?).ok()?;
    let decoded = SecretString::from(String::from_utf8(decoded).ok()?);
    let (name, password) = decoded.expose_secret().split_once(':')?;
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
    fn the_cookie_is_found_among_others() {
        let found = |values: &[&str]| {
            let headers: Vec<_> = values.iter().map(|value| ("cookie", *value)).collect();
            cookie(&parts("/", &headers).headers).map(Cow::into_owned)
        };
        let token = || Some("Cabc".to_owned());
        assert_eq!(found(&["gotify-client-token=Cabc"]), token());
        assert_eq!(found(&["a=b; gotify-client-token=Cabc;c=d"]), token());
        assert_eq!(found(&["a=b", "gotify-client-token=\"Cabc\""]), token());
        assert_eq!(found(&["gotify-client-token=C%61bc; gotify-client-token=other"]), token());
        for none in ["", "gotify-client-token", "gotify-client-token=", "x-gotify-client-token=Cabc", "a=%"] {
            assert_eq!(found(&[none]), None, "{none}");
        }
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
}
