//! The little of HTTP/1.1 that load needs: finding one response in a buffer.

use std::borrow::Cow;

use httparse::Status;

const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_HEADERS: usize = 64;

/// One complete response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: Cow<'a, [u8]>,
    /// How many bytes of the buffer it took.
    pub(crate) length: usize,
    /// Whether the server wants to close the connection after it.
    pub(crate) closes: bool,
}

/// Why bytes are not a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the answer is not HTTP/1.1")]
    NotHttp,
    #[error("the answer's head exceeds {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers")]
    LongHead,
    #[error("the answer's length is not given")]
    NoLength,
    #[error("the answer's length is wrong")]
    BadLength,
    #[error("the answer's chunks are malformed")]
    BadChunk,
}

/// The head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// How many bytes of the buffer it took.
    pub(crate) length: usize,
    /// Whether the server wants to close the connection after the response.
    pub(crate) closes: bool,
    pub(crate) body: Body,
}

/// How long a response's body is (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Bytes(u64),
    Chunks,
    /// All until the connection ends.
    UntilEnd,
}

/// Returns the head of the response at the start of `buf`, or `None` when it is not complete yet.
pub(crate) fn head(buf: &[u8]) -> Result<Option<Head>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let length = match head.parse(buf) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) if buf.len() > MAX_HEAD_BYTES => return Err(HttpError::LongHead),
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HttpError::LongHead),
        Err(_) => return Err(HttpError::NotHttp),
    };
    let (Some(minor), Some(status)) = (head.version, head.code) else { return Err(HttpError::NotHttp) };
    let (mut closes, mut body) = (minor == 0, Body::UntilEnd);
    for header in head.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let mut words = header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if is("content-length") && body != Body::Chunks {
            let bytes = Body::Bytes(decimal(header.value.trim_ascii()).ok_or(HttpError::BadLength)?);
            if body != Body::UntilEnd && body != bytes {
                return Err(HttpError::BadLength);
            }
            body = bytes;
        } else if is("transfer-encoding") && words.any(|word| word.eq_ignore_ascii_case(b"chunked")) {
            body = Body::Chunks;
        } else if is("connection") {
            for word in words {
                closes |= word.eq_ignore_ascii_case(b"close");
                closes &= !word.eq_ignore_ascii_case(b"keep-alive");
            }
        }
    }
    if matches!(status, 100..200 | 204 | 304) {
        body = Body::Bytes(0);
    }
    Ok(Some(Head { status, length, closes: closes || body == Body::UntilEnd, body }))
}

/// Returns the response at the start of `buf`, or `None` when it is not complete yet.
pub(crate) fn response(buf: &[u8]) -> Result<Option<Response<'_>>, HttpError> {
    let Some(Head { status, length: start, closes, body }) = head(buf)? else { return Ok(None) };
    let done = |body, length| Ok(Some(Response { status, body, length, closes }));
    match body {
        Body::Bytes(bytes) => {
            let end = usize::try_from(bytes).ok().and_then(|bytes| start.checked_add(bytes));
            match buf.get(start..end.ok_or(HttpError::NoLength)?) {
                Some(body) => done(Cow::Borrowed(body), start + body.len()),
                None => Ok(None),
            }
        }
        Body::Chunks => match dechunk(&buf[start..])? {
            Some((body, used)) => done(Cow::Owned(body), start + used),
            None => Ok(None),
        },
        Body::UntilEnd => Err(HttpError::NoLength),
    }
}

/// Returns the joined chunks at the start of `buf` and how many bytes they took, or `None` when they are not complete.
fn dechunk(buf: &[u8]) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    let mut body = Vec::new();
    let mut used = 0;
    loop {
        let (start, size) = match httparse::parse_chunk_size(&buf[used..]) {
            Ok(Status::Complete((line, size))) => (used + line, usize::try_from(size)),
            Ok(Status::Partial) => return Ok(None),
            Err(_) => return Err(HttpError::BadChunk),
        };
        let size = size.map_err(|_| HttpError::BadChunk)?;
        let Some(chunk) = buf[start..].get(..size.saturating_add(2)) else { return Ok(None) };
        let Some(chunk) = chunk.strip_suffix(b"\r\n") else { return Err(HttpError::BadChunk) };
        body.extend_from_slice(chunk);
        used = start + size + 2;
        if size == 0 {
            return Ok(Some((body, used)));
        }
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

/// Returns where `needle` first occurs in `buf`.
pub(crate) fn find(buf: &[u8], needle: &[u8]) -> Option<usize> {
    let (&first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = buf[from..].iter().position(|&byte| byte == first) {
        let after = from + at + 1;
        if buf[after..].starts_with(rest) {
            return Some(after - 1);
        }
        from = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\nDate: now\r\ncontent-LENGTH: 2\r\n\r\n{}HTTP/1.1 500";

    #[test]
    fn a_response_with_a_length_ends_where_its_body_ends() {
        let found = response(PLAIN).unwrap().unwrap();
        assert_eq!((found.status, &*found.body, found.closes), (200, &b"{}"[..], false));
        assert_eq!(&PLAIN[found.length..], b"HTTP/1.1 500");
    }

    #[test]
    fn a_response_cut_anywhere_is_not_complete() {
        let whole = PLAIN.len() - b"HTTP/1.1 500".len();
        for cut in 0..whole {
            assert_eq!(response(&PLAIN[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn chunks_are_joined() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nrest";
        let found = response(bytes).unwrap().unwrap();
        assert_eq!(&*found.body, b"abc0123456789");
        assert_eq!(&bytes[found.length..], b"rest");
        for cut in 0..bytes.len() - 4 {
            assert_eq!(response(&bytes[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn an_upgrade_has_no_body() {
        let bytes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x00";
        let found = response(bytes).unwrap().unwrap();
        assert_eq!((found.status, &bytes[found.length..]), (101, &b"\x81\x00"[..]));
    }

    #[test]
    fn a_server_that_closes_is_noticed() {
        let bytes = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        assert!(response(bytes).unwrap().unwrap().closes);
        for (version, header, closes) in [
            ("1.0", "", true),
            ("1.0", "Connection: keep-alive\r\n", false),
            ("1.1", "Connection: x, Close\r\n", true),
        ] {
            let answer = format!("HTTP/{version} 200 OK\r\nContent-Length: 0\r\n{header}\r\n");
            assert_eq!(response(answer.as_bytes()).unwrap().unwrap().closes, closes, "{answer}");
        }
    }

    #[test]
    fn what_is_not_a_response_is_refused() {
        assert_eq!(response(b"SSH-2.0-x\r\n\r\n"), Err(HttpError::NotHttp));
        assert_eq!(response(b"HTTP/1.1 200 OK\r\n\r\n"), Err(HttpError::NoLength));
        for length in ["-1", "+1", "1 1", "", "99999999999999999999"] {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            assert_eq!(response(answer.as_bytes()), Err(HttpError::BadLength), "{length}");
        }
        let two = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc";
        assert_eq!(response(two), Err(HttpError::BadLength));
        for chunk in ["zz\r\n", "1\r\nabc", "ffffffffffffffffff\r\n"] {
            let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
            assert_eq!(response(answer.as_bytes()), Err(HttpError::BadChunk), "{chunk}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(response(long.as_bytes()), Err(HttpError::LongHead));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(response(many.as_bytes()), Err(HttpError::LongHead));
    }
}
