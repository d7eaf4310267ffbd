//! Frames that a client sends, taken out of the bytes as they arrive (RFC 6455, section 5).

use crate::hub::EndReason;

/// Data frames carry messages, control frames everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// A further part of a message.
    Continuation,
    /// A text message, or its first part.
    Text,
    /// A binary message, or its first part.
    Binary,
    /// The peer closes.
    Close,
    /// To be answered with a pong.
    Ping,
    /// An answer to a ping, or a sign of life.
    Pong,
}

/// One frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFrame {
    /// The last part of its message; always so for control frames.
    pub fin: bool,
    /// What it is.
    pub opcode: Opcode,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// What a control frame may carry (RFC 6455, section 5.5).
const MAX_CONTROL_BYTES: u8 = 125;

/// A frame under construction. It holds no more than what has arrived of one frame.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    head: Head,
    header: Option<Header>,
    payload: Vec<u8>,
    /// A message was begun and its last part has not come.
    fragmented: bool,
}

/// The bytes of a header that have arrived: at most 2, 8 for the length, 4 for the mask.
#[derive(Debug, Default)]
struct Head {
    bytes: [u8; 14],
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    fin: bool,
    opcode: Opcode,
    mask: [u8; 4],
    length: usize,
}

impl Decoder {
    /// Nothing is half read: a new decoder would do as well.
    pub(super) fn is_idle(&self) -> bool {
        self.head.count == 0 && self.header.is_none() && !self.fragmented
    }

    /// Takes bytes off `input` until they make a frame; `None` if there are too few. Data frames may carry
    /// `max_frame_bytes`, control frames what the protocol allows (RFC 6455, section 5.5: 125 bytes).
    pub(super) fn decode(
        &mut self,
        input: &mut &[u8],
        max_frame_bytes: usize,
    ) -> Result<Option<ClientFrame>, EndReason> {
        let header = match self.header {
            Some(header) => header,
            None => match self.decode_header(input, max_frame_bytes)? {
                Some(header) => header,
                None => return Ok(None),
            },
        };
        let (taken, rest) = input.split_at(input.len().min(header.length - self.payload.len()));
        self.payload.extend_from_slice(taken);
        *input = rest;
        if self.payload.len() < header.length {
            self.header = Some(header);
            return Ok(None);
        }
        self.header = None;
        let mut payload = std::mem::take(&mut self.payload);
        unmask(&mut payload, header.mask);
        Ok(Some(ClientFrame { fin: header.fin, opcode: header.opcode, payload }))
    }

    fn decode_header(
        &mut self,
        input: &mut &[u8],
        max_frame_bytes: usize,
    ) -> Result<Option<Header>, EndReason> {
        if !self.head.fill(input, 2) {
            return Ok(None);
        }
        let [first, second, ..] = self.head.bytes;
        let opcode = opcode(first)?;
        let fin = first & 0x80 != 0;
        let short = second & 0x7f;
        let is_control = matches!(opcode, Opcode::Close | Opcode::Ping | Opcode::Pong);
        let is_masked = second & 0x80 != 0;
        if !is_masked || (is_control && (!fin || short > MAX_CONTROL_BYTES)) {
            return Err(EndReason::ProtocolError);
        }
        let length_bytes = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if !self.head.fill(input, 2 + length_bytes + 4) {
            return Ok(None);
        }
        let (length, mask) = self.head.bytes[2..2 + length_bytes + 4].split_at(length_bytes);
        let length = match length_bytes {
            0 => u64::from(short),
            _ => length.iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
        };
        if length > i64::MAX as u64 {
            return Err(EndReason::ProtocolError);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if !is_control {
            if length > max_frame_bytes {
                return Err(EndReason::TooLarge);
            }
            if self.fragmented != (opcode == Opcode::Continuation) {
                return Err(EndReason::ProtocolError);
            }
            self.fragmented = !fin;
        }
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        self.head = Head::default();
        Ok(Some(Header { fin, opcode, mask, length }))
    }
}

impl Head {
    /// Takes bytes off `input` until there are `count`; false if there are too few.
    fn fill(&mut self, input: &mut &[u8], count: usize) -> bool {
        let (taken, rest) = input.split_at(input.len().min(count.saturating_sub(self.count)));
        self.bytes[self.count..self.count + taken.len()].copy_from_slice(taken);
        self.count += taken.len();
        *input = rest;
        self.count >= count
    }
}

/// Reads the opcode; reserved bits and opcodes are refused.
fn opcode(first: u8) -> Result<Opcode, EndReason> {
    match first & 0x7f {
        0x0 => Ok(Opcode::Continuation),
        0x1 => Ok(Opcode::Text),
        0x2 => Ok(Opcode::Binary),
        0x8 => Ok(Opcode::Close),
        0x9 => Ok(Opcode::Ping),
        0xA => Ok(Opcode::Pong),
        _ => Err(EndReason::ProtocolError),
    }
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for chunk in payload.chunks_mut(4) {
        for (byte, key) in chunk.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
}

/// Reads the code of a close frame (RFC 6455, section 7.4); `None` if it carries none.
pub(super) fn close_code(payload: &[u8]) -> Result<Option<u16>, EndReason> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
        [_] => return Err(EndReason::ProtocolError),
    };
    if std::str::from_utf8(reason).is_err() {
        return Err(EndReason::InvalidPayload);
    }
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 => Ok(Some(code)),
        _ => Err(EndReason::ProtocolError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match u8::try_from(payload.len()) {
            Ok(short) if short < 126 => bytes.push(0x80 | short),
            _ => {
                bytes.push(0xfe);
                bytes.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        bytes.extend_from_slice(&MASK);
        let mut payload = payload.to_vec();
        unmask(&mut payload, MASK);
        bytes.extend(payload);
        bytes
    }

    fn decode_all(mut bytes: &[u8], step: usize) -> Result<Vec<ClientFrame>, EndReason> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let (mut now, later) = bytes.split_at(step.min(bytes.len()));
            bytes = later;
            while !now.is_empty() {
                frames.extend(decoder.decode(&mut now, 1000)?);
            }
        }
        Ok(frames)
    }

