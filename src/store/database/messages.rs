//! Messages.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{ApplicationId, Extras, Message, MessageId, Timestamp, UserId};
use crate::store::{Replacement, Slice, StoreError, replace_key};

/// A message to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Who will receive it: the owner of its application.
    pub user_id: UserId,
    /// The application that sends it.
    pub application_id: ApplicationId,
    /// The text.
    pub message: String,
    /// The title.
    pub title: String,
    /// The priority.
    pub priority: i64,
    /// What the sender attached.
    pub extras: Option<Extras>,
    /// When the server took it.
    pub date: Timestamp,
}

impl NewMessage {
    /// Returns the key in its extras, as in `{"shardcast::replace": {"key": "backup"}}`. Of an application's messages with
    /// the same key only the newest is kept. `None` also if the key is no text of 1 to 180 characters.
    pub fn replace_key(&self) -> Option<&str> {
        replace_key(self.extras.as_ref()).ok().flatten()
    }
}

/// What came of one message that was given to [`Messages::insert_messages`].
#[derive(Debug)]
#[non_exhaustive]
pub enum InsertOutcome {
    /// It is stored, with this id.
    Stored(MessageId),
    /// It is not stored: its application is not there, or not any more, or belongs to another user.
    NoSuchApplication,
    /// It is not stored: the database does not take it, whatever it is stored with.
    Refused(StoreError),
}

impl InsertOutcome {
    /// Returns the id of a message that was stored.
    pub fn id(&self) -> Option<MessageId> {
        match self {
            Self::Stored(id) => Some(*id),
            Self::NoSuchApplication | Self::Refused(_) => None,
        }
    }
}

/// What came of the messages of one transaction.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Inserted {
    /// One for each message, in the order given. The ids ascend.
    pub outcomes: Vec<InsertOutcome>,
    /// For each user that something was stored for: the id of the newest message that the user had before, 0 if there
    /// was none. It may be too high, though below the new ids, and is never too low: no message that was committed
    /// before has an id between it and the new ones.
    pub previous: Vec<(UserId, MessageId)>,
    /// Those of the messages that have taken the place of older ones, in the order of ids. One that was replaced by a later
    /// one of the same transaction is stored, and deleted again.
    pub replaced: Vec<Replacement>,
}

impl Inserted {
    /// Returns the ids of the messages that were stored.
    pub fn ids(&self) -> Vec<MessageId> {
        self.outcomes.iter().filter_map(InsertOutcome::id).collect()
    }
}

/// Which messages to list: newest first, at most `limit`, with ids below `before` where it is given.
#[derive(Clone, Copy, Debug)]
pub struct MessagePage {
    /// Only ids below this one.
    pub before: Option<MessageId>,
    /// At most so many.
    pub limit: usize,
}

/// Which of a user's messages are meant. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageChoice {
    /// Only messages of these applications; `None` for those of all.
    pub applications: Option<Vec<ApplicationId>>,
    /// Only messages with at least this priority; `None` for all.
    pub min_priority: Option<i64>,
}

/// The messages of a database. Each method is one transaction, see [`Database`](super::Database).
#[async_trait]
pub trait Messages: Send + Sync {
    /// From this time on that one took, fewer transactions are worth a wait: messages are then stored together with
    /// those of the senders that the transaction before answered.
    fn long_transaction(&self) -> Duration;

    /// Stores messages in one durable transaction.
    ///
    /// The same transaction checks that the application of each message exists and belongs to its user, and deletes the
    /// messages whose places are taken, see [`NewMessage::replace_key`]. A message
    /// that can't be stored fails alone, see [`InsertOutcome`]; an error is that none is stored.
    async fn insert_messages(&self, messages: &[NewMessage]) -> Result<Inserted, StoreError>;
    /// Returns the id of a user's newest message.
    async fn newest_message(&self, user: UserId) -> Result<Option<MessageId>, StoreError>;
    /// Lists a user's messages, newest first, up to so many bytes.
    async fn list_messages(
        &self,
        user: UserId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError>;
    /// Lists an application's messages, newest first, up to so many bytes.
    async fn list_application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError>;
    /// Lists a user's messages with ids above `after`, oldest first, at most `limit` and up to so many bytes.
    async fn list_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError>;
    /// As [`list_messages_after`](Self::list_messages_after), of an application's messages.
    async fn list_application_messages_after(
        &self,
        application: ApplicationId,
        after: MessageId,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, StoreError>;
    /// Returns the messages of these ids, whoever owns them, in this order, without those that are not there.
    async fn messages_by_id(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError>;
    /// Returns how many bytes a user's messages have, in their texts, titles and extras. It reads all of them.
    async fn message_bytes(&self, user: UserId) -> Result<u64, StoreError>;
    /// As [`message_bytes`](Self::message_bytes), of an application's messages.
    async fn application_message_bytes(&self, application: ApplicationId) -> Result<u64, StoreError>;
    /// As [`list_messages`](Self::list_messages), whatever their size.
    async fn messages(&self, user: UserId, page: MessagePage) -> Result<Vec<Message>, StoreError> {
        Ok(self.list_messages(user, page, usize::MAX).await?.rows)
    }
    /// As [`list_application_messages`](Self::list_application_messages), whatever their size.
    async fn application_messages(
        &self,
        application: ApplicationId,
        page: MessagePage,
    ) -> Result<Vec<Message>, StoreError> {
        Ok(self.list_application_messages(application, page, usize::MAX).await?.rows)
    }
    /// As [`list_messages_after`](Self::list_messages_after), whatever their size.
    async fn messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        Ok(self.list_messages_after(user, after, limit, usize::MAX).await?.rows)
    }
    /// Counts a user's messages with ids above `after`, up to `limit`.
    async fn count_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        limit: usize,
    ) -> Result<usize, StoreError> {
        self.count_chosen_messages_after(user, after, &MessageChoice::default(), limit).await
    }
    /// As [`count_messages_after`](Self::count_messages_after), for some of the messages. It looks at all others too.
    async fn count_chosen_messages_after(
        &self,
        user: UserId,
        after: MessageId,
        choice: &MessageChoice,
        limit: usize,
    ) -> Result<usize, StoreError>;
    /// Deletes a message of that user; false if it has none of that id.
    async fn delete_message(&self, user: UserId, id: MessageId) -> Result<bool, StoreError>;
    /// Deletes all messages that a user has when this is called. Many are deleted in several transactions, between
    /// which others write: on an error, or when the future is dropped, some may be deleted and the rest not. Returns an id
    /// up to which none is left.
    async fn delete_messages(&self, user: UserId) -> Result<MessageId, StoreError>;
    /// Deletes all messages that an application has when this is called, as
    /// [`delete_messages`](Self::delete_messages) does.
    async fn delete_application_messages(&self, application: ApplicationId) -> Result<MessageId, StoreError>;
}
