//! The head of a WebSocket handshake, read without the HTTP library.
//!
//! Only what is usual is read here. Everything else is left to the HTTP library, refusals included, so that there is one
//! opinion about what is wrong with a request.

use std::mem::MaybeUninit;

use axum::body::Body;
use bytes::Bytes;
use httparse::Status;
use hyper::header::{CONTENT_LENGTH, EXPECT, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use hyper::{Request, Uri};

/// The most headers of a handshake. Browsers send about 15.
const MAX_HEADERS: usize = 48;

/// Reads a WebSocket handshake for the given path, and the number of bytes that its head has.
///
/// None for everything else: another request, a head that is not complete or not right, and a request with a body. What
/// is returned is what hyper makes of these bytes.
pub(super) fn handshake(bytes: &Bytes, path: &str) -> Option<(Request<Body>, usize)> {
    // The first look, which is all that other requests cost.
    let target = bytes.strip_prefix(b"GET ")?.strip_prefix(path.as_bytes())?;
    if !matches!(target.first(), Some(b' ' | b'?')) {
        return None;
    }
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut []);
    let Ok(Status::Complete(length)) = head.parse_with_uninit_headers(bytes, &mut room) else { return None };
    if head.version != Some(1) {
        return None;
    }
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for header in head.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        if [CONTENT_LENGTH, TRANSFER_ENCODING, EXPECT].contains(&name) {
            return None;
        }
        headers.append(name, HeaderValue::from_maybe_shared(slice(bytes, header.value)).ok()?);
    }
    if !headers.contains_key(UPGRADE) {
        return None;
    }
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_maybe_shared(slice(bytes, head.path?.as_bytes())).ok()?;
    *request.headers_mut() = headers;
    Some((request, length))
}

/// Shares a part of the bytes without copying it.
fn slice(bytes: &Bytes, part: &[u8]) -> Bytes {
    if part.is_empty() { Bytes::new() } else { bytes.slice_ref(part) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "GET /stream?since=3 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        X-Empty:\r\nX-Twice: 1\r\nx-twice: \u{e9} \r\n\r\n";

    fn read(head: &str) -> Option<(Request<Body>, usize)> {
        handshake(&Bytes::from(head.to_owned()), "/stream")
    }

    #[test]
    fn a_handshake_is_read_up_to_its_first_frame() {
        let (request, length) = read(&format!("{HEAD}\u{1}\u{2}")).unwrap();
        assert_eq!(length, HEAD.len());
        assert_eq!(request.uri(), "/stream?since=3");
        assert_eq!(request.headers()["host"], "test");
        assert_eq!(request.headers()["x-empty"], "");
        let twice: Vec<_> = request.headers().get_all("x-twice").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(twice, [&b"1"[..], "\u{e9}".as_bytes()]);
    }

    #[test]
    fn a_part_of_a_handshake_is_none() {
        for end in 0..HEAD.len() {
            assert!(read(&HEAD[..HEAD.floor_char_boundary(end)]).is_none(), "{end}");
        }
    }

    #[test]
    fn everything_unusual_is_left_to_the_http_library() {
        let with = |line: &str| HEAD.replace("X-Empty:", line);
        for head in [
            HEAD.replace("GET", "POST"),
            HEAD.replace("/stream", "/streams"),
            HEAD.replace("/stream", "http://test/stream"),
            HEAD.replace("HTTP/1.1", "HTTP/1.0"),
            HEAD.replace("Upgrade: websocket", "X: y"),
            format!("\r\n{HEAD}"),
            with("Content-Length: 0"),
            with("transfer-encoding: chunked"),
            with("Expect: 100-continue"),
            with("X Space: 1"),
            with("X-Control: \u{1}"),
            with(&vec!["X: y"; MAX_HEADERS].join("\r\n")),
        ] {
            assert!(read(&head).is_none(), "{head}");
        }
        assert!(read(HEAD).is_some());
    }
}
