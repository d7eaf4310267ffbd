//! JSON as Go writes it.

use std::io::{self, Write};

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Encodes a value as Go's `encoding/json` does: `<`, `>`, `&`, U+2028 and U+2029 are escaped.
///
/// # Panics
///
/// If the value's `Serialize` fails or a map has keys that are not strings; no type of this crate does.
pub fn encode_json(value: &impl Serialize) -> Vec<u8> {
    // Enough for a usual message, so that it is written without growing.
    let mut json = Vec::with_capacity(256);
    write_json(&mut json, value);
    json
}

/// As [`encode_json`], at the end of what is there.
pub(super) fn write_json(json: &mut Vec<u8>, value: &impl Serialize) {
    value
        .serialize(&mut Serializer::with_formatter(json, GoFormatter))
        .expect("the types on the wire are plain structs with string keys");
}

/// A successful answer with a JSON body: `application/json`, no charset.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, APPLICATION_JSON)], encode_json(&self.0)).into_response()
    }
}

/// A successful answer without a body; Gotify announces JSON all the same.
pub(super) struct EmptyResponse;

impl IntoResponse for EmptyResponse {
    fn into_response(self) -> Response {
        [(CONTENT_TYPE, APPLICATION_JSON)].into_response()
    }
}

pub(super) const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

struct GoFormatter;

impl Formatter for GoFormatter {
    /// Gets the stretches of a string between the characters that JSON itself requires to be escaped.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let bytes = fragment.as_bytes();
        if !may_need_escapes(bytes) {
            return writer.write_all(bytes);
        }
        let mut written = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            let (length, escape): (usize, &[u8]) = match byte {
                b'<' => (1, b"\\u003c"),
                b'>' => (1, b"\\u003e"),
                b'&' => (1, b"\\u0026"),
                0xE2 if bytes[at..].starts_with("\u{2028}".as_bytes()) => (3, b"\\u2028"),
                0xE2 if bytes[at..].starts_with("\u{2029}".as_bytes()) => (3, b"\\u2029"),
                _ => continue,
            };
            writer.write_all(&bytes[written..at])?;
            writer.write_all(escape)?;
            written = at + length;
        }
        writer.write_all(&bytes[written..])
    }
}

/// Looks at a block at a time without leaving it early, so that the compiler can compare many bytes at once.
fn may_need_escapes(bytes: &[u8]) -> bool {
    bytes.chunks(64).any(|block| {
        block.iter().fold(false, |found, &byte| found | matches!(byte, b'<' | b'>' | b'&' | 0xE2))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(value: &impl Serialize) -> String {
        String::from_utf8(encode_json(value)).unwrap()
    }

    #[test]
    fn what_go_escapes_is_escaped() {
        assert_eq!(encoded(&"<b>&\u{2028}\u{2029}"), r#""\u003cb\u003e\u0026\u2028\u2029""#);
    }

    #[test]
    fn escapes_of_json_and_of_go_mix() {
        assert_eq!(encoded(&"\"a\"<\n\\>"), r#""\"a\"\u003c\n\\\u003e""#);
    }

    #[test]
    fn other_characters_stay_as_they_are() {
        // The euro sign begins with the same byte as U+2028.
        assert_eq!(encoded(&"aé€😀\u{2027}\u{202a}"), "\"aé€😀\u{2027}\u{202a}\"");
    }

    #[test]
    fn keys_are_escaped_and_sorted() {
        assert_eq!(encoded(&json!({"z": 1, "a&b": "<"})), r#"{"a\u0026b":"\u003c","z":1}"#);
    }

    proptest::proptest! {
        #[test]
        fn escaping_never_changes_the_value(text: String) {
            let json = encode_json(&text);
            proptest::prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }
    }
}
