//! The messages: which connection each operation of [`Messages`] runs on, and what it is called when it fails.

use async_trait::async_trait;

use crate::model::{ApplicationId, Message, MessageId, UserId};
use crate::store::sql::deletions::Deletion;
use crate::store::sql::{Backend, Connections as _, Lease as _, messages};
use crate::store::{Inserted, MessagePage, Messages, NewMessage, Slice, StoreError};

#[async_trait]
impl<B: Backend> Messages for B {
    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Inserted, StoreError> {
        self.insert(messages).await
    }

    async fn newest_message(&self, user: UserId) -> Result<Option<MessageId>, StoreError> {
        let mut lease = self.readers().lease("look for the newest message").await?;
        let result = messages::newest(&mut lease.session(), user, MessageId(u64::MAX)).await;
        lease.end(result).await
    }

    async fn list_messages(
        &self,
        user: UserId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        let mut lease = self.readers().lease("list messages").await?;
        let result = messages::of_user(&mut lease.session(), user, page, max_bytes).await;
        lease.end(result).await
    }

    async fn list_application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        let mut lease = self.readers().lease("list messages").await?;
        let result = messages::of_application(&mut lease.session(), application, page, max_bytes).await;
        lease.end(result).await
    }

    async fn list_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        let mut lease = self.readers().lease("list messages").await?;
        let result = messages::after(&mut lease.session(), user, after, limit, max_bytes).await;
        lease.end(result).await
    }

    async fn messages_by_id(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        let mut lease = self.readers().lease("read messages").await?;
        let result = messages::by_ids(&mut lease.session(), ids).await;
        lease.end(result).await
    }

    async fn message_bytes(&self, user: UserId) -> Result<u64, StoreError> {
        let mut lease = self.readers().lease("add up the bytes of messages").await?;
        let result = messages::bytes_of_user(&mut lease.session(), user).await;
        lease.end(result).await
    }

    async fn application_message_bytes(&self, application: ApplicationId) -> Result<u64, StoreError> {
        let mut lease = self.readers().lease("add up the bytes of messages").await?;
        let result = messages::bytes_of_application(&mut lease.session(), application).await;
        lease.end(result).await
    }

    async fn count_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let mut lease = self.readers().lease("count messages").await?;
        let result = messages::count_after(&mut lease.session(), user, after, limit).await;
        lease.end(result).await
    }

    async fn delete_message(&self, user: UserId, id: MessageId) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("delete a message").await?;
        let result = messages::delete(&mut lease.session(), user, id).await;
        lease.end(result).await
    }

    async fn delete_messages(&self, user: UserId) -> Result<(), StoreError> {
        let mut lease = self.readers().lease("delete messages").await?;
        let found = messages::applications_and_newest(&mut lease.session(), user).await;
        let (applications, newest) = lease.end(found).await?;
        Deletion::new(applications, newest).run(self.writers()).await
    }

    async fn delete_application_messages(&self, application: ApplicationId) -> Result<(), StoreError> {
        let mut lease = self.readers().lease("delete messages").await?;
        let found = messages::newest_of_all(&mut lease.session()).await;
        let newest = lease.end(found).await?;
        Deletion::new([application], newest).run(self.writers()).await
    }
}
