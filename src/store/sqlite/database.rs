//! The trait: which connection each operation runs on, and what it is called when it fails.

use async_trait::async_trait;
use sqlx::Connection as _;

use super::{Sqlite, applications, clients, identities, messages, users};
use crate::model::{
    Application, ApplicationId, Client, ClientId, Message, MessageId, Timestamp, User, UserId,
};
use crate::store::{
    Credential, Database, DeletedUser, MessagePage, NewApplication, NewClient, NewLinkedUser, NewMessage,
    NewUser, Owned, StoreError, UpdateApplication, UpdateClient, UpdateUser, UserChange,
};

#[async_trait]
impl Database for Sqlite {
    async fn ping(&self) -> Result<(), StoreError> {
        let mut lease = self.readers.lease("ping").await?;
        let result = lease.ping().await;
        lease.end(result)
    }

    async fn close(&self) {
        // The last connection to close moves the write-ahead log into the file: it must be one that writes.
        self.readers.close().await;
        if let Err(error) = self.writer.close().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "failed to close the database");
        }
    }

    async fn user_count(&self) -> Result<u64, StoreError> {
        let mut lease = self.readers.lease("count users").await?;
        let result = users::count(&mut lease).await;
        lease.end(result)
    }

    async fn create_user(&self, user: NewUser) -> Result<User, StoreError> {
        let mut lease = self.writer.lease("create a user").await?;
        let result = users::create(&mut lease, user).await;
        lease.end(result).await
    }

    async fn user(&self, id: UserId) -> Result<Option<Credential>, StoreError> {
        let mut lease = self.readers.lease("read a user").await?;
        let result = users::by_id(&mut lease, id).await;
        lease.end(result)
    }

    async fn user_by_name(&self, name: &str) -> Result<Option<Credential>, StoreError> {
        let mut lease = self.readers.lease("read a user").await?;
        let result = users::by_name(&mut lease, name).await;
        lease.end(result)
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        let mut lease = self.readers.lease("list users").await?;
        let result = users::all(&mut lease).await;
        lease.end(result)
    }

    async fn update_user(&self, id: UserId, change: UpdateUser) -> Result<UserChange<User>, StoreError> {
        let mut lease = self.writer.lease("update a user").await?;
        let result = users::update(&mut lease, id, change).await;
        lease.end(result).await
    }

    async fn delete_user(&self, id: UserId) -> Result<UserChange<DeletedUser>, StoreError> {
        let mut lease = self.writer.lease("delete a user").await?;
        let result = users::delete(&mut lease, id).await;
        lease.end(result).await
    }

    async fn user_by_oidc_id(&self, oidc_id: &str) -> Result<Option<User>, StoreError> {
        let mut lease = self.readers.lease("read a user").await?;
        let result = identities::user(&mut lease, oidc_id).await;
        lease.end(result)
    }

    async fn create_linked_user(&self, user: NewLinkedUser) -> Result<User, StoreError> {
        let mut lease = self.writer.lease("create a user").await?;
        let result = identities::create(&mut lease, user).await;
        lease.end(result).await
    }

    async fn link_user(&self, id: UserId, oidc_id: &str) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("link a user").await?;
        let result = identities::link(&mut lease, id, oidc_id).await;
        lease.end(result).await
    }

    async fn set_password_hash(&self, id: UserId, hash: &str) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("change a password").await?;
        let result = users::set_password_hash(&mut lease, id, hash).await;
        lease.end(result).await
    }

    async fn replace_password_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("renew a password hash").await?;
        let result = users::replace_password_hash(&mut lease, id, old, new).await;
        lease.end(result).await
    }

    async fn highest_password_cost(&self) -> Result<Option<u32>, StoreError> {
        let mut lease = self.readers.lease("read password costs").await?;
        let result = users::highest_password_cost(&mut lease).await;
        lease.end(result)
    }

    async fn create_application(&self, application: NewApplication) -> Result<Application, StoreError> {
        let mut lease = self.writer.lease("create an application").await?;
        let result = applications::create(&mut lease, application).await;
        lease.end(result).await?.ok_or(StoreError::NoSuchUser)
    }

    async fn applications(&self, user: UserId) -> Result<Vec<Application>, StoreError> {
        let mut lease = self.readers.lease("list applications").await?;
        let result = applications::of_user(&mut lease, user).await;
        lease.end(result)
    }

    async fn application(&self, id: ApplicationId) -> Result<Option<Owned<Application>>, StoreError> {
        let mut lease = self.readers.lease("read an application").await?;
        let result = applications::by_id(&mut lease, id).await;
        lease.end(result)
    }

    async fn application_by_token(&self, token: &str) -> Result<Option<Owned<Application>>, StoreError> {
        let mut lease = self.readers.lease("read an application").await?;
        let result = applications::by_token(&mut lease, token).await;
        lease.end(result)
    }

    async fn update_application(
        &self,
        id: ApplicationId,
        change: UpdateApplication,
    ) -> Result<Option<Application>, StoreError> {
        let mut lease = self.writer.lease("update an application").await?;
        let result = applications::update(&mut lease, id, change).await;
        lease.end(result).await
    }

    async fn set_application_token(&self, id: ApplicationId, token: &str) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("change an application's token").await?;
        let result = applications::set_token(&mut lease, id, token).await;
        lease.end(result).await
    }

    async fn set_application_image(
        &self,
        id: ApplicationId,
        file: &str,
    ) -> Result<Option<(Application, String)>, StoreError> {
        let mut lease = self.writer.lease("change an application's picture").await?;
        let result = applications::set_image(&mut lease, id, file).await;
        lease.end(result).await
    }

    async fn delete_application(&self, id: ApplicationId) -> Result<Option<Application>, StoreError> {
        let mut lease = self.writer.lease("delete an application").await?;
        let result = applications::delete(&mut lease, id).await;
        lease.end(result).await
    }

    async fn touch_applications(&self, ids: &[ApplicationId], at: Timestamp) -> Result<(), StoreError> {
        let mut lease = self.writer.lease("note when applications were used").await?;
        let result = applications::touch(&mut lease, ids, at).await;
        lease.end(result).await
    }

    async fn create_client(&self, client: NewClient) -> Result<Client, StoreError> {
        let mut lease = self.writer.lease("create a client").await?;
        let result = clients::create(&mut lease, client).await;
        lease.end(result).await?.ok_or(StoreError::NoSuchUser)
    }

    async fn clients(&self, user: UserId) -> Result<Vec<Client>, StoreError> {
        let mut lease = self.readers.lease("list clients").await?;
        let result = clients::of_user(&mut lease, user).await;
        lease.end(result)
    }

    async fn client(&self, id: ClientId) -> Result<Option<Owned<Client>>, StoreError> {
        let mut lease = self.readers.lease("read a client").await?;
        let result = clients::by_id(&mut lease, id).await;
        lease.end(result)
    }

    async fn client_by_token(&self, token: &str) -> Result<Option<Owned<Client>>, StoreError> {
        let mut lease = self.readers.lease("read a client").await?;
        let result = clients::by_token(&mut lease, token).await;
        lease.end(result)
    }

    async fn update_client(&self, id: ClientId, change: UpdateClient) -> Result<Option<Client>, StoreError> {
        let mut lease = self.writer.lease("update a client").await?;
        let result = clients::update(&mut lease, id, change).await;
        lease.end(result).await
    }

    async fn elevate_client(&self, id: ClientId, until: Timestamp) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("elevate a client").await?;
        let result = clients::elevate(&mut lease, id, until).await;
        lease.end(result).await
    }

    async fn delete_client(&self, id: ClientId) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("delete a client").await?;
        let result = clients::delete(&mut lease, id).await;
        lease.end(result).await
    }

    async fn touch_clients(&self, ids: &[ClientId], at: Timestamp) -> Result<(), StoreError> {
        let mut lease = self.writer.lease("note when clients were used").await?;
        let result = clients::touch(&mut lease, ids, at).await;
        lease.end(result).await
    }

    async fn touch_client_tokens(&self, tokens: &[Box<str>], at: Timestamp) -> Result<(), StoreError> {
        let mut lease = self.writer.lease("note when clients were used").await?;
        let result = clients::touch_tokens(&mut lease, tokens, at).await;
        lease.end(result).await
    }

    async fn next_client_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        let mut lease = self.readers.lease("look for clients that expire").await?;
        let result = clients::next_expiry(&mut lease).await;
        lease.end(result)
    }

    async fn delete_expired_clients(&self, now: Timestamp) -> Result<Vec<Owned<String>>, StoreError> {
        let mut lease = self.writer.lease("delete expired clients").await?;
        let result = clients::delete_expired(&mut lease, now).await;
        lease.end(result).await
    }

    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Vec<MessageId>, StoreError> {
        let mut lease = self.writer.lease("insert messages").await?;
        let result = messages::insert(&mut lease, messages).await;
        lease.end(result).await
    }

    async fn messages(&self, user: UserId, page: MessagePage) -> Result<Vec<Message>, StoreError> {
        let mut lease = self.readers.lease("list messages").await?;
        let result = messages::of_user(&mut lease, user, page).await;
        lease.end(result)
    }

    async fn application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
    ) -> Result<Vec<Message>, StoreError> {
        let mut lease = self.readers.lease("list messages").await?;
        let result = messages::of_application(&mut lease, application, page).await;
        lease.end(result)
    }

    async fn messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let mut lease = self.readers.lease("list messages").await?;
        let result = messages::after(&mut lease, user, after, limit).await;
        lease.end(result)
    }

    async fn count_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let mut lease = self.readers.lease("count messages").await?;
        let result = messages::count_after(&mut lease, user, after, limit).await;
        lease.end(result)
    }

    async fn delete_message(&self, user: UserId, id: MessageId) -> Result<bool, StoreError> {
        let mut lease = self.writer.lease("delete a message").await?;
        let result = messages::delete(&mut lease, user, id).await;
        lease.end(result).await
    }

    async fn delete_messages(&self, user: UserId) -> Result<(), StoreError> {
        let mut lease = self.writer.lease("delete messages").await?;
        let result = messages::delete_of_user(&mut lease, user).await;
        lease.end(result).await
    }

    async fn delete_application_messages(&self, application: ApplicationId) -> Result<(), StoreError> {
        let mut lease = self.writer.lease("delete messages").await?;
        let result = messages::delete_of_application(&mut lease, application).await;
        lease.end(result).await
    }
}