    #[test]
    fn the_example_of_the_rfc_is_decoded() {
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let hello = ClientFrame { fin: true, opcode: Opcode::Text, payload: b"Hello".to_vec() };
        assert_eq!(decode_all(&bytes, bytes.len()), Ok(vec![hello]));
    }

    #[test]
    fn frames_are_the_same_however_the_bytes_arrive() {
        let mut bytes = masked(0x01, &[b'a'; 300]);
        bytes.extend(masked(0x89, b"ping"));
        bytes.extend(masked(0x80, b""));
        bytes.extend(masked(0x82, &[7; 125]));
        let whole = decode_all(&bytes, bytes.len()).unwrap();
        assert_eq!(whole.iter().map(|frame| frame.payload.len()).collect::<Vec<_>>(), [300, 4, 0, 125]);
        for step in 1..20 {
            assert_eq!(decode_all(&bytes, step).unwrap(), whole, "{step} bytes at a time");
        }
    }

    #[test]
    fn a_decoder_is_idle_between_messages_and_only_there() {
        let messages = [
            masked(0x81, b"whole"),
            masked(0x82, b""),
            [masked(0x01, b"in "), masked(0x89, b"a ping between"), masked(0x80, b"parts")].concat(),
            masked(0x82, &[7; 300]),
        ];
        let mut decoder = Decoder::default();
        for message in &messages {
            assert!(decoder.is_idle());
            for (place, byte) in message.iter().enumerate() {
                decoder.decode(&mut &[*byte][..], 1000).unwrap();
                let is_last = place + 1 == message.len();
                assert_eq!(decoder.is_idle(), is_last, "after byte {place} of {message:x?}");
            }
        }
    }

    #[test]
    fn the_limit_is_for_data_and_control_frames_may_carry_125_bytes() {
        const LIMIT: usize = 64;
        let outcome = |first, length| {
            let bytes = masked(first, &vec![b'x'; length]);
            let frame = Decoder::default().decode(&mut &bytes[..], LIMIT)?;
            Ok(frame.map(|frame| frame.payload.len()))
        };
        for data in [0x81, 0x82] {
            assert_eq!(outcome(data, 64), Ok(Some(64)), "{data:#x}");
            assert_eq!(outcome(data, 65), Err(EndReason::TooLarge), "{data:#x}");
        }
        for control in [0x88, 0x89, 0x8a] {
            for length in [64, 65, 125] {
                assert_eq!(outcome(control, length), Ok(Some(length)), "{control:#x}");
            }
            assert_eq!(outcome(control, 126), Err(EndReason::ProtocolError), "{control:#x}");
        }
    }

    #[test]
    fn what_breaks_the_protocol_is_refused() {
        let too_long = masked(0x82, &[0; 1001]);
        let cases: [(&str, &[u8], EndReason); 9] = [
            ("unmasked", &[0x81, 0x00], EndReason::ProtocolError),
            ("reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], EndReason::ProtocolError),
            ("reserved opcode", &[0x83, 0x80, 0, 0, 0, 0], EndReason::ProtocolError),
            ("fragmented ping", &[0x09, 0x80, 0, 0, 0, 0], EndReason::ProtocolError),
            ("long ping", &[0x89, 0xfe, 0, 126, 0, 0, 0, 0], EndReason::ProtocolError),
            ("continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], EndReason::ProtocolError),
            ("text in text", &[0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], EndReason::ProtocolError),
            (
                "negative length",
                &[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                EndReason::ProtocolError,
            ),
            ("too long", &too_long, EndReason::TooLarge),
        ];
        for (name, bytes, reason) in cases {
            assert_eq!(decode_all(bytes, bytes.len()), Err(reason), "{name}");
        }
    }

    #[test]
    fn close_codes_are_those_that_may_be_sent() {
        assert_eq!(close_code(b""), Ok(None));
        assert_eq!(close_code(b"\x03\xe8bye"), Ok(Some(1000)));
        assert_eq!(close_code(b"\x0f\xa0"), Ok(Some(4000)));
        assert_eq!(close_code(b"\x03"), Err(EndReason::ProtocolError));
        assert_eq!(close_code(b"\x03\xe8\xff"), Err(EndReason::InvalidPayload));
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(close_code(&code.to_be_bytes()), Err(EndReason::ProtocolError), "{code}");
        }
    }
}
