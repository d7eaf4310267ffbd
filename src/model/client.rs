//! A client: what may receive messages and manage its user's things.

use serde::{Deserialize, Serialize};

use super::{ClientId, Timestamp};

/// A client as it is listed. Its owner is not on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// The token that it authenticates with.
    pub token: String,
    /// Shown in the list of clients.
    pub name: String,
    /// When it was made. Gotify 3 shows it, 2 does not.
    #[serde(rename = "createdAt", skip)]
    pub created_at: Option<Timestamp>,
    /// When its token was last used, to within five minutes.
    #[serde(rename = "lastUsed", serialize_with = "super::timestamp::serialize_option")]
    pub last_used: Option<Timestamp>,
}
