//! Subscriptions of clients to push messages.

use std::fmt;

use async_trait::async_trait;

use crate::model::{ClientId, UserId};
use crate::store::StoreError;

/// Where a client gets push messages, as its browser says. Endpoint and keys are as secret as a token: whoever knows them can
/// send to the client.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSubscription {
    /// The URL at its push service (RFC 8030).
    pub endpoint: String,
    /// The public key that messages are encrypted for (RFC 8291): a point of P-256, uncompressed.
    pub p256dh: Vec<u8>,
    /// The secret that takes part in the encryption (RFC 8291).
    pub auth: Vec<u8>,
    /// Messages with a lower priority are not pushed.
    pub min_priority: i64,
}

impl fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushSubscription").field("min_priority", &self.min_priority).finish_non_exhaustive()
    }
}

/// The subscription of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSubscription {
    /// The client.
    pub client_id: ClientId,
    /// The client's user.
    pub user_id: UserId,
    /// Where it gets push messages.
    pub subscription: PushSubscription,
}

/// How many subscriptions the clients of a user may have.
pub const MAX_PUSH_SUBSCRIPTIONS: u64 = 100;

/// What came of saving a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscribeOutcome {
    /// It is saved.
    Saved,
    /// There is no such client, and nothing was changed.
    NoSuchClient,
    /// The clients of the user have [`MAX_PUSH_SUBSCRIPTIONS`], and nothing was changed.
    TooMany,
}

/// The subscriptions of a database. A client has one at most. It is deleted in the same transaction as its client.
#[async_trait]
pub trait PushSubscriptions: Send + Sync {
    /// Returns the key that names this server to push services. The first caller's `made_up` is stored, and returned to
    /// everybody from then on.
    async fn push_key(&self, made_up: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Returns the users that have subscriptions, in the order of ids.
    async fn users_with_push(&self) -> Result<Vec<UserId>, StoreError>;

    /// Returns the subscriptions of these users, in the order of the clients' ids.
    async fn push_subscriptions(&self, users: &[UserId]) -> Result<Vec<ClientSubscription>, StoreError>;

    /// Returns the subscription of a client.
    async fn push_subscription(&self, client: ClientId) -> Result<Option<PushSubscription>, StoreError>;

    /// Gives a client a subscription in place of the one that it had. Another client that had the same endpoint loses
    /// it: it is the same browser.
    async fn save_push_subscription(
        &self,
        client: ClientId,
        subscription: &PushSubscription,
    ) -> Result<SubscribeOutcome, StoreError>;

    /// Deletes the subscription of a client; with an `endpoint`, only if it has that one. False if there was none.
    async fn delete_push_subscription(
        &self,
        client: ClientId,
        endpoint: Option<&str>,
    ) -> Result<bool, StoreError>;
}
