//! What a test message carries, so that every delivery can be checked and timed: the run, a sequence number, and
//! the moment it was due.
//!
//! All three have a fixed width: a sender patches digits into a request built once, and a stream finds them without
//! parsing what is around them.

use serde::{Deserialize, Serialize};

use crate::client::{
    Nanos,
    format::{Format, number},
    http::find,
};

const MARK: &[u8] = b"scb:";
const RUN_DIGITS: usize = 8;
const SEQUENCE_DIGITS: usize = 10;
const DUE_DIGITS: usize = 16;
const RUN_AT: usize = MARK.len();
const SEQUENCE_AT: usize = RUN_AT + RUN_DIGITS + 1;
const DUE_AT: usize = SEQUENCE_AT + SEQUENCE_DIGITS + 1;
/// The shortest text of a test message, in bytes.
pub(crate) const MIN_TEXT_BYTES: usize = DUE_AT + DUE_DIGITS + 1;

/// Names one run, so that messages of another one are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunId(u32);

impl RunId {
    /// Returns the `n`th id of this process.
    pub(crate) fn nth(n: u32) -> Self {
        Self(std::process::id().wrapping_shl(12).wrapping_add(n))
    }

    fn digits(self) -> [u8; RUN_DIGITS] {
        let mut digits = [0; RUN_DIGITS];
        digits.copy_from_slice(format!("{:08x}", self.0).as_bytes());
        digits
    }
}

/// One test message as it came out of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The id the server gave it, if it gives any.
    pub(crate) id: Option<u64>,
    pub(crate) sequence: u32,
    pub(crate) due: Nanos,
}

/// Reads the messages of one run.
#[derive(Debug)]
pub(crate) struct Reader {
    run: [u8; RUN_DIGITS],
    format: Format,
    /// Where the mark was in the last payload: it moves only when the id gets a digit more.
    hint: usize,
}

impl Reader {
    pub(crate) fn new(run: RunId, format: Format) -> Self {
        Self { run: run.digits(), format, hint: 0 }
    }

    /// The format that it reads.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Returns the test message in a payload, or `None` for a payload that is not of this run, or no Protobuf where
    /// that is what was asked for.
    pub(crate) fn read(&mut self, payload: &[u8]) -> Option<Delivered> {
        if !payload.get(self.hint..)?.starts_with(MARK) {
            self.hint = find(payload, MARK)?;
        }
        let text = payload.get(self.hint..self.hint + MIN_TEXT_BYTES)?;
        if text[RUN_AT..RUN_AT + RUN_DIGITS] != self.run {
            return None;
        }
        let sequence = number(&text[SEQUENCE_AT..SEQUENCE_AT + SEQUENCE_DIGITS])?;
        let due = number(&text[DUE_AT..DUE_AT + DUE_DIGITS])?;
        let id = self.format.id(payload);
        if self.format == Format::Protobuf && id.is_none() {
            return None;
        }
        Some(Delivered { id, sequence: u32::try_from(sequence).ok()?, due })
    }
}

/// A publish request built once; only its sequence number and due time change.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// The run whose messages it makes.
    pub(crate) run: RunId,
    digits: [u8; RUN_DIGITS],
    text_at: usize,
    /// Where the id stands that the baseline's messages carry in place of one from a server.
    id_at: Option<usize>,
}

impl Template {
    /// Builds a request from its head without the length and its body around the text.
    pub(crate) fn new(head: &str, before: &[u8], run: RunId, text_bytes: usize, after: &[u8]) -> Self {
        let text_bytes = text_bytes.max(MIN_TEXT_BYTES);
        let length = before.len() + text_bytes + after.len();
        let mut bytes = format!("{head}Content-Length: {length}\r\n\r\n").into_bytes();
        bytes.extend_from_slice(before);
        let text_at = bytes.len();
        bytes.extend_from_slice(MARK);
        bytes.extend_from_slice(&run.digits());
        bytes.push(b':');
        bytes.extend_from_slice(&[b'0'; SEQUENCE_DIGITS]);
        bytes.push(b':');
        bytes.extend_from_slice(&[b'0'; DUE_DIGITS]);
        bytes.push(b';');
        bytes.extend((MIN_TEXT_BYTES..text_bytes).map(|at| b'a' + u8::try_from(at % 26).expect("below 26")));
        bytes.extend_from_slice(after);
        Self { bytes, run, digits: run.digits(), text_at, id_at: None }
    }

    /// Lets the messages carry ids of their own, for a peer that gives none: the body must hold `"id":1` and ten
    /// more digits, which become the sequence number.
    pub(crate) fn numbered(mut self) -> Self {
        self.id_at = find(&self.bytes, b"\"id\":1").map(|at| at + b"\"id\":1".len());
        self
    }

