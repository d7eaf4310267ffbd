//! Who is asking: tokens, passwords, and the authenticator that knows both.
//!
//! [`Authenticator`] is the one way from a token or a name and password to a user. It asks an [`Authenticate`]:
//! [`StoredCredentials`], unless the node was given another. That one keeps tokens it has seen in a bounded cache,
//! so that a message is accepted without a look-up in the database. Whoever changes or deletes what a token stands for
//! applies a [`Revocation`] afterwards.
//!
//! Tasks: one, owned by the stored credentials, writes when tokens were last used; another, [`ClientExpiry`], deletes
//! clients that are not used any more.

mod authenticate;
mod authenticator;
mod cache;
mod clock;
mod expiry;
mod identity;
mod known;
mod last_used;
mod login;
mod login_limit;
mod observer;
#[cfg(feature = "oidc")]
mod openid;
mod password;
mod revoke;
mod stored;
mod token;

pub use authenticate::Authenticate;
pub use authenticator::{AuthError, AuthenticatedClient, Authenticator, AuthenticatorParts};
pub use clock::Clock;
pub use expiry::ClientExpiry;
pub use identity::{Authorization, Exchange, Identity, IdentityError, IdentityProvider, Pkce};
pub use known::{KnownApplication, KnownClient};
pub use last_used::TokenHolder;
pub use login::LoginError;
pub(crate) use login::whole_seconds;
pub use login_limit::LoginLimits;
pub use observer::LoginObserver;
#[cfg(feature = "oidc")]
pub use openid::{OpenId, OpenIdConfig, OpenIdError};
pub use password::{HashPasswordError, MAX_PASSWORD_BYTES, Overloaded, Passwords, random_password};
pub use revoke::Revocation;
pub use stored::StoredCredentials;
pub use token::{NewToken, TokenError, TokenKind, application_token, client_token};
