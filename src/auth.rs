//! Authentication: tokens, passwords, and the authenticator, which checks both.
//!
//! [`Authenticator`] finds the user of a token, or of a name and password. There is no other way to do so. It asks an
//! implementation of [`Authenticate`]. The default is [`StoredCredentials`], which reads the database. It keeps the
//! tokens that it has seen in a bounded cache, so that most messages are accepted without a look-up in the database.
//! Code that changes or deletes the owner of a token must apply a [`Revocation`] afterwards.
//!
//! There are three tasks. One belongs to the stored credentials, and writes when tokens were last used.
//! [`ClientExpiry`] deletes clients that nobody uses any more. [`RevocationReader`] applies what commands and other servers
//! have revoked.

mod authenticate;
mod authenticator;
mod cache;
mod clock;
mod doorkeeper;
mod expiry;
mod identity;
mod last_used;
mod log_reader;
mod login;
mod login_limit;
mod observer;
#[cfg(feature = "oidc")]
mod openid;
mod password;
mod revoke;
mod stored;
mod stream_check;
mod token;
mod token_owner;

pub use crate::store::Revocation;
pub use authenticate::Authenticate;
pub use authenticator::{AuthError, AuthenticatedClient, Authenticator, AuthenticatorParts};
pub use clock::Clock;
pub use expiry::ClientExpiry;
pub use identity::{Authorization, Exchange, Identity, IdentityError, IdentityProvider, Pkce};
pub use last_used::TokenHolder;
pub use log_reader::RevocationReader;
pub use login::LoginError;
pub(crate) use login::whole_seconds;
pub use login_limit::LoginLimits;
pub use observer::LoginObserver;
#[cfg(feature = "oidc")]
pub use openid::{OpenId, OpenIdConfig, OpenIdError};
pub use password::{HashPasswordError, MAX_PASSWORD_BYTES, Overloaded, Passwords, random_password};
pub use stored::StoredCredentials;
pub(crate) use token::FORM_OF_GOTIFY_3;
pub use token::{NewToken, TokenError, TokenKind, application_token, client_token};
pub use token_owner::{TokenApplication, TokenClient};
