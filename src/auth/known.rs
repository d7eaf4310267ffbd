//! What is known of whoever holds a token.

use super::last_used::LastUsed;
use crate::model::{ApplicationId, ClientId, UserId};

/// What a message needs of the application that sends it.
#[derive(Debug)]
#[non_exhaustive]
pub struct KnownApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its owner, who receives its messages.
    pub user_id: UserId,
    /// The title of messages that carry none.
    pub name: String,
    /// The priority of messages that carry none.
    pub default_priority: i64,
    pub(super) last_used: LastUsed,
}

impl KnownApplication {
    /// An application of the database, whose messages have priority 0 unless they say otherwise.
    pub fn new(id: ApplicationId, user_id: UserId, name: impl Into<String>) -> Self {
        Self { id, user_id, name: name.into(), default_priority: 0, last_used: LastUsed::new(None) }
    }
}

/// Whom a client's token stands for.
#[derive(Debug)]
#[non_exhaustive]
pub struct KnownClient {
    /// Its id; `None` for one that is not in the database.
    pub id: Option<ClientId>,
    /// Its owner.
    pub user_id: UserId,
    pub(super) last_used: LastUsed,
}

impl KnownClient {
    /// One that is not in the database, and may do whatever this user may.
    pub fn of_user(user_id: UserId) -> Self {
        Self { id: None, user_id, last_used: LastUsed::new(None) }
    }
}
