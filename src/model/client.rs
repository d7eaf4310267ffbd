//! A client: what may receive messages and manage its user's things.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClientId, Timestamp};

/// A client as it is listed. Its owner is not on the wire.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Client {
    /// Its id.
    #[schema(value_type = u64)]
    pub id: ClientId,
    /// The token that it authenticates with; absent where it is not shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// Shown in the list of clients.
    pub name: String,
    /// When it was made. New in Gotify 3, as all that follows but `last_used`.
    #[serde(rename = "createdAt", serialize_with = "super::timestamp::serialize")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its token was last used, to within five minutes.
    #[serde(rename = "lastUsed", serialize_with = "super::timestamp::serialize_option")]
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub last_used: Option<Timestamp>,
    /// Until when it may do what is dangerous.
    #[serde(
        rename = "elevatedUntil",
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "super::timestamp::serialize_option"
    )]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub elevated_until: Option<Timestamp>,
    /// After how many seconds without use it is deleted; 0 is never.
    #[serde(rename = "expiresAfterInactivitySeconds", default)]
    pub expires_after_inactivity_seconds: u64,
    /// When it is deleted, unless it is used before.
    #[serde(
        rename = "expiresAt",
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "super::timestamp::serialize_option"
    )]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub expires_at: Option<Timestamp>,
    /// Whether its streams without `since` begin with what it has not acknowledged; absent where that is left to the
    /// server's configuration. Gotify has nothing like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false)]
    pub replay: Option<bool>,
}

impl Client {
    /// Returns when a client that was last used then expires; `None` is never, also for a time beyond the calendar.
    pub(crate) fn expiry(last_used: Timestamp, after_seconds: u64) -> Option<Timestamp> {
        let period = i64::try_from(after_seconds).ok().filter(|&seconds| seconds > 0)?;
        last_used.checked_add_signed(TimeDelta::try_seconds(period)?)
    }

    /// Answers whether it had expired by `now`.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// Without the token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}
