//! One connection of the baseline: HTTP until a key comes, then a stream.

use std::io::{self, ErrorKind, Read, Write};

use httparse::{Request, Status};
use mio::net::TcpStream;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const MAX_REQUEST_BYTES: usize = 16 << 20;
const MAX_HEADERS: usize = 64;

/// A socket, what of a request has come, and what a full socket left over.
#[derive(Debug)]
pub(super) struct Connection {
    socket: TcpStream,
    inbox: Vec<u8>,
    leftover: Vec<u8>,
    is_stream: bool,
}

/// A request's head, as far as it matters here.
struct Head {
    key: Option<String>,
    is_post: bool,
    start: usize,
    length: usize,
}

impl Connection {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self { socket, inbox: Vec::new(), leftover: Vec::new(), is_stream: false }
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(super) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Reads all there is; appends the bodies of publishes to `published`. Fails when the connection is over.
    pub(super) fn read(&mut self, scratch: &mut [u8], published: &mut Vec<Vec<u8>>) -> io::Result<()> {
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // Streams send pongs and closes; neither matters here, and nor does their content.
                Ok(_) if self.is_stream => {}
                Ok(got) => {
                    self.inbox.extend_from_slice(&scratch[..got]);
                    self.answer(published)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn answer(&mut self, published: &mut Vec<Vec<u8>>) -> io::Result<()> {
        while let Some(head) = head(&self.inbox)? {
            if let Some(key) = head.key {
                self.socket.write_all(super::switching_protocols(&key).as_bytes())?;
                self.is_stream = true;
                self.inbox = Vec::new();
                return Ok(());
            }
            let Some(body) = self.inbox.get(head.start..head.start + head.length) else { break };
            if head.is_post {
                published.push(body.to_vec());
            }
            self.inbox.drain(..head.start + head.length);
            self.socket.write_all(OK)?;
        }
        if self.inbox.len() > MAX_REQUEST_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(())
    }

    /// Sends a frame, or keeps what the socket does not take; returns whether something is kept for the first time.
    pub(super) fn send(&mut self, frame: &[u8]) -> bool {
        if !self.leftover.is_empty() {
            self.leftover.extend_from_slice(frame);
            return false;
        }
        let taken = match self.socket.write(frame) {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            // The poll reports the end of this connection.
            Err(_) => return false,
        };
        self.leftover.extend_from_slice(&frame[taken..]);
        taken < frame.len()
    }

    /// Sends what was kept; returns whether all of it is gone.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        let mut sent = 0;
        while sent < self.leftover.len() {
            match self.socket.write(&self.leftover[sent..]) {
                Ok(taken) => sent += taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.leftover.drain(..sent);
        Ok(self.leftover.is_empty())
    }
}

/// Returns the head at the start of `bytes`, or `None` when it is not complete yet.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    let Status::Complete(start) = request.parse(bytes).map_err(|_| ErrorKind::InvalidData)? else {
        return Ok(None);
    };
    let value = |wanted: &str| {
        let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(wanted))?;
        std::str::from_utf8(header.value).ok().map(str::trim)
    };
    let length = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let key = value("sec-websocket-key").map(str::to_owned);
    Ok(Some(Head { key, is_post: request.method == Some("POST"), start, length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_whether_it_publishes_or_upgrades() {
        let post = head(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc").unwrap().unwrap();
        assert_eq!((post.is_post, post.length, post.key), (true, 3, None));
        let get = head(b"GET /stream HTTP/1.1\r\nSec-WebSocket-Key: k=\r\n\r\n").unwrap().unwrap();
        assert_eq!((get.is_post, get.length, get.key.as_deref()), (false, 0, Some("k=")));
        assert!(head(b"GET / HTTP/1.1\r\n").unwrap().is_none());
        assert!(head(b"\x16\x03\x01").is_err());
    }
}
