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

/// What became of the messages of an application that are not among the newest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExcessMessages {
    /// Up to which all were deleted; `None` if none were.
    pub deleted_up_to: Option<MessageId>,
    /// Whether the application has another rule by now, or is gone. Then some may be left.
    pub rule_changed: bool,
}

/// What became of the oldest messages of an application that were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldMessages {
    /// Those that were deleted; `None` if there are none.
    pub deleted: Option<DeletedMessages>,
    /// Those that were not old; `None` if there are none.
    pub kept: Option<KeptMessages>,
    /// Whether the application has another rule by now, or is gone. Then none were deleted.
    pub rule_changed: bool,
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
///
/// Each transaction that deletes looks at the rule first, and lets nobody change it until it ends. So once a change of a
/// rule has been committed, nothing is deleted by the one before.
#[async_trait]
pub trait Retention: Send + Sync {
    /// Lists the applications whose messages are not all kept.
    async fn retention_rules(&self) -> Result<Vec<RetentionRule>, StoreError>;
    /// Deletes all messages of an application but the newest, as its rule says. Many are deleted in several transactions, as
    /// by [`delete_messages`](super::Messages::delete_messages).
    async fn delete_all_but_newest(&self, rule: &RetentionRule) -> Result<ExcessMessages, StoreError>;
    /// Looks at some of the oldest messages of an application with ids above `after`, up to `limit`, and deletes those that
    /// are older than `before`, which is so many days ago as its rule says.
    async fn delete_older(
        &self,
        rule: &RetentionRule,
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError>;
}
