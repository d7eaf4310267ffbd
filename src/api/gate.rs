//! Who is asking, and whether they may.
//!
//! A token is taken from the first of these places that is not empty, and from no other: the query's `token`,
//! the header `X-Gotify-Key`, `Authorization: Bearer`, and the cookie of a session. A name and password come before
//! any token; if they are wrong, the token decides. After too many wrong ones they are not looked at any more, and the
//! token decides too; without one the answer is 429. A request that a foreign page makes with the cookie is refused.
//!
//! The gates are arguments of the handlers behind them: [`ClientAuth`], [`ElevatedAuth`], [`AdminAuth`], [`AdminViewAuth`],
//! [`OptionalAuth`], and [`SenderAuth`] for sending.

mod admin;
mod client;
mod credentials;
mod cross_origin;
mod optional;
mod sender;

pub use admin::{AdminAuth, AdminViewAuth};
pub(super) use client::StreamAuth;
pub use client::{ClientAuth, ElevatedAuth};
pub(super) use credentials::{basic_credentials, cookie};
pub use optional::OptionalAuth;
pub(super) use optional::OptionalClientAuth;
pub use sender::SenderAuth;
