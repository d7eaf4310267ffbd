//! Messages in Protocol Buffers, as `proto/gotify/v1/message.proto` has them.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};
use prost::Message as _;
use prost_types::Timestamp;

use super::body::json::check_values;
use super::message::CreateMessage;
use crate::model::Message;

/// Made from `proto/gotify/v1/message.proto`; `tests/it/protobuf.rs` says how, and that it is up to date.
#[allow(clippy::allow_attributes, clippy::pedantic, unreachable_pub, reason = "it is generated")]
mod generated {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/gotify.v1.rs"));
}

/// Whether streams can have it.
pub(super) const IS_THERE: bool = true;

const MEDIA_TYPE: &str = "application/x-protobuf";

/// What an answer in it says of itself.
pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static(MEDIA_TYPE);

const NANOS_MAX: u32 = 999_999_999;

/// Encodes a message.
pub(super) fn encode(message: &Message) -> Vec<u8> {
    let extras = message.extras.as_ref().map(|extras| {
        serde_json::to_vec(extras).expect("an object of JSON values with text as keys can be written")
    });
    let date = Timestamp {
        seconds: message.date.timestamp(),
        // Chrono has the nanoseconds of a leap second above a billion.
        nanos: message.date.timestamp_subsec_nanos().min(NANOS_MAX).cast_signed(),
    };
    let encoded = generated::Message {
        message: message.message.clone(),
        title: message.title.clone(),
        priority: Some(message.priority),
        id: message.id.0,
        appid: message.application_id.0,
        extras: extras.unwrap_or_default(),
        date: Some(date),
        date_offset_minutes: message.date.offset().local_minus_utc() / 60,
    };
    encoded.encode_to_vec()
}

/// Decodes what is published; fields that the server sets are skipped. The error is the text for the client.
pub(super) fn decode(body: &[u8]) -> Result<CreateMessage, String> {
    let sent = generated::Message::decode(body).map_err(|error| format!("invalid Protobuf: {error}"))?;
    let extras = match &sent.extras[..] {
        [] => None,
        json => {
            let extras = check_values(json)
                .and_then(|()| serde_json::from_slice(json).map_err(|error| error.to_string()));
            Some(extras.map_err(|error| format!("Field 'extras' must be a JSON object: {error}"))?)
        }
    };
    let application_id = Some(sent.appid);
    Ok(CreateMessage {
        message: sent.message,
        title: sent.title,
        priority: sent.priority,
        extras,
        application_id,
    })
}

/// Answers whether a body of this type is a message.
pub(super) fn is_type(media_type: &str) -> bool {
    media_type.eq_ignore_ascii_case(MEDIA_TYPE)
}

/// Answers whether the client asks for a message to be answered this way.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().is_some_and(is_type) && parts.all(|parameter| parameter != "q=0")
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::api::encode_json;
    use crate::model::{ApplicationId, MessageId};

    fn message() -> Message {
        Message {
            id: MessageId(300),
            application_id: ApplicationId(7),
            message: "the backup of last night is done".to_owned(),
            title: "Backup".to_owned(),
            priority: 5,
            extras: json!({ "a::b": { "c": 9_007_199_254_740_993_u64 } }).as_object().cloned(),
            date: DateTime::parse_from_rfc3339("2026-11-25T02:46:27.123456789+01:00").unwrap(),
        }
    }

    #[test]
    fn every_field_is_where_the_proto_has_it() {
        let sent = generated::Message::decode(&encode(&message())[..]).unwrap();
        assert_eq!((sent.id, sent.appid, sent.priority), (300, 7, Some(5)));
        assert_eq!((&*sent.message, &*sent.title), ("the backup of last night is done", "Backup"));
        assert_eq!(sent.extras, br#"{"a::b":{"c":9007199254740993}}"#);
        assert_eq!(sent.date, Some(Timestamp { seconds: 1_795_571_187, nanos: 123_456_789 }));
        assert_eq!(sent.date_offset_minutes, 60);
    }

    #[test]
    fn what_is_sent_can_be_published_again() {
        let Ok(form) = decode(&encode(&message())) else { panic!("it does not decode") };
        assert_eq!((form.message, form.title, form.priority), (message().message, message().title, Some(5)));
        assert_eq!(form.extras, message().extras);
    }

    #[test]
    fn a_priority_of_zero_is_not_no_priority() {
        let priority = |body: &[u8]| decode(body).ok().and_then(|form| form.priority);
        assert_eq!(priority(b"\x0a\x02hi\x28\x00"), Some(0));
        assert_eq!(priority(b"\x0a\x02hi"), None);
    }

    #[test]
    fn the_text_of_the_common_benchmark_is_read() {
        // `content`, `senderId`, `receiverId`.
        let Ok(form) = decode(b"\x0a\x05hello\x12\x06client\x1a\x06server") else {
            panic!("it does not decode")
        };
        assert_eq!(form.message, "hello");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, error) in [
            (&b"\x0a\x7fshort"[..], "invalid Protobuf: "),
            (b"\x0a\x02\xff\xfe", "invalid Protobuf: "),
            (b"{\"message\":\"hi\"}", "invalid Protobuf: "),
            (b"\x0a\x02hi\x42\x02[]", "Field 'extras' must be a JSON object: "),
            (b"\x0a\x02hi\x42\x01{", "Field 'extras' must be a JSON object: "),
        ] {
            let text = decode(body).err().unwrap_or_default();
            assert!(text.starts_with(error), "{text:?} for {body:?}");
        }
    }

    #[test]
    fn the_answer_is_what_is_accepted() {
        for (accept, expected) in [
            ("application/x-protobuf", true),
            ("application/json, application/X-Protobuf;q=0.9", true),
            ("application/x-protobuf; q=0", false),
            ("application/json", false),
            ("*/*", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(is_accepted(&headers), expected, "{accept}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }

    #[test]
    fn it_is_smaller_than_json() {
        let message = Message { extras: None, ..message() };
        let (protobuf, json) = (encode(&message).len(), encode_json(&message).len());
        assert!(10 * protobuf < 7 * json, "{protobuf} and {json} bytes");
    }
}
