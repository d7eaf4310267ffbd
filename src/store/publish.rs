//! What comes of publishing a message.

use std::sync::Arc;

use tokio::time::Instant;

use super::{NewMessage, StoreError};
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

/// Why a message was not published. All messages of one transaction share the error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The database refused the transaction: none of its messages is stored.
    #[error("failed to store the message")]
    Store(#[source] Arc<StoreError>),
    /// A defect ended the write half-way: the message may be stored or not.
    #[error("the write of the message was interrupted")]
    Interrupted,
    /// The store has been shut down: the message is not stored.
    #[error("the store is shut down")]
    ShutDown,
}

impl PublishError {
    /// Whether the same message may go through later, as when the disk is full now.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Store(error) => matches!(**error, StoreError::Unavailable { .. }),
            Self::Interrupted => false,
            Self::ShutDown => true,
        }
    }
}
