//! The messages: which connection each operation of [`Messages`] runs on, and what it is called when it fails.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{ApplicationId, Message, MessageId, UserId};
use crate::store::sql::deletions::Deletion;
use crate::store::sql::{Backend, Connections as _, Lease as _, messages};
use crate::store::{Inserted, MessageChoice, MessagePage, Messages, NewMessage, Slice, StoreError};

#[async_trait]
impl<B: Backend> Messages for B {
    fn long_transaction(&self) -> Duration {
        B::LONG_TRANSACTION
    }

    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Inserted, StoreError> {
        self.insert(messages).await
    }

    async fn newest_message(&self, user: UserId) -> Result<Option<MessageId>, StoreError> {
        read!(self, "look for the newest message", messages::newest(user, MessageId(u64::MAX)))
    }

    async fn list_messages(
        &self,
        user: UserId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        read!(self, "list messages", messages::of_user(user, page, max_bytes))
    }

    async fn list_application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        read!(self, "list messages", messages::of_application(application, page, max_bytes))
    }

    async fn list_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        read!(self, "list messages", messages::after(user, after, limit, max_bytes))
    }

    async fn list_application_messages_after(
        &self,
        application: ApplicationId,
        after: MessageId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError> {
        read!(self, "list messages", messages::of_application_after(application, after, limit, max_bytes))
    }

    async fn messages_by_id(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        read!(self, "read messages", messages::by_ids(ids))
    }

    async fn message_bytes(&self, user: UserId) -> Result<u64, StoreError> {
        read!(self, "add up the bytes of messages", messages::bytes_of_user(user))
    }

    async fn application_message_bytes(&self, application: ApplicationId) -> Result<u64, StoreError> {
        read!(self, "add up the bytes of messages", messages::bytes_of_application(application))
    }

    async fn count_chosen_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        choice: &MessageChoice,
        limit: usize,
    ) -> Result<usize, StoreError> {
        read!(self, "count messages", messages::count_chosen_after(user, after, choice, limit))
    }

    async fn delete_message(&self, user: UserId, id: MessageId) -> Result<bool, StoreError> {
        let mut lease = self.writers().lease("delete a message").await?;
        let result = messages::delete(&mut lease.session(), user, id).await;
        lease.end(result).await
    }

    async fn delete_messages(&self, user: UserId) -> Result<MessageId, StoreError> {
        let (applications, newest) = read!(self, "delete messages", messages::applications_and_newest(user))?;
        Deletion::new(applications, newest).run(self.writers()).await?;
        Ok(newest)
    }

    async fn delete_application_messages(&self, application: ApplicationId) -> Result<MessageId, StoreError> {
        let newest = read!(self, "delete messages", messages::newest_of_application(application))?;
        Deletion::new([application], newest).run(self.writers()).await?;
        Ok(newest)
    }
}
