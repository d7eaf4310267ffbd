//! The newest message of each user, for nodes that share a database.

use async_trait::async_trait;

use crate::model::{MessageId, UserId};
use crate::store::StoreError;

/// A moment by the clock of the database: milliseconds since 1970, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatabaseTime(pub u64);

/// The heads of a database. The head of a user is the highest id that a message of the user has ever got: other than
/// [`newest_message`](super::Messages::newest_message), it stays where it is when messages are deleted.
#[async_trait]
pub trait Heads: Send + Sync {
    /// Answers whether several nodes can store messages here at the same time, so that the ids of each user become
    /// visible in their order.
    fn can_be_shared(&self) -> bool;

    /// Returns the heads of users, each once. Users who have never had a message may be left out.
    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, MessageId)>, StoreError>;

    /// Returns the head of one user.
    async fn head(&self, user: UserId) -> Result<Option<MessageId>, StoreError> {
        Ok(self.heads(&[user]).await?.first().map(|(_, head)| *head))
    }

    /// Returns what time it is.
    async fn now(&self) -> Result<DatabaseTime, StoreError>;

    /// Returns the heads that have moved since then, by transactions that may have begun earlier: some are returned that
    /// have moved before. Empty where the database can't be shared.
    async fn heads_moved_since(&self, since: DatabaseTime) -> Result<Vec<(UserId, MessageId)>, StoreError>;
}
