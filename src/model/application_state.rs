//! What has been read of an application, and how long its messages are kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApplicationId, MessageId};

/// The state of an application for the one user that owns it. Gotify has no such object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationState {
    /// The application.
    #[schema(value_type = u64)]
    pub id: ApplicationId,
    /// How many of its messages are not read; 1000 means 1000 or more.
    #[schema(maximum = 1000)]
    pub unread: u64,
    /// All messages up to the one with this id are read; 0 if none is.
    #[schema(value_type = u64)]
    pub read_up_to: MessageId,
    /// Its newest message; 0 if it has none.
    #[schema(value_type = u64)]
    pub newest: MessageId,
    /// Messages that are older than so many days are deleted; 0 keeps them.
    #[schema(maximum = 36_500)]
    pub keep_days: u64,
    /// Only so many of the newest messages are kept; 0 keeps all.
    #[schema(maximum = 1_000_000_000)]
    pub keep_newest: u64,
}

impl ApplicationState {
    /// Unread messages are counted up to this number.
    pub const MOST_UNREAD: u64 = 1000;
}
