//! A stored message.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApplicationId, MessageId, Timestamp};

/// What a sender attaches for clients to interpret: a JSON object, its keys sorted.
pub type Extras = serde_json::Map<String, serde_json::Value>;

/// A message as it is stored, listed and sent on the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its place in the order of all messages.
    #[schema(value_type = u64)]
    pub id: MessageId,
    /// The application that sent it.
    #[serde(rename = "appid")]
    #[schema(value_type = u64)]
    pub application_id: ApplicationId,
    /// The text.
    pub message: String,
    /// The title; the application's name where the sender gave none.
    pub title: String,
    /// How urgent it is: 0 is silent, 8 and more vibrates on Android.
    pub priority: i64,
    /// Absent where the sender gave none, or an empty object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub extras: Option<Extras>,
    /// When the server took it.
    #[serde(serialize_with = "super::timestamp::serialize")]
    #[schema(value_type = String, format = DateTime)]
    pub date: Timestamp,
}
