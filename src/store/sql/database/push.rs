//! Push subscriptions: which connection each operation of [`PushSubscriptions`] runs on, and what it is called when it
//! fails.

use async_trait::async_trait;

use crate::model::{ClientId, UserId};
use crate::store::sql::{Backend, Connections as _, Lease as _, keys, push};
use crate::store::{ClientSubscription, PushSubscription, PushSubscriptions, StoreError, SubscribeOutcome};

#[async_trait]
impl<B: Backend> PushSubscriptions for B {
    async fn push_key(&self, made_up: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let Some(key) = read!(self, "read the push key", keys::find(&keys::PUSH))? {
            return Ok(key);
        }
        let mut lease = self.writers().lease("make the push key").await?;
        let result = keys::make(&mut lease.session(), &keys::PUSH, made_up).await;
        lease.end(result).await
    }

    async fn users_with_push(&self) -> Result<Vec<UserId>, StoreError> {
        read!(self, "list users with push subscriptions", push::users())
    }

    async fn push_subscriptions(&self, users: &[UserId]) -> Result<Vec<ClientSubscription>, StoreError> {
        read!(self, "list push subscriptions", push::of_users(users))
    }

    async fn push_subscription(&self, client: ClientId) -> Result<Option<PushSubscription>, StoreError> {
        read!(self, "read a push subscription", push::of_client(client))
    }

    async fn save_push_subscription(
        &self,
        client: ClientId,
        subscription: &PushSubscription,
    ) -> Result<SubscribeOutcome, StoreError> {
        let mut lease = self.writers().lease("save a push subscription").await?;
        let result = push::save(&mut lease.session(), client, subscription).await;
        lease.end(result).await
    }

    async fn delete_push_subscription(
        &self,
        client: ClientId,
        endpoint: Option<&str>,
    ) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("delete a push subscription").await?;
        let result = push::delete(&mut lease.session(), client, endpoint).await;
        lease.end(result).await
    }
}
