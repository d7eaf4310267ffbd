//! Who is asking: tokens, passwords, and the authenticator that knows both.
//!
//! [`Authenticator`] is the one way from a token or a name and password to a user. Tokens it has seen are
//! kept in a bounded cache, so that a message is accepted without a look-up in the database; whoever changes
//! or deletes what a token stands for calls [`Authenticator::forget_application`] or
//! [`Authenticator::forget_client`] afterwards.
//!
//! Tasks: one, owned by the authenticator, writes when tokens were last used.

mod authenticator;
mod cache;
mod last_used;
mod password;
mod token;

pub use authenticator::{Authenticator, KnownApplication, KnownClient};
pub use password::{HashPasswordError, MAX_PASSWORD_BYTES, Passwords};
pub use token::{application_token, client_token};
