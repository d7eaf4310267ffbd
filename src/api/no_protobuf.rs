//! A server without Protocol Buffers: nothing is taken for them, and nobody gets them.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::ApiError;
use super::message::CreateMessage;
use crate::model::Message;

/// Whether streams can have it.
pub(super) const IS_THERE: bool = false;

pub(super) fn encode(_: &Message) -> Vec<u8> {
    Vec::new()
}

pub(super) fn decode(_: &[u8]) -> Result<CreateMessage, String> {
    Err("this server was built without Protobuf".to_owned())
}

pub(super) fn is_type(_: &str) -> bool {
    false
}

pub(super) fn is_accepted(_: &HeaderMap) -> bool {
    false
}

pub(super) fn answer(_: &Message) -> Response {
    ApiError::Internal.into_response()
}
