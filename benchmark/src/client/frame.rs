//! WebSocket frames as a client needs them: scanning what a server sends, and writing control frames.
//!
//! The scanner borrows from the read buffer and copies nothing. Gotify itself sends a message above its write buffer
//! of 4 KiB in several frames, so these are told apart.

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
/// The largest payload a control frame may carry.
const MAX_CONTROL_BYTES: usize = 125;
/// Larger data frames than this are taken for garbage.
const MAX_DATA_BYTES: u64 = 64 << 20;

/// One complete frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// A whole message.
    Data(&'a [u8]),
    /// The first frame of a message in several.
    Begin(&'a [u8]),
    /// A frame in the middle of one.
    Middle,
    /// Its last frame.
    End,
    Ping(&'a [u8]),
    Pong,
    /// With the close code, if the server gave one.
    Close(Option<u16>),
}

/// Why bytes from the server are not frames a client can take.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a reserved bit is set")]
    ReservedBit,
    #[error("a server's frame is masked")]
    Masked,
    #[error("a control frame in fragments")]
    FragmentedControl,
    #[error("opcode {0} is unknown")]
    UnknownOpcode(u8),
    #[error("a control frame of {0} bytes")]
    LongControl(u64),
    #[error("a data frame of {0} bytes")]
    LongData(u64),
}

/// Returns the first frame of `buf` with its length in bytes, or `None` when it is not complete yet.
pub(crate) fn next(buf: &[u8]) -> Result<Option<(Frame<'_>, usize)>, FrameError> {
    let [first, second, rest @ ..] = buf else { return Ok(None) };
    let opcode = first & 0x0F;
    if first & 0x70 != 0 {
        return Err(FrameError::ReservedBit);
    }
    if second & MASKED != 0 {
        return Err(FrameError::Masked);
    }
    let (length, header) = match second & 0x7F {
        126 => {
            let Some(bytes) = rest.first_chunk::<2>() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*bytes)), 4)
        }
        127 => {
            let Some(bytes) = rest.first_chunk::<8>() else { return Ok(None) };
            (u64::from_be_bytes(*bytes), 10)
        }
        short => (u64::from(short), 2),
    };
    let is_last = first & FIN != 0;
    if opcode >= CLOSE && !is_last {
        return Err(FrameError::FragmentedControl);
    }
    if length > MAX_DATA_BYTES {
        return Err(FrameError::LongData(length));
    }
    let size = usize::try_from(length).expect("bounded by MAX_DATA_BYTES");
    if opcode >= CLOSE && size > MAX_CONTROL_BYTES {
        return Err(FrameError::LongControl(length));
    }
    let Some(payload) = buf.get(header..header + size) else { return Ok(None) };
    let frame = match opcode {
        TEXT | BINARY if is_last => Frame::Data(payload),
        TEXT | BINARY => Frame::Begin(payload),
        CONTINUATION if is_last => Frame::End,
        CONTINUATION => Frame::Middle,
        PING => Frame::Ping(payload),
        PONG => Frame::Pong,
        CLOSE => Frame::Close(payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code))),
        other => return Err(FrameError::UnknownOpcode(other)),
    };
    Ok(Some((frame, header + size)))
}

/// Builds a masked pong that echoes a ping's payload.
pub(crate) fn pong(payload: &[u8], mask: u32) -> Vec<u8> {
    control(PONG, payload, mask)
}

/// Builds a masked close frame.
pub(crate) fn close(code: u16, mask: u32) -> Vec<u8> {
    control(CLOSE, &code.to_be_bytes(), mask)
}

fn control(opcode: u8, payload: &[u8], mask: u32) -> Vec<u8> {
    let payload = &payload[..payload.len().min(MAX_CONTROL_BYTES)];
    let mask = mask.to_be_bytes();
    let length = u8::try_from(payload.len()).expect("at most MAX_CONTROL_BYTES");
    let mut bytes = Vec::with_capacity(6 + payload.len());
    bytes.extend_from_slice(&[FIN | opcode, MASKED | length]);
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(payload: &[u8]) -> Vec<u8> {
        crate::baseline::frame(payload)
    }

    #[test]
    fn a_frame_of_each_length_form_is_found_with_its_size() {
        for size in [0, 1, 125, 126, 65_535, 65_536] {
            let bytes = text(&vec![b'x'; size]);
            let (frame, used) = next(&bytes).unwrap().unwrap();
            assert_eq!(used, bytes.len());
            assert_eq!(frame, Frame::Data(&vec![b'x'; size]));
        }
    }

    #[test]
    fn a_frame_cut_anywhere_is_not_complete() {
        for size in [5, 200, 70_000] {
            let bytes = text(&vec![b'x'; size]);
            for cut in [0, 1, 2, 3, 9, bytes.len() - 1] {
                assert_eq!(next(&bytes[..cut.min(bytes.len() - 1)]).unwrap(), None, "{size} cut at {cut}");
            }
        }
    }

    #[test]
    fn the_bytes_after_a_frame_are_left_alone() {
        let mut bytes = text(b"one");
        let first = bytes.len();
        bytes.extend(text(b"two"));
        assert_eq!(next(&bytes).unwrap(), Some((Frame::Data(b"one"), first)));
        assert_eq!(next(&bytes[first..]).unwrap(), Some((Frame::Data(b"two"), first)));
    }

    #[test]
    fn the_frames_of_one_message_are_told_apart() {
        assert_eq!(next(&[0x01, 1, b'a']).unwrap(), Some((Frame::Begin(b"a"), 3)));
        assert_eq!(next(&[0x00, 1, b'b']).unwrap(), Some((Frame::Middle, 3)));
        assert_eq!(next(&[0x80, 1, b'c']).unwrap(), Some((Frame::End, 3)));
    }

    #[test]
    fn control_frames_are_told_apart() {
        assert_eq!(next(&[0x89, 2, b'h', b'i']).unwrap(), Some((Frame::Ping(b"hi"), 4)));
        assert_eq!(next(&[0x8A, 0]).unwrap(), Some((Frame::Pong, 2)));
        assert_eq!(next(&[0x88, 0]).unwrap(), Some((Frame::Close(None), 2)));
        assert_eq!(next(&[0x88, 2, 0x03, 0xF0]).unwrap(), Some((Frame::Close(Some(1008)), 4)));
    }

    #[test]
    fn what_a_server_may_not_send_is_refused() {
        assert_eq!(next(&[0xC1, 0]), Err(FrameError::ReservedBit));
        assert_eq!(next(&[0x81, 0x80]), Err(FrameError::Masked));
        assert_eq!(next(&[0x09, 0]), Err(FrameError::FragmentedControl));
        assert_eq!(next(&[0x83, 0]), Err(FrameError::UnknownOpcode(3)));
        assert_eq!(next(&[0x89, 126, 0, 126]), Err(FrameError::LongControl(126)));
        assert_eq!(next(&[0x82, 127, 1, 0, 0, 0, 0, 0, 0, 0]), Err(FrameError::LongData(1 << 56)));
    }

    #[test]
    fn a_pong_echoes_the_payload_under_the_mask() {
        let bytes = pong(b"ping!", 0x0102_0304);
        assert_eq!(bytes[..6], [0x8A, 0x85, 1, 2, 3, 4]);
        let plain: Vec<u8> = bytes[6..].iter().zip([1, 2, 3, 4, 1]).map(|(byte, key)| byte ^ key).collect();
        assert_eq!(plain, b"ping!");
    }
}
