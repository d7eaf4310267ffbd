//! What comes of publishing a message.

use std::sync::Arc;

use super::StoreError;

/// Why a message was not published.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The database refused the message, or the whole transaction that it was in: the message is not stored.
    #[error("failed to store the message")]
    Store(#[source] Arc<StoreError>),
    /// The application was deleted meanwhile, or its user was, or it belongs to another user: the message is not
    /// stored.
    #[error("the application does not exist")]
    NoSuchApplication,
    /// It took longer than a publish may take. The message is not stored, unless its transaction had begun: then it may
    /// be, and is announced if it is.
    #[error("the message was not stored in time")]
    TimedOut,
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
            Self::NoSuchApplication | Self::Interrupted => false,
            Self::TimedOut | Self::ShutDown => true,
        }
    }
}
