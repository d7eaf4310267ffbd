//! The opening handshake (RFC 6455, section 4.2).

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CONNECTION, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
            SEC_WEBSOCKET_VERSION, UPGRADE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha1::{Digest, Sha1};

const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Why a request is not taken as a WebSocket handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// `Connection` does not name `upgrade`.
    #[error("not a websocket handshake: 'upgrade' is missing from the 'Connection' header")]
    Connection,
    /// `Upgrade` does not name `websocket`.
    #[error("not a websocket handshake: 'websocket' is missing from the 'Upgrade' header")]
    Upgrade,
    /// The version is not 13.
    #[error("unsupported websocket version: the 'Sec-WebSocket-Version' header must be 13")]
    Version,
    /// The key is not 16 bytes in Base64.
    #[error("not a websocket handshake: the 'Sec-WebSocket-Key' header must be 16 bytes in Base64")]
    Key,
    /// The connection can't be upgraded, as under HTTP/2.
    #[error("this connection can't be upgraded")]
    NotUpgradable,
    /// The page that asks comes from somewhere else.
    #[error("request origin is not allowed")]
    Origin,
}

impl HandshakeError {
    /// The status that it is answered with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Origin => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// As Gotify answers: the reason phrase on a line of its own, then the error object, all as plain text.
impl IntoResponse for HandshakeError {
    fn into_response(self) -> Response {
        let status = self.status();
        let phrase = status.canonical_reason().unwrap_or_default();
        let object =
            format!(r#"{{"error":"{phrase}","errorCode":{},"errorDescription":"{self}"}}"#, status.as_u16());
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        ];
        (status, headers, format!("{phrase}\n{object}")).into_response()
    }
}

/// Checks the headers of a handshake and returns the value of `Sec-WebSocket-Accept`.
pub fn accept(headers: &HeaderMap) -> Result<HeaderValue, HandshakeError> {
    if !names(headers, &CONNECTION, "upgrade") {
        return Err(HandshakeError::Connection);
    }
    if !names(headers, &UPGRADE, "websocket") {
        return Err(HandshakeError::Upgrade);
    }
    if !names(headers, &SEC_WEBSOCKET_VERSION, "13") {
        return Err(HandshakeError::Version);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(HandshakeError::Key)?.as_bytes().trim_ascii();
    // 16 bytes take 24 characters: anything longer need not be decoded to be refused.
    if key.len() != 24 || BASE64_STANDARD.decode(key).is_err() {
        return Err(HandshakeError::Key);
    }
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(BASE64_STANDARD.encode(digest)).map_err(|_| HandshakeError::Key)
}

/// The answer that turns the connection into a stream of frames.
pub fn switching_protocols(accept: HeaderValue) -> Response {
    let headers = [
        (UPGRADE, HeaderValue::from_static("websocket")),
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Answers whether a header is a list with this token in it, in any case.
fn names(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|found| found.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(changed: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let usual = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for &(name, value) in usual.iter().chain(changed) {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_key_of_the_rfc_is_accepted() {
        assert_eq!(accept(&headers(&[])).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn each_header_must_be_right() {
        for (name, value, error) in [
            ("connection", "close", HandshakeError::Connection),
            ("upgrade", "h2c", HandshakeError::Upgrade),
            ("sec-websocket-version", "8", HandshakeError::Version),
            ("sec-websocket-key", "c2hvcnQ=", HandshakeError::Key),
            ("sec-websocket-key", "!!!!!!!!!!!!!!!!!!!!!!==", HandshakeError::Key),
        ] {
            assert_eq!(accept(&headers(&[(name, value)])), Err(error), "{name}: {value}");
        }
    }
}
