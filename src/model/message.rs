//! A stored message.

use serde::{Deserialize, Serialize};
use serde_json::Value;
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

impl Message {
    /// Returns about how many bytes its texts have, its extras as JSON included.
    pub(crate) fn text_bytes(&self) -> usize {
        self.message.len() + self.title.len() + extras_bytes(self.extras.as_ref())
    }

    /// For tests that need a message and don't look at what is in it.
    #[cfg(test)]
    pub(crate) fn any(id: u64) -> Self {
        Self {
            id: MessageId(id),
            application_id: ApplicationId(1),
            message: "m".to_owned(),
            title: String::new(),
            priority: 0,
            extras: None,
            date: chrono::DateTime::UNIX_EPOCH.fixed_offset(),
        }
    }
}

/// Returns about how many bytes extras have as JSON.
pub(crate) fn extras_bytes(extras: Option<&Extras>) -> usize {
    extras.into_iter().flatten().map(|(key, value)| key.len() + 4 + json_bytes(value)).sum()
}

fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(json_bytes).sum::<usize>() + 2,
        Value::Object(values) => extras_bytes(Some(values)),
    }
}
