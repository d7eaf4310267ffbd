//! What a transaction has stored, as it is announced.

use std::sync::Arc;

use tokio::time::Instant;

use super::{NewMessage, Replacement};
use crate::model::{Message, MessageId, UserId};

/// A message that is stored, and whom it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The owner of the application that sent it.
    pub user_id: UserId,
    /// The message; its sender holds the same one.
    pub message: Arc<Message>,
    /// When it was given to the store.
    pub received_at: Instant,
}

impl Stored {
    /// Joins a message with the id that the database gave it. It is what a read of that id returns.
    pub(super) fn new(id: MessageId, new: NewMessage, received_at: Instant) -> Self {
        let message = Message {
            id,
            application_id: new.application_id,
            message: new.message,
            title: new.title,
            priority: new.priority,
            extras: new.extras.filter(|extras| !extras.is_empty()),
            date: new.date,
        };
        Self { user_id: new.user_id, message: Arc::new(message), received_at }
    }
}

/// The messages that one transaction has stored, at least one.
///
/// ```
/// use shardcast::store::Commit;
///
/// fn print(commit: &Commit) {
///     for user in commit.users() {
///         println!("user {} had message {} before", user.user_id, user.previous);
///         for stored in user.messages {
///             println!("message {} is durable", stored.message.id);
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// By user, and for each user in the order of ids.
    stored: Vec<Stored>,
    /// By user.
    previous: Vec<(UserId, MessageId)>,
    replaced: Vec<Replacement>,
}

/// What one transaction has stored for one user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UserCommit<'a> {
    /// The user.
    pub user_id: UserId,
    /// The newest message that the user had before; 0 if there was none. It may be too high, but is always below the
    /// first of `messages`, see [`Inserted::previous`](super::Inserted::previous).
    pub previous: MessageId,
    /// The messages, in the order of ids.
    pub messages: &'a [Stored],
}

impl Commit {
    /// Makes a commit of messages in the order of their ids.
    pub(crate) fn new(mut stored: Vec<Stored>, mut previous: Vec<(UserId, MessageId)>) -> Self {
        // It is stable: the messages of each user stay in order.
        stored.sort_by_key(|stored| stored.user_id);
        previous.sort_unstable();
        Self { stored, previous, replaced: Vec::new() }
    }

    /// Adds which of the messages have taken the place of older ones.
    pub(crate) fn with_replaced(self, replaced: Vec<Replacement>) -> Self {
        Self { replaced, ..self }
    }

    /// Goes through the users that something was stored for.
    pub fn users(&self) -> impl Iterator<Item = UserCommit<'_>> {
        self.stored.chunk_by(|a, b| a.user_id == b.user_id).map(|messages| {
            let Stored { user_id, message, .. } = &messages[0];
            let highest = MessageId(message.id.0.saturating_sub(1));
            let known = self.previous.binary_search_by_key(user_id, |(user, _)| *user);
            let previous = known.map_or(highest, |place| self.previous[place].1.min(highest));
            UserCommit { user_id: *user_id, previous, messages }
        })
    }

    /// Returns which messages were deleted by the same transaction, because others took their places.
    pub fn replaced(&self) -> &[Replacement] {
        &self.replaced
    }

    /// Returns the messages of all users: for each user they are in the order of ids.
    pub fn messages(&self) -> &[Stored] {
        &self.stored
    }
}
