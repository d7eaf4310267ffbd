//! Clients, their tokens and their expiry.

use std::fmt;

use async_trait::async_trait;

use super::Owned;
use crate::model::{Client, ClientId, MessageId, Timestamp, UserId};
use crate::store::{Slice, StoreError};

/// A client to be made.
pub struct NewClient {
    /// Its owner.
    pub user_id: UserId,
    /// Its token, unique.
    pub token: String,
    /// Its name.
    pub name: String,
    /// When it is made.
    pub created_at: Timestamp,
    /// Until when it may do what is dangerous.
    pub elevated_until: Option<Timestamp>,
    /// After how many seconds without use it expires; 0 is never.
    pub expires_after_inactivity_seconds: u64,
    /// Whether it gets again what it has not acknowledged; `None` leaves it to the configuration.
    pub replay: Option<bool>,
}

impl NewClient {
    /// A client that never expires and is not elevated.
    pub fn new(
        user_id: UserId,
        token: impl Into<String>,
        name: impl Into<String>,
        created_at: Timestamp,
    ) -> Self {
        Self {
            user_id,
            token: token.into(),
            name: name.into(),
            created_at,
            elevated_until: None,
            expires_after_inactivity_seconds: 0,
            replay: None,
        }
    }
}

/// What a client is changed to.
#[derive(Clone, Debug)]
pub struct UpdateClient {
    /// Its name.
    pub name: String,
    /// After how many seconds without use it expires, 0 for never; `None` leaves it as it is.
    pub expires_after_inactivity_seconds: Option<u64>,
    /// Whether it gets again what it has not acknowledged; `None` leaves it as it is.
    pub replay: Option<bool>,
}

impl fmt::Debug for NewClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewClient")
            .field("user_id", &self.user_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The clients of a database. Each method is one transaction, see [`Database`](super::Database).
#[async_trait]
pub trait Clients: Send + Sync {
    /// Makes a client. [`StoreError::Conflict`] if the token is taken, [`StoreError::NoSuchUser`] if its owner is
    /// not there, or not any more.
    async fn create_client(&self, client: NewClient) -> Result<Client, StoreError>;
    /// Lists a user's clients by id, up to so many bytes. This and the look-ups below return also those that have
    /// expired and are not deleted yet, see [`Client::has_expired`].
    async fn list_clients(
        &self,
        user: UserId,
        max_bytes: usize,
    ) -> Result<Slice<Client, ClientId>, StoreError>;
    /// Returns the clients of these ids, whoever owns them, in this order, without those that are not there.
    async fn clients_by_id(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError>;
    /// As [`list_clients`](Self::list_clients), whatever their size.
    async fn clients(&self, user: UserId) -> Result<Vec<Client>, StoreError> {
        Ok(self.list_clients(user, usize::MAX).await?.rows)
    }
    /// Returns the client of that id, whoever owns it.
    async fn client(&self, id: ClientId) -> Result<Option<Owned<Client>>, StoreError>;
    /// Returns the client with that token.
    async fn client_by_token(&self, token: &str) -> Result<Option<Owned<Client>>, StoreError>;
    /// Changes a client and returns it; `None` if there is none, or if it has expired by `now`. Its expiry is counted
    /// from its last use, or else from when it was made.
    async fn update_client(
        &self,
        id: ClientId,
        change: UpdateClient,
        now: Timestamp,
    ) -> Result<Option<Client>, StoreError>;
    /// Sets until when a client may do what is dangerous, and returns the client; `None` if there is none, or if it has
    /// expired by `now`.
    async fn elevate_client(
        &self,
        id: ClientId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Client>, StoreError>;
    /// Deletes a client and returns it as it was at that moment; `None` if there was none.
    async fn delete_client(&self, id: ClientId) -> Result<Option<Client>, StoreError>;
    /// Sets when these clients' tokens were last used, and puts off when they expire. One that has expired by then
    /// is left as it is.
    async fn touch_clients(&self, ids: &[ClientId], at: Timestamp) -> Result<(), StoreError>;
    /// As [`touch_clients`](Self::touch_clients), by their tokens; returns those that no client has.
    async fn touch_client_tokens(
        &self,
        tokens: &[Box<str>],
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError>;
    /// Returns the newest message that a client has acknowledged; `None` if it has acknowledged none.
    async fn acknowledged(&self, id: ClientId) -> Result<Option<MessageId>, StoreError>;
    /// Notes that these clients have everything up to these messages. One that had acknowledged more, whose replay is
    /// switched off, or that is not there, is left as it is.
    async fn acknowledge(&self, acknowledged: &[(ClientId, MessageId)]) -> Result<(), StoreError>;
    /// Answers whether any client or application has a token that begins with this text, of ASCII letters alone.
    async fn any_token_begins_with(&self, beginning: &str) -> Result<bool, StoreError>;
    /// Returns when the first of all clients expires, to the millisecond; `None` if none does.
    async fn next_client_expiry(&self) -> Result<Option<Timestamp>, StoreError>;
    /// Deletes the clients that have expired by `now`, and returns their tokens.
    async fn delete_expired_clients(&self, now: Timestamp) -> Result<Vec<Owned<String>>, StoreError>;
}
