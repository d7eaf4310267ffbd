//! The client's half of the WebSocket handshake.

use crate::client::{
    format::Format,
    http::{self, HttpError},
};

/// Every stream sends the same nonce: the server's answer is then a constant, and checking it costs no hash.
/// (The pair is the example of RFC 6455, section 1.3.)
pub(crate) const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &[u8] = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Why a stream was not admitted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpgradeError {
    #[error("the server answered {0}")]
    Refused(u16),
    #[error("the server's `Sec-WebSocket-Accept` does not match")]
    WrongAccept,
    #[error("the server does not send {}", .0.name())]
    OtherFormat(Format),
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Builds the request that opens a stream.
pub(crate) fn request(path: &str, host: &str, header: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {NONCE}\r\n{header}\r\n"
    )
    .into_bytes()
}

/// Returns how many bytes the server's 101 takes, or `None` when it is not complete yet. It must agree to the format.
pub(crate) fn accepted(buf: &[u8], format: Format) -> Result<Option<usize>, UpgradeError> {
    let Some(response) = http::response(buf)? else { return Ok(None) };
    if response.status != 101 {
        return Err(UpgradeError::Refused(response.status));
    }
    let head = &buf[..response.length];
    if http::find(head, ACCEPT).is_none() {
        return Err(UpgradeError::WrongAccept);
    }
    if !format.is_agreed(head) {
        return Err(UpgradeError::OtherFormat(format));
    }
    Ok(Some(response.length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_baseline_s_answer_is_accepted_and_what_follows_it_is_left() {
        let request = String::from_utf8(request("/stream", "h", "X-Gotify-Key: C1\r\n")).unwrap();
        assert!(request.ends_with("X-Gotify-Key: C1\r\n\r\n"), "{request}");
        let mut answer = crate::baseline::switching_protocols(NONCE).into_bytes();
        let length = answer.len();
        answer.extend_from_slice(b"\x81\x00");
        assert_eq!(accepted(&answer, Format::Json).unwrap(), Some(length));
        assert_eq!(accepted(&answer[..length - 1], Format::Json).unwrap(), None);
        assert_eq!(accepted(&answer, Format::Protobuf), Err(UpgradeError::OtherFormat(Format::Protobuf)));
    }

    #[test]
    fn a_refusal_keeps_its_status() {
        let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(accepted(answer, Format::Json), Err(UpgradeError::Refused(401)));
    }

    #[test]
    fn an_answer_to_another_nonce_is_refused() {
        let answer = crate::baseline::switching_protocols("AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(accepted(answer.as_bytes(), Format::Json), Err(UpgradeError::WrongAccept));
    }
}
