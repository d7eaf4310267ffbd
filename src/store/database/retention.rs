//! Messages that are not kept.

use async_trait::async_trait;

use super::KeepMessages;
use crate::model::{ApplicationId, MessageId, Timestamp, UserId};
use crate::store::StoreError;

/// An application whose messages are not all kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionRule {
    /// Its owner.
    pub user_id: UserId,
    /// The application.
    pub application_id: ApplicationId,
    /// Which messages are kept.
    pub keep: KeepMessages,
}

/// Messages of an application that were deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedMessages {
    /// All up to this one.
    UpTo(MessageId),
    /// These, in the order of ids; at least one.
    Ids(Vec<MessageId>),
}

/// What became of the oldest messages of an application that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldMessages {
    /// Those that were deleted; `None` if there are none.
    pub deleted: Option<DeletedMessages>,
    /// Those that were not old; `None` if there are none.
    pub kept: Option<KeptMessages>,
}

/// Messages that are not old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptMessages {
    /// The newest of them.
    pub newest_id: MessageId,
    /// The earliest of their dates that can be read; `None` if none can.
    pub oldest: Option<Timestamp>,
}

/// Deletes what is not kept.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Lists the applications whose messages are not all kept.
    async fn retention_rules(&self) -> Result<Vec<RetentionRule>, StoreError>;
    /// Deletes all messages of an application but the newest `keep`, and returns up to which; `None` if there are no more.
    /// Many are deleted in several transactions, as by
    /// [`delete_messages`](super::Messages::delete_messages).
    async fn delete_all_but_newest(
        &self,
        application: ApplicationId,
        keep: u64,
    ) -> Result<Option<MessageId>, StoreError>;
    /// Looks at some of the oldest messages of an application with ids above `after`, up to `limit`, and deletes those that
    /// are older than `before`.
    async fn delete_older(
        &self,
        application: ApplicationId,
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError>;
}
