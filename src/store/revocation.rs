//! What is valid no longer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{ApplicationId, UserId};

/// Something that holds no longer, because a change to the database was committed.
///
/// The transaction of the change writes it to a log, from which every server that runs on the database learns of it,
/// see [`RevocationLog`](super::RevocationLog). The server that makes the change need not wait for that: whoever makes
/// it calls `Revocation::apply` after the commit and before the answer, in a task that goes on when the client goes
/// away. A change that was not committed revokes nothing: caches and streams stay as they are.
///
/// Applying one twice, late, or in another order than that of the commits does no harm. It only takes away, and what
/// it takes away is named by a token or a user's id, which are never given a second time.
///
/// As JSON it has tokens, as they are stored: `{"ClientChanged": {"token": "C…"}}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Revocation {
    /// A client was deleted. Its token is refused, and its streams are closed.
    ClientDeleted {
        /// Its owner.
        user_id: UserId,
        /// Its token, as it is stored.
        token: String,
    },
    /// As [`ClientDeleted`](Self::ClientDeleted), because the client has expired.
    ClientExpired {
        /// Its owner.
        user_id: UserId,
        /// Its token, as it is stored.
        token: String,
    },
    /// What a client may do was changed: its elevation or its expiry. Token and streams stay valid.
    ClientChanged {
        /// Its token, as it is stored.
        token: String,
    },
    /// An application was deleted, or its token was replaced. The token is refused.
    ApplicationToken {
        /// The token, as it is stored.
        token: String,
    },
    /// The name or the default priority of an application was changed. Its token stays valid.
    ApplicationChanged {
        /// Its token, as it is stored.
        token: String,
    },
    /// How long the messages of an application are kept was changed. Its token stays valid.
    RetentionChanged {
        /// The application.
        application_id: ApplicationId,
    },
    /// The name, the password or the administration of a user was changed. Clients and streams stay valid.
    UserChanged {
        /// The user.
        user_id: UserId,
    },
    /// A user was deleted with its clients and applications. All tokens are refused, and all streams are closed.
    UserDeleted {
        /// The user.
        user_id: UserId,
        /// The tokens of its clients, as they are stored.
        client_tokens: Vec<String>,
        /// The tokens of its applications, as they are stored.
        application_tokens: Vec<String>,
    },
    /// An older state of the database is back. Whatever was made lately may be gone, and what was revoked may be valid: caches
    /// forget everything, and everybody who has streams is looked up.
    DatabaseWentBack {},
}

impl Revocation {
    fn name(&self) -> &'static str {
        match self {
            Self::ClientDeleted { .. } => "ClientDeleted",
            Self::ClientExpired { .. } => "ClientExpired",
            Self::ClientChanged { .. } => "ClientChanged",
            Self::ApplicationToken { .. } => "ApplicationToken",
            Self::ApplicationChanged { .. } => "ApplicationChanged",
            Self::RetentionChanged { .. } => "RetentionChanged",
            Self::UserChanged { .. } => "UserChanged",
            Self::UserDeleted { .. } => "UserDeleted",
            Self::DatabaseWentBack {} => "DatabaseWentBack",
        }
    }
}

/// Without the tokens.
impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct(self.name());
        match self {
            Self::ClientDeleted { user_id, .. }
            | Self::ClientExpired { user_id, .. }
            | Self::UserChanged { user_id }
            | Self::UserDeleted { user_id, .. } => {
                shown.field("user_id", user_id);
            }
            Self::RetentionChanged { application_id } => {
                shown.field("application_id", application_id);
            }
            Self::ClientChanged { .. }
            | Self::ApplicationToken { .. }
            | Self::ApplicationChanged { .. }
            | Self::DatabaseWentBack {} => {}
        }
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        let revocation = Revocation::ClientDeleted { user_id: UserId(1), token: "Csecret".into() };
        assert_eq!(format!("{revocation:?}"), "ClientDeleted { user_id: UserId(1), .. }");
    }
}
