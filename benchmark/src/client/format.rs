//! The formats that messages travel in.

use serde::{Deserialize, Serialize};

use crate::client::http::find;

/// The subprotocol that asks for Protobuf.
const PROTOBUF_SUBPROTOCOL: &str = "gotify.v1.protobuf";

/// The field of a message's id in Protobuf, as a varint.
const PROTOBUF_ID: u64 = 6 << 3;

/// How messages are written, when published and on a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
pub(crate) enum Format {
    #[default]
    Json,
    Protobuf,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Protobuf => "protobuf",
        }
    }

    /// Returns the header that asks for this format on a stream, if one is needed.
    pub(crate) fn handshake_header(self) -> String {
        match self {
            Self::Json => String::new(),
            Self::Protobuf => format!("Sec-WebSocket-Protocol: {PROTOBUF_SUBPROTOCOL}\r\n"),
        }
    }

    /// Answers whether the head of a 101 agrees to this format.
    pub(crate) fn is_agreed(self, head: &[u8]) -> bool {
        self == Self::Json || find(head, PROTOBUF_SUBPROTOCOL.as_bytes()).is_some()
    }

    /// Returns what stands before and after a text of so many bytes in a message to be published, and its type.
    pub(crate) fn around(self, text_bytes: usize, title: &str) -> (Vec<u8>, Vec<u8>, &'static str) {
        match self {
            Self::Json => {
                let after = format!("\",\"title\":\"{title}\",\"priority\":0}}");
                (b"{\"message\":\"".to_vec(), after.into_bytes(), "application/json")
            }
            Self::Protobuf => {
                let mut before = vec![1 << 3 | 2];
                put_varint(&mut before, text_bytes as u64);
                let mut after = vec![4 << 3 | 2];
                put_varint(&mut after, title.len() as u64);
                after.extend_from_slice(title.as_bytes());
                after.extend_from_slice(&[5 << 3, 0]);
                (before, after, "application/x-protobuf")
            }
        }
    }

    /// Returns the id of a message, wherever it stands in it.
    pub(crate) fn id(self, payload: &[u8]) -> Option<u64> {
        match self {
            Self::Json => json_id(payload),
            Self::Protobuf => protobuf_id(payload),
        }
    }
}

fn json_id(payload: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"id\":";
    let at = match payload.get(1..) {
        Some(rest) if rest.starts_with(KEY) => 1,
        _ => find(payload, KEY)?,
    };
    let digits = &payload[at + KEY.len()..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    number(&digits[..end])
}

/// Reads a number of decimal digits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        byte.is_ascii_digit().then(|| value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')))
    })
}

/// Walks over the fields until the id comes; `None` for what is not Protobuf.
fn protobuf_id(mut rest: &[u8]) -> Option<u64> {
    loop {
        let key = take_varint(&mut rest)?;
        if key == PROTOBUF_ID {
            return take_varint(&mut rest);
        }
        let skipped = match key & 7 {
            0 => take_varint(&mut rest).map(|_| 0)?,
            1 => 8,
            2 => usize::try_from(take_varint(&mut rest)?).ok()?,
            5 => 4,
            _ => return None,
        };
        rest = rest.get(skipped..)?;
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_not_mistaken_for_the_application_s() {
        let id = |payload| Format::Json.id(payload);
        assert_eq!(id(b"{\"appid\":3,\"id\":25,\"message\":\"m\"}"), Some(25));
        assert_eq!(id(b"{\"id\":25}"), Some(25));
        assert_eq!(id(b"{\"id\":x}"), None);
        assert_eq!(id(b"{}"), None);
    }

    #[test]
    fn the_id_of_a_protobuf_message_comes_after_fields_of_any_kind() {
        let id = |payload| Format::Protobuf.id(payload);
        // A text that looks like the id's field, a priority, the id 300, the application 7.
        assert_eq!(id(b"\x0a\x020\x05\x28\x05\x30\xac\x02\x38\x07"), Some(300));
        assert_eq!(id(b"\x09abcdefgh\x4dabcd\x30\x01"), Some(1));
        assert_eq!(id(b"\x0a\x7fshort"), None);
        assert_eq!(id(b"{\"id\":25}"), None);
        assert_eq!(id(b""), None);
    }

    #[test]
    fn a_length_beyond_127_takes_two_bytes() {
        let (before, after, _) = Format::Protobuf.around(300, "ab");
        assert_eq!(before, [0x0a, 0xac, 0x02]);
        assert_eq!(after, b"\x22\x02ab\x28\x00");
    }
}
