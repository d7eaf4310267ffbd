//! The clients: which connection each operation of [`Clients`] runs on, and what it is called when it fails.

use async_trait::async_trait;

use crate::model::{Client, ClientId, MessageId, Timestamp, UserId};
use crate::store::sql::{Backend, Connections as _, Lease as _, clients, tokens};
use crate::store::{Clients, NewClient, Owned, Slice, StoreError, UpdateClient};

#[async_trait]
impl<B: Backend> Clients for B {
    async fn create_client(&self, client: NewClient) -> Result<Client, StoreError> {
        let mut lease = self.writers().lease("create a client").await?;
        let result = clients::create(&mut lease.session(), client).await;
        lease.end(result).await?.ok_or(StoreError::NoSuchUser)
    }

    async fn list_clients(
        &self,
        user: UserId,
        max_bytes: usize,
    ) -> Result<Slice<Client, ClientId>, StoreError> {
        read!(self, "list clients", clients::listed(user, max_bytes))
    }

    async fn clients_by_id(&self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        read!(self, "read clients", clients::by_ids(ids))
    }

    async fn client(&self, id: ClientId) -> Result<Option<Owned<Client>>, StoreError> {
        read!(self, "read a client", clients::by_id(id))
    }

    async fn client_by_token(&self, token: &str) -> Result<Option<Owned<Client>>, StoreError> {
        read!(self, "read a client", clients::by_token(token))
    }

    async fn update_client(
        &self,
        id: ClientId,
        change: UpdateClient,
        now: Timestamp,
    ) -> Result<Option<Client>, StoreError> {
        let mut lease = self.writers().lease("update a client").await?;
        let result = clients::update(&mut lease.session(), id, change, now).await;
        lease.end(result).await
    }

    async fn elevate_client(
        &self,
        id: ClientId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Client>, StoreError> {
        let mut lease = self.writers().lease("elevate a client").await?;
        let result = clients::elevate(&mut lease.session(), id, until, now).await;
        lease.end(result).await
    }

    async fn delete_client(&self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let mut lease = self.writers().lease("delete a client").await?;
        let result = clients::delete(&mut lease.session(), id).await;
        lease.end(result).await
    }

    async fn touch_clients(&self, ids: &[ClientId], at: Timestamp) -> Result<(), StoreError> {
        let mut lease = self.writers().lease("note when clients were used").await?;
        let result = clients::touch(&mut lease.session(), ids, at).await;
        lease.end(result).await
    }

    async fn touch_client_tokens(
        &self,
        tokens: &[Box<str>],
        at: Timestamp,
    ) -> Result<Vec<String>, StoreError> {
        let mut lease = self.writers().lease("note when clients were used").await?;
        let result = clients::touch_tokens(&mut lease.session(), tokens, at).await;
        lease.end(result).await
    }

    async fn acknowledged(&self, id: ClientId) -> Result<Option<MessageId>, StoreError> {
        read!(self, "look for what a client has acknowledged", clients::acknowledged(id))
    }

    async fn acknowledge(&self, acknowledged: &[(ClientId, MessageId)]) -> Result<(), StoreError> {
        let mut lease = self.writers().lease("note what clients have acknowledged").await?;
        let result = clients::acknowledge(&mut lease.session(), acknowledged).await;
        lease.end(result).await
    }

    async fn any_token_begins_with(&self, beginning: &str) -> Result<bool, StoreError> {
        read!(self, "look for tokens", tokens::any_begins_with(beginning))
    }

    async fn next_client_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        read!(self, "look for clients that expire", clients::next_expiry())
    }

    async fn delete_expired_clients(&self, now: Timestamp) -> Result<Vec<Owned<String>>, StoreError> {
        let mut lease = self.writers().lease("delete expired clients").await?;
        let result = clients::delete_expired(&mut lease.session(), now).await;
        lease.end(result).await
    }
}