    /// Writes the request for one message into `request`, which may hold an earlier one of the same kind, perhaps of
    /// another run: then only the digits change.
    pub(crate) fn write(&self, request: &mut Vec<u8>, sequence: u32, due: Nanos) {
        if request.len() != self.bytes.len() {
            request.clear();
            request.extend_from_slice(&self.bytes);
        }
        let sequence = u64::from(sequence);
        let at = self.text_at;
        request[at + RUN_AT..at + RUN_AT + RUN_DIGITS].copy_from_slice(&self.digits);
        put(&mut request[at + SEQUENCE_AT..at + SEQUENCE_AT + SEQUENCE_DIGITS], sequence);
        put(&mut request[at + DUE_AT..at + DUE_AT + DUE_DIGITS], due);
        if let Some(at) = self.id_at {
            put(&mut request[at..at + SEQUENCE_DIGITS], sequence);
        }
    }
}

fn put(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).expect("below 10");
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOTIFY: &[u8] = b"{\"id\":17,\"appid\":1,\"message\":\"";

    fn body(template: &Template, sequence: u32, due: Nanos) -> Vec<u8> {
        let mut request = Vec::new();
        template.write(&mut request, sequence, due);
        let head = find(&request, b"\r\n\r\n").unwrap() + 4;
        let text = String::from_utf8(request[..head].to_vec()).unwrap();
        assert!(text.contains(&format!("Content-Length: {}\r\n", request.len() - head)), "{text}");
        request[head..].to_vec()
    }

    #[test]
    fn what_a_template_writes_a_reader_reads() {
        let run = RunId::nth(3);
        let template =
            Template::new("POST /message HTTP/1.1\r\n", GOTIFY, run, 100, b"\",\"title\":\"t\"}\n");
        let mut reader = Reader::new(run, Format::Json);
        for (sequence, due) in [(0, 0), (7, 123_456_789), (4_000_000_000, 9_999_999_999_999_999)] {
            let found = reader.read(&body(&template, sequence, due));
            assert_eq!(found.map(|found| (found.sequence, found.due)), Some((sequence, due)));
        }
    }

    #[test]
    fn the_mark_is_found_again_after_it_moved() {
        let run = RunId::nth(1);
        let mut reader = Reader::new(run, Format::Json);
        for before in ["{\"id\":9,\"m\":\"", "{\"id\":10,\"m\":\"", "{\"appid\":3,\"id\":1000000,\"m\":\""] {
            let payload = body(&Template::new("", before.as_bytes(), run, 0, b"\"}"), 5, 6);
            let id = before.split("\"id\":").nth(1).unwrap().split(',').next().unwrap();
            let expected = Delivered { id: Some(id.parse().unwrap()), sequence: 5, due: 6 };
            assert_eq!(reader.read(&payload), Some(expected));
        }
    }

    #[test]
    fn a_request_of_an_earlier_run_becomes_one_of_this_run() {
        let mut request = Vec::new();
        for n in [1, 2] {
            let run = RunId::nth(n);
            Template::new("", GOTIFY, run, 0, b"\"}").write(&mut request, n, 0);
            assert_eq!(Reader::new(run, Format::Json).read(&request).map(|found| found.sequence), Some(n));
        }
    }

    #[test]
    fn a_numbered_template_gives_rising_ids() {
        let run = RunId::nth(1);
        let template = Template::new("", b"{\"id\":10000000000,\"message\":\"", run, 0, b"\"}").numbered();
        let mut reader = Reader::new(run, Format::Json);
        let ids: Vec<_> = (3..5).map(|n| reader.read(&body(&template, n, 0)).unwrap().id.unwrap()).collect();
        assert_eq!(ids, [10_000_000_003, 10_000_000_004]);
    }

    #[test]
    fn messages_of_another_run_and_other_payloads_are_not_read() {
        let mut reader = Reader::new(RunId::nth(1), Format::Json);
        assert_eq!(reader.read(&body(&Template::new("", GOTIFY, RunId::nth(2), 0, b"\"}"), 1, 1)), None);
        assert_eq!(reader.read(b"{\"id\":1,\"message\":\"hello\"}"), None);
        assert_eq!(reader.read(b""), None);
        assert_eq!(reader.read(b"scb:"), None);
    }

    #[test]
    fn a_protobuf_message_is_written_and_read() {
        let run = RunId::nth(3);
        let (before, after, _) = Format::Protobuf.around(100, "title");
        let published = body(&Template::new("POST / HTTP/1.1\r\n", &before, run, 100, &after), 7, 8);
        // What the server adds: the id 300.
        let sent = [&published[..], b"\x30\xac\x02"].concat();
        let expected = Delivered { id: Some(300), sequence: 7, due: 8 };
        assert_eq!(Reader::new(run, Format::Protobuf).read(&sent), Some(expected));
        assert_eq!(Reader::new(run, Format::Protobuf).read(&published), None);
        let json = body(&Template::new("", GOTIFY, run, 100, b"\"}"), 7, 8);
        assert_eq!(Reader::new(run, Format::Protobuf).read(&json), None, "asked for Protobuf, got JSON");
    }
}
