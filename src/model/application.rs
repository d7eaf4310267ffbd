//! An application: what may send messages.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApplicationId, Timestamp};

/// An application as it is listed. Its owner is not on the wire.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Application {
    /// Its id.
    #[schema(value_type = u64)]
    pub id: ApplicationId,
    /// The token that its messages are sent with; absent where it is not shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// Shown with its messages.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Made by a plugin, hence not to be deleted by hand.
    pub internal: bool,
    /// Path of its picture, relative to the server's base URL.
    pub image: String,
    /// The priority of messages that carry none.
    #[serde(rename = "defaultPriority")]
    pub default_priority: i64,
    /// When it was made. New in Gotify 3.
    #[serde(rename = "createdAt", serialize_with = "super::timestamp::serialize")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its token was last used, to within five minutes.
    #[serde(rename = "lastUsed", serialize_with = "super::timestamp::serialize_option")]
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub last_used: Option<Timestamp>,
    /// Its place in the list: keys are compared byte by byte.
    #[serde(rename = "sortKey")]
    pub sort_key: String,
}

impl Application {
    /// Returns the file of its picture; `None` for the default picture.
    pub fn image_file(&self) -> Option<&str> {
        self.image.strip_prefix("image/")
    }
}

/// Without the token.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}
