//! One answer, read piece by piece: its body is counted and not kept, so that its size does not matter.

use crate::client::http::{self, Body, HttpError};

/// How much of a body is kept for those who look at it.
const KEPT_BYTES: usize = 16 << 10;
/// The longest line before a chunk, and the longest trailer.
const LINE_BYTES: usize = 4 << 10;

/// An answer that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Whether the server closes the connection after it.
    pub(crate) closes: bool,
    /// How many of the bytes that were given last it took.
    pub(crate) used: usize,
}

/// Reads the answers of one connection, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// A head or a line that is not complete yet.
    carry: Vec<u8>,
    state: State,
    status: u16,
    closes: bool,
    /// The begin of the body, if somebody wants it.
    body: Vec<u8>,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    Bytes(u64),
    /// The line that begins a chunk.
    Size,
    /// The bytes of a chunk and the line end after it.
    Chunk(u64),
    /// Lines after the last chunk, up to an empty one.
    Trailer,
    UntilEnd,
}

impl Reader {
    /// Takes bytes; returns the answer if they end it. `to_head` says that the request was one without a body in its
    /// answer, `keeps` that the body is wanted.
    pub(crate) fn take(
        &mut self,
        bytes: &[u8],
        to_head: bool,
        keeps: bool,
    ) -> Result<Option<Answered>, HttpError> {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let (used, next) = match self.state {
                State::Head => match self.head(rest, to_head)? {
                    Some(used) => (used, self.state),
                    None => return Ok(None),
                },
                State::Bytes(0) => return Ok(Some(self.answered(at))),
                State::Bytes(left) => {
                    let used = self.skip(rest, left, if keeps { left } else { 0 });
                    (used, State::Bytes(left - used as u64))
                }
                State::Size => match self.line(rest)? {
                    Some(used) => (used, self.size()?),
                    None => return Ok(None),
                },
                State::Chunk(0) => (0, State::Size),
                State::Chunk(left) => {
                    // Its last two bytes end the line.
                    let used = self.skip(rest, left, if keeps { left.saturating_sub(2) } else { 0 });
                    (used, State::Chunk(left - used as u64))
                }
                State::Trailer => match self.line(rest)? {
                    Some(used) => {
                        let is_last = self.carry.trim_ascii().is_empty();
                        self.carry.clear();
                        (used, if is_last { State::Bytes(0) } else { State::Trailer })
                    }
                    None => return Ok(None),
                },
                State::UntilEnd => {
                    let wanted = if keeps { u64::MAX } else { 0 };
                    (self.skip(rest, u64::MAX, wanted), State::UntilEnd)
                }
            };
            at += used;
            self.state = next;
            if at == bytes.len() && !matches!(next, State::Bytes(0)) {
                return Ok(None);
            }
        }
    }

    /// Ends with the connection: returns the answer if that is what ends it.
    pub(crate) fn end(&mut self) -> Option<Answered> {
        (self.state == State::UntilEnd).then(|| self.answered(0))
    }

    /// Returns whether nothing of an answer has come.
    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Head && self.carry.is_empty()
    }

    /// Returns the begin of the body of the answer before, if it was wanted.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    fn answered(&mut self, used: usize) -> Answered {
        self.state = State::Head;
        Answered { status: self.status, closes: self.closes, used }
    }

    /// Reads a head, which in nearly all answers is whole; returns how much of `rest` it took.
    fn head(&mut self, rest: &[u8], to_head: bool) -> Result<Option<usize>, HttpError> {
        let kept = self.carry.len();
        let head = if kept == 0 {
            http::head(rest)?
        } else {
            self.carry.extend_from_slice(rest);
            http::head(&self.carry)?
        };
        let Some(head) = head else {
            if kept == 0 {
                self.carry.extend_from_slice(rest);
            }
            return Ok(None);
        };
        self.carry.clear();
        self.body.clear();
        (self.status, self.closes) = (head.status, head.closes);
        self.state = match head.body {
            // An answer on the way, such as 103: the one that counts follows.
            _ if matches!(head.status, 100 | 102..200) => State::Head,
            _ if to_head => State::Bytes(0),
            Body::Bytes(bytes) => State::Bytes(bytes),
            Body::Chunks => State::Size,
            Body::UntilEnd => State::UntilEnd,
        };
        Ok(Some(head.length - kept))
    }

    /// Passes over bytes of the body, of which the first ones are wanted.
    fn skip(&mut self, rest: &[u8], left: u64, wanted: u64) -> usize {
        let used = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let kept = used.min(wanted).min(KEPT_BYTES - self.body.len());
        self.body.extend_from_slice(&rest[..kept]);
        used
    }

    /// Collects a line; returns how much of `rest` it took once it is whole.
    fn line(&mut self, rest: &[u8]) -> Result<Option<usize>, HttpError> {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(rest.len(), |end| end + 1);
        if self.carry.len() + used > LINE_BYTES {
            return Err(HttpError::BadChunk);
        }
        self.carry.extend_from_slice(&rest[..used]);
        Ok(end.map(|_| used))
    }

    fn size(&mut self) -> Result<State, HttpError> {
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&self.carry) else {
            return Err(HttpError::BadChunk);
        };
        self.carry.clear();
        match size {
            0 => Ok(State::Trailer),
            size => Ok(State::Chunk(size.checked_add(2).ok_or(HttpError::BadChunk)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &[u8] =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nx: y\r\n\r\n";

    /// Reads an answer in pieces of a size; returns its status, its body and how much was left.
    fn read(bytes: &[u8], piece: usize) -> (u16, Vec<u8>, usize) {
        let mut reader = Reader::default();
        let mut at = 0;
        loop {
            let part = &bytes[at..bytes.len().min(at + piece)];
            if let Some(answered) = reader.take(part, false, true).unwrap() {
                return (answered.status, reader.body().to_vec(), bytes.len() - at - answered.used);
            }
            at += part.len();
            assert!(at < bytes.len(), "no end in {bytes:?}");
        }
    }

    #[test]
    fn answers_are_read_in_pieces_of_any_size() {
        let plain = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabcHTTP";
        for piece in 1..plain.len() {
            let (status, body, _) = read(plain, piece);
            assert_eq!((status, &body[..]), (404, &b"abc"[..]), "{piece}");
            let (status, body, _) = read(CHUNKED, piece);
            assert_eq!((status, &body[..]), (200, &b"abc0123456789"[..]), "{piece}");
        }
        assert_eq!(read(plain, plain.len()).2, 4, "what follows is left");
    }

    #[test]
    fn an_answer_without_a_length_ends_with_the_connection() {
        let mut reader = Reader::default();
        assert_eq!(reader.take(b"HTTP/1.0 200 OK\r\n\r\nabc", false, true).unwrap(), None);
        let answered = reader.end().unwrap();
        assert!(answered.closes && answered.status == 200 && reader.body() == b"abc");
        assert_eq!(
            reader.take(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", false, true).unwrap(),
            None
        );
        assert_eq!(reader.end(), None, "cut short");
    }

    #[test]
    fn an_answer_to_head_has_no_body() {
        let mut reader = Reader::default();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n";
        assert_eq!(reader.take(answer, true, false).unwrap().unwrap().used, answer.len());
        assert!(reader.is_empty());
    }

    #[test]
    fn bad_chunks_are_refused() {
        for chunk in ["zz\r\n", "ffffffffffffffffff\r\n", &"1".repeat(LINE_BYTES + 1)] {
            let answer = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
            assert_eq!(Reader::default().take(answer.as_bytes(), false, false), Err(HttpError::BadChunk));
        }
    }
}
