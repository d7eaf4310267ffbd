//! One connection of the floor: HTTP until a key comes, then a stream.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

use crate::client::http::find;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const MAX_REQUEST_BYTES: usize = 16 << 20;

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
        while let Some(head) = head(&self.inbox) {
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

fn head(bytes: &[u8]) -> Option<Head> {
    let end = find(bytes, b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let length = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    Some(Head { key: value("sec-websocket-key"), is_post: text.starts_with("POST"), start: end + 4, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_whether_it_publishes_or_upgrades() {
        let post = head(b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc").unwrap();
        assert_eq!((post.is_post, post.length, post.key), (true, 3, None));
        let get = head(b"GET /stream HTTP/1.1\r\nSec-WebSocket-Key: k=\r\n\r\n").unwrap();
        assert_eq!((get.is_post, get.length, get.key.as_deref()), (false, 0, Some("k=")));
        assert!(head(b"GET / HTTP/1.1\r\n").is_none());
    }
}
