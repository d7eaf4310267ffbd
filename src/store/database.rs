//! What a database must be able to do: one trait for each kind of row, and [`Database`], which is all of them.

use std::fmt;

use async_trait::async_trait;

use super::StoreError;
use crate::model::{Timestamp, UserId};

mod application_states;
mod applications;
mod clients;
mod heads;
mod logins;
mod messages;
mod pictures;
mod push;
mod retention;
mod revocation_log;
mod search;
mod users;

pub use application_states::{ApplicationStates, KeepMessages};
pub use applications::{Applications, NewApplication, UpdateApplication};
pub use clients::{Clients, NewClient, UpdateClient};
pub use heads::{DatabaseTime, Heads};
pub use logins::Logins;
pub use messages::{InsertOutcome, Inserted, MessageChoice, MessagePage, Messages, NewMessage};
pub use pictures::Pictures;
pub use push::{
    ClientSubscription, MAX_PUSH_SUBSCRIPTIONS, PushSubscription, PushSubscriptions, SubscribeOutcome,
};
pub use retention::{DeletedMessages, ExcessMessages, KeptMessages, OldMessages, Retention, RetentionRule};
#[cfg(feature = "sqlite")]
pub(crate) use revocation_log::FileState;
pub use revocation_log::{LastWrite, LoggedRevocation, RevocationId, RevocationLog};
pub use search::Search;
pub use users::{Credential, DeletedUser, NewLinkedUser, NewUser, UpdateUser, UserChange, Users};

/// A row with the user that owns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned<T> {
    /// The owner.
    pub user_id: UserId,
    /// The row.
    pub row: T,
}

/// One database. Every method is one transaction: all of it happens, or none.
///
/// A look-up that finds nothing is `Ok(None)`. All methods are cancel safe in the sense that a dropped future
/// leaves the change either made or not made.
#[async_trait]
pub trait Database:
    Users
    + Applications
    + ApplicationStates
    + Clients
    + Messages
    + Search
    + Pictures
    + Heads
    + Logins
    + PushSubscriptions
    + Retention
    + RevocationLog
    + fmt::Debug
    + 'static
{
    /// Returns the kind of the database, in lower case, as in `sqlite`.
    fn kind(&self) -> &'static str {
        "other"
    }

    /// Checks whether a message could be stored now, and reads are answered. It is cheap enough to be called by
    /// anybody at any time: an answer may be a second old, and nothing is written where nothing is in doubt.
    async fn check(&self) -> Result<(), StoreError>;

    /// Returns a time as it reads back once it was stored: databases keep different parts of a second, and not all of
    /// them the zone.
    fn kept(&self, time: Timestamp) -> Timestamp {
        time
    }

    /// Closes the connections once what runs on them has ended.
    async fn close(&self);
}
