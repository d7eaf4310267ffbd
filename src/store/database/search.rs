//! Searching messages, and the index for it.

use async_trait::async_trait;

use crate::model::{Message, MessageId, UserId};
use crate::store::{IndexPace, MessagePage, MessageSearch, SearchError, Slice, StoreError};

/// The search of a database. What an index lacks is read from the messages themselves, so what is found never depends
/// on how much is indexed.
#[async_trait]
pub trait Search: Send + Sync {
    /// Lists those of a user's messages that have what is searched for, as
    /// [`list_messages`](super::Messages::list_messages) does. It takes three seconds at most.
    async fn search_messages(
        &self,
        user: UserId,
        search: &MessageSearch,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, SearchError>;
    /// Indexes some of a user's messages that are not indexed yet, if there are many, or joins small parts of the index.
    /// False if there was nothing to do. Several nodes may do so at once.
    ///
    /// # Cancel safety
    ///
    /// A dropped future leaves the index as it was, or with the change.
    async fn index_messages(&self, user: UserId, pace: &IndexPace) -> Result<bool, StoreError>;
    /// Looks at the part of a user's index that has the message that follows on `after`, and makes it anew if most of its
    /// messages are deleted. Returns the last message of the part; `None` if there is no such part.
    ///
    /// # Cancel safety
    ///
    /// As [`Self::index_messages`].
    async fn renew_index(
        &self,
        user: UserId,
        after: MessageId,
        pace: &IndexPace,
    ) -> Result<Option<MessageId>, StoreError>;
    /// Returns users with ids above this one, in the order of ids; none at the end.
    async fn users_after(&self, after: UserId) -> Result<Vec<UserId>, StoreError>;
}
