//! What has been read of applications, and how long their messages are kept.

use async_trait::async_trait;

use crate::model::{ApplicationId, ApplicationState, MessageId, UserId};
use crate::store::StoreError;

/// How long an application's messages are kept. The default keeps all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepMessages {
    /// Those that are older than so many days are deleted; 0 keeps them.
    pub days: u64,
    /// Only so many of the newest are kept; 0 keeps all.
    pub newest: u64,
}

/// The states of a database's applications. Each method is one transaction, see [`Database`](super::Database).
#[async_trait]
pub trait ApplicationStates: Send + Sync {
    /// Returns the states of a user's applications, in the order of their ids.
    async fn application_states(&self, user: UserId) -> Result<Vec<ApplicationState>, StoreError>;
    /// Returns the state of an application, whoever owns it.
    async fn application_state(&self, id: ApplicationId) -> Result<Option<ApplicationState>, StoreError>;
    /// Marks the messages of all of a user's applications as read, or those of one, up to `up_to`, but no further than
    /// the user's newest message. Marks are never taken back. Returns up to which message they stand now, or `None` if
    /// all stood there already, or the user has no such application.
    async fn mark_read(
        &self,
        user: UserId,
        application: Option<ApplicationId>,
        up_to: MessageId,
    ) -> Result<Option<MessageId>, StoreError>;
    /// Sets how long an application's messages are kept, and writes that to the log. Deletes none.
    async fn keep_messages(&self, id: ApplicationId, keep: KeepMessages) -> Result<(), StoreError>;
}
