//! A server without Protocol Buffers: nothing is taken for them, and nobody gets them.

use axum::http::{HeaderMap, HeaderValue};

use super::message::CreateMessage;
use crate::model::Message;

/// Whether streams can have it.
pub(super) const IS_THERE: bool = false;

pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-protobuf");

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
