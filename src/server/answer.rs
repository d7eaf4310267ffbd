//! The answer that ends HTTP on a connection, written without the HTTP library.

use std::io::Write as _;
use std::time::SystemTime;

use httpdate::HttpDate;
use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, DATE, TRANSFER_ENCODING};

/// What a usual answer takes.
const USUAL_BYTES: usize = 256;

/// Writes the head of an answer with the status 101, as hyper writes it.
pub(super) fn switching_protocols_head(headers: &HeaderMap, now: SystemTime) -> Vec<u8> {
    let mut head = Vec::with_capacity(USUAL_BYTES);
    head.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\n");
    for (name, value) in headers {
        // The router has added a length, and such an answer has none.
        if [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name) {
            continue;
        }
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    if !headers.contains_key(DATE) {
        write!(head, "date: {}\r\n", HttpDate::from(now)).expect("a vector takes all bytes");
    }
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn the_date_comes_last_and_only_once_and_a_length_never() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let mut headers = HeaderMap::new();
        headers.append("x-twice", HeaderValue::from_static("1"));
        headers.append("x-twice", HeaderValue::from_static("2"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        let head = switching_protocols_head(&headers, now);
        assert_eq!(
            String::from_utf8(head).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nx-twice: 1\r\nx-twice: 2\r\n\
             date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n"
        );
        headers.insert(DATE, HeaderValue::from_static("today"));
        assert!(switching_protocols_head(&headers, now).ends_with(b"x-twice: 2\r\ndate: today\r\n\r\n"));
    }
}
