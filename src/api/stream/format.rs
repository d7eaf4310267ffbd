//! The format that a stream asks for.

use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::api::{ApiError, protobuf, query};
use crate::hub::Format;

/// Asks for messages in Protocol Buffers, in binary frames.
const PROTOBUF: &str = "gotify.v1.protobuf";

/// What a stream will be.
#[derive(Debug, PartialEq)]
pub(super) struct Agreed {
    pub(super) format: Format,
    /// Named in the answer; only one that the client has offered may be (RFC 6455, section 4.2.2).
    pub(super) subprotocol: Option<HeaderValue>,
}

/// Reads what the client asks for: the query's `format`, else a subprotocol that is known, else JSON.
pub(super) fn agree(uri: &Uri, headers: &HeaderMap) -> Result<Agreed, ApiError> {
    let offers = protobuf::IS_THERE && offers(headers, PROTOBUF);
    let asked = uri.query().and_then(|query| query::first(query, "format"));
    let format = match asked.as_deref() {
        None if offers => Format::Binary,
        None | Some("json") => Format::Text,
        Some("protobuf") if protobuf::IS_THERE => Format::Binary,
        Some(_) if protobuf::IS_THERE => {
            return Err(ApiError::BadRequest("Field 'format' must be json or protobuf".to_owned()));
        }
        Some(_) => return Err(ApiError::BadRequest("Field 'format' must be json".to_owned())),
    };
    let is_named = offers && format == Format::Binary;
    Ok(Agreed { format, subprotocol: is_named.then(|| HeaderValue::from_static(PROTOBUF)) })
}

/// Answers whether a client offers this subprotocol; names are compared exactly.
fn offers(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|offered| offered.trim() == name)
}

#[cfg(test)]
#[cfg(feature = "protobuf")]
mod tests {
    use super::*;

    fn agreed(uri: &'static str, subprotocols: &'static str) -> Option<(Format, bool)> {
        let offered = (SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocols));
        let agreed = agree(&Uri::from_static(uri), &HeaderMap::from_iter([offered])).ok()?;
        Some((agreed.format, agreed.subprotocol.is_some()))
    }

    #[test]
    fn the_query_decides_and_then_a_known_subprotocol() {
        for (uri, subprotocols, expected) in [
            ("/stream", "", Some((Format::Text, false))),
            ("/stream", "chat, gotify.v1.protobuf", Some((Format::Binary, true))),
            ("/stream", "gotify.v1.Protobuf", Some((Format::Text, false))),
            ("/stream?format=json", "gotify.v1.protobuf", Some((Format::Text, false))),
            ("/stream?format=protobuf", "", Some((Format::Binary, false))),
            ("/stream?format=protobuf", "gotify.v1.protobuf", Some((Format::Binary, true))),
            ("/stream?format=xml", "", None),
            ("/stream?format=", "gotify.v1.protobuf", None),
        ] {
            assert_eq!(agreed(uri, subprotocols), expected, "{uri} {subprotocols}");
        }
    }
}
