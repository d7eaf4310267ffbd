//! `/auth/oidc`: logging in through an identity provider, with PKCE. The routes exist where there is a provider.
//!
//! A browser is sent to the provider with a state, comes back with it and a code, and gets a session, or elevates
//! one. What was begun is in the state, see [`begun`], and bound to the browser by a cookie. An app does the same by itself,
//! see [`external`].

mod account;
mod answer;
mod begun;
mod browser;
mod external;

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa_axum::router::OpenApiRouter;

use super::{ApiError, AppState};
use crate::auth::{IdentityError, IdentityProvider};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(browser::router()).merge(external::router())
}

/// An identity provider, and what its users may do here. Cloning is cheap and shares everything.
#[derive(Clone)]
pub struct Oidc {
    provider: Arc<dyn IdentityProvider>,
    settings: OidcSettings,
}

/// What the users of an identity provider may do here.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OidcSettings {
    /// Whether whoever the provider knows gets a user. Default true.
    pub auto_register: bool,
    /// Whether whoever goes by the name of a user there is that user here. Default false.
    pub link_by_username: bool,
}

with_methods!(OidcSettings {
    with_auto_register(auto_register: bool),
    with_link_by_username(link_by_username: bool),
});

impl Default for OidcSettings {
    fn default() -> Self {
        Self { auto_register: true, link_by_username: false }
    }
}

impl Oidc {
    /// Lets the users of a provider log in.
    pub fn new(provider: Arc<dyn IdentityProvider>, settings: OidcSettings) -> Self {
        Self { provider, settings }
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc").field("provider", &self.provider).field("settings", &self.settings).finish()
    }
}

impl FromRequestParts<AppState> for Oidc {
    type Rejection = ApiError;

    /// The routes that ask for it exist only where it is there.
    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        state.oidc.clone().ok_or(ApiError::NoRoute)
    }
}

/// Logs the cause, which the client does not see.
impl From<IdentityError> for ApiError {
    fn from(error: IdentityError) -> Self {
        match &error {
            IdentityError::Unavailable(_) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a login found no identity provider"
                );
                Self::NoIdentityProvider
            }
            IdentityError::Refused(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a login was refused");
                Self::UnauthorizedWith("token exchange failed")
            }
            IdentityError::Invalid(text) => Self::BadRequest((*text).to_owned()),
        }
    }
}
