//! The objects that travel on Gotify's wire, and the ids that name them.
//!
//! Field names and order are Gotify 3.0's, which added to 2.9's; see the [API facts](https://gotify.net/api-docs).

mod application;
mod application_state;
mod client;
mod compatibility;
mod id;
mod message;
mod timestamp;
mod user;

pub use application::Application;
pub use application_state::ApplicationState;
pub use client::Client;
pub use compatibility::Compatibility;
pub use id::{ApplicationId, ClientId, MessageId, UserId};
pub(crate) use message::extras_bytes;
pub use message::{Extras, Message};
pub use timestamp::Timestamp;
pub(crate) use user::can_log_in;
pub use user::{CurrentUser, User};

#[cfg(feature = "sqlite")]
pub(crate) use timestamp::{Layout, to_text};
pub(crate) use timestamp::{serialize as serialize_timestamp, zero_time};
