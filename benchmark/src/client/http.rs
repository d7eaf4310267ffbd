//! The little of HTTP/1.1 a publisher needs: finding one response in a buffer.

use std::borrow::Cow;

const MAX_HEAD_BYTES: usize = 64 << 10;

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
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the answer is not HTTP/1.1")]
    NotHttp,
    #[error("the answer's head exceeds {MAX_HEAD_BYTES} bytes")]
    LongHead,
    #[error("the answer's length is not given")]
    NoLength,
    #[error("the answer's chunks are malformed")]
    BadChunk,
}

/// Returns the response at the start of `buf`, or `None` when it is not complete yet.
pub(crate) fn response(buf: &[u8]) -> Result<Option<Response<'_>>, HttpError> {
    let Some(head_end) = find(buf, b"\r\n\r\n") else {
        return if buf.len() > MAX_HEAD_BYTES { Err(HttpError::LongHead) } else { Ok(None) };
    };
    let mut lines = buf[..head_end].split(|&byte| byte == b'\n');
    let status = lines.next().and_then(status).ok_or(HttpError::NotHttp)?;
    let mut length = None;
    let mut chunked = false;
    let mut closes = false;
    for line in lines {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            length = decimal(value);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            chunked = value.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"connection") {
            closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    let start = head_end + 4;
    let done = |body, length| Ok(Some(Response { status, body, length, closes }));
    if matches!(status, 100..200 | 204 | 304) {
        return done(Cow::Borrowed(&[][..]), start);
    }
    if chunked {
        return match dechunk(&buf[start..])? {
            Some((body, used)) => done(Cow::Owned(body), start + used),
            None => Ok(None),
        };
    }
    let length = length.ok_or(HttpError::NoLength)?;
    match buf.get(start..start + length) {
        Some(body) => done(Cow::Borrowed(body), start + length),
        None => Ok(None),
    }
}

fn status(line: &[u8]) -> Option<u16> {
    let code = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    decimal(code).and_then(|code| u16::try_from(code).ok())
}

fn dechunk(mut buf: &[u8]) -> Result<Option<(Vec<u8>, usize)>, HttpError> {
    let whole = buf.len();
    let mut body = Vec::new();
    loop {
        let Some(end) = find(buf, b"\r\n") else { return Ok(None) };
        let digits = buf[..end].split(|&byte| byte == b';').next().unwrap_or_default();
        let text = std::str::from_utf8(digits.trim_ascii()).map_err(|_| HttpError::BadChunk)?;
        let size = usize::from_str_radix(text, 16).map_err(|_| HttpError::BadChunk)?;
        let after = end + 2 + size + 2;
        let Some(chunk) = buf.get(end + 2..after) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(HttpError::BadChunk);
        }
        body.extend_from_slice(&chunk[..size]);
        buf = &buf[after..];
        if size == 0 {
            return Ok(Some((body, whole - buf.len())));
        }
    }
}

fn decimal(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
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
    }

    #[test]
    fn what_is_not_a_response_is_refused() {
        assert_eq!(response(b"SSH-2.0-x\r\n\r\n"), Err(HttpError::NotHttp));
        assert_eq!(response(b"HTTP/1.1 200 OK\r\n\r\n"), Err(HttpError::NoLength));
        assert_eq!(response(&vec![b'x'; MAX_HEAD_BYTES + 1]), Err(HttpError::LongHead));
        let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
        assert_eq!(response(chunk), Err(HttpError::BadChunk));
    }
}
