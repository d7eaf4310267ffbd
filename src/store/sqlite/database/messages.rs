//! [`Messages`]: which connection each operation runs on, and what it is called when it fails.

use async_trait::async_trait;

use crate::model::{ApplicationId, Message, MessageId, UserId};
use crate::store::sqlite::{Sqlite, messages};
use crate::store::{MessagePage, Messages, NewMessage, StoreError};

#[async_trait]
impl Messages for Sqlite {
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
