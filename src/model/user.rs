//! A user.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ClientId, Timestamp, UserId};

/// A user as the API shows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    #[schema(value_type = u64)]
    pub id: UserId,
    /// The name to log in with.
    pub name: String,
    /// May manage users.
    pub admin: bool,
    /// When it was made. New in Gotify 3.
    #[serde(rename = "createdAt", serialize_with = "super::timestamp::serialize")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Whether a user of this name can log in with a password. HTTP's basic authentication is the only way to do so, and it
/// ends the name at the first colon.
pub(crate) fn can_log_in(name: &str) -> bool {
    !name.contains(':')
}

/// Who is asking, as Gotify 3 shows it: the user, and the client where it is one that asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CurrentUser {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The client that asks.
    #[serde(rename = "clientId", default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub client_id: Option<ClientId>,
    /// Until when that client may do what is dangerous.
    #[serde(
        rename = "elevatedUntil",
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "super::timestamp::serialize_option"
    )]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub elevated_until: Option<Timestamp>,
}
