//! The extension point for identity providers: OpenID Connect, as a browser or an app goes through it.

use std::error::Error;
use std::fmt;

use async_trait::async_trait;

/// Sends people to a provider, and learns from it who came back.
///
/// `OpenId` is the implementation, with the feature `oidc`. All methods may wait for the provider, and are cancel
/// safe: a dropped future leaves at most a code that was used up.
#[async_trait]
pub trait IdentityProvider: Send + Sync + fmt::Debug + 'static {
    /// Returns the URL where somebody logs in, for a browser to open.
    async fn authorize_url(&self, request: Authorization<'_>) -> Result<String, IdentityError>;

    /// Exchanges the code that somebody came back with for who that is.
    async fn identify(&self, exchange: Exchange<'_>) -> Result<Identity, IdentityError>;
}

/// What somebody is sent to the provider with.
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    /// What is to come back with them.
    pub state: &'a str,
    /// What must be in what the provider says about them.
    pub nonce: &'a str,
    /// What ties the code that they come back with to who asked for it (RFC 7636).
    pub pkce: Pkce<'a>,
    /// Where they come back to; `None` for this server.
    pub redirect_uri: Option<&'a str>,
}

/// The proof key of an authorization, by the method `S256`.
#[derive(Clone, Copy)]
pub enum Pkce<'a> {
    /// The key, of which the challenge is made.
    Verifier(&'a str),
    /// The challenge alone: somebody else has the key.
    Challenge(&'a str),
}

/// What somebody came back with, and what they were sent with.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The code.
    pub code: &'a str,
    /// The proof key.
    pub verifier: &'a str,
    /// The nonce that they were sent with.
    pub nonce: &'a str,
    /// Where they were sent back to; `None` for this server.
    pub redirect_uri: Option<&'a str>,
}

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's URL.
    pub issuer: String,
    /// Their id there, which never changes.
    pub subject: String,
    /// The name that they go by, if the provider tells one.
    pub username: Option<String>,
}

impl Identity {
    /// Returns the id as it is stored: `issuer#subject`, as Gotify has it.
    pub fn id(&self) -> String {
        format!("{}#{}", self.issuer, self.subject)
    }
}

/// Why the provider did not identify anybody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The provider can't be reached, or does not answer as one does.
    #[error("the identity provider is unavailable, try again later")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The provider does not take the code, or what it says does not hold.
    #[error("token exchange failed")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// What somebody else gave to be passed on is not what it must be.
    #[error("{0}")]
    Invalid(&'static str),
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pkce<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkce").finish_non_exhaustive()
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_stored_as_gotify_stores_it() {
        let identity =
            Identity { issuer: "https://id.example".to_owned(), subject: "7".to_owned(), username: None };
        assert_eq!(identity.id(), "https://id.example#7");
    }

    #[test]
    fn codes_and_keys_are_not_shown() {
        let exchange = Exchange { code: "secret", verifier: "secret", nonce: "secret", redirect_uri: None };
        let authorization = Authorization {
            state: "secret",
            nonce: "secret",
            pkce: Pkce::Verifier("secret"),
            redirect_uri: None,
        };
        assert!(!format!("{exchange:?} {authorization:?} {:?}", authorization.pkce).contains("secret"));
    }
}
