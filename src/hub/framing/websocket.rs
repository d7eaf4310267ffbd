//! WebSocket (RFC 6455).

use std::borrow::Cow;

use bytes::BufMut;

use super::Framing;
use crate::hub::{EndReason, MessageId};

const FIN_PING: u8 = 0x89;
const FIN_CLOSE: u8 = 0x88;

impl Framing {
    /// WebSocket: ping frames that are answered by pongs, and close frames with a code and a reason.
    pub const WEBSOCKET: Self = Self {
        opening: |_| Cow::Borrowed(b""),
        ping: ping_frame,
        has_ids_in_pings: false,
        expects_pongs: true,
        end: close_frame,
        expects_answer: |reason| !is_last_word(reason),
        waits_for_hang_up: true,
    };
}

/// The whole ping frame, with the id in digits.
fn ping_frame(last: Option<MessageId>) -> Cow<'static, [u8]> {
    let Some(MessageId(id)) = last else { return Cow::Borrowed(&[FIN_PING, 0]) };
    let digits = id.to_string();
    let mut frame = Vec::with_capacity(2 + digits.len());
    put_header(&mut frame, FIN_PING, digits.len());
    frame.extend_from_slice(digits.as_bytes());
    Cow::Owned(frame)
}

/// The whole close frame. The reason goes with the code, but for an answer to the peer's own close, which repeats its
/// code alone.
fn close_frame(reason: EndReason) -> Cow<'static, [u8]> {
    let Some(code) = reason.close_code() else {
        return Cow::Borrowed(&[FIN_CLOSE, 0]);
    };
    let text = reason.text();
    let length = u8::try_from(2 + text.len()).expect("every reason is shorter than 123 bytes");
    let mut frame = vec![FIN_CLOSE, length];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(text.as_bytes());
    Cow::Owned(frame)
}

/// Answers whether the close frame is the last word on both sides (RFC 6455, section 7.1): the peer has closed, or has
/// sent what can't be followed, so that no answer of it would be understood.
fn is_last_word(reason: EndReason) -> bool {
    match reason {
        EndReason::PeerClosed(_)
        | EndReason::TooLarge
        | EndReason::TooManyFrames
        | EndReason::ProtocolError
        | EndReason::InvalidPayload => true,
        EndReason::SlowConsumer
        | EndReason::NoPong
        | EndReason::TokenDeleted
        | EndReason::TokenExpired
        | EndReason::UserDeleted
        | EndReason::Shutdown
        | EndReason::BacklogUnavailable
        | EndReason::CutOff
        | EndReason::TooFarBehind
        | EndReason::Internal
        | EndReason::PeerGone
        | EndReason::Dropped => false,
    }
}

/// Writes the header of a server's frame: the first byte as given, then the length in its shortest form.
pub fn put_header(out: &mut impl BufMut, first: u8, length: usize) {
    out.put_u8(first);
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        out.put_u8(short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.put_u8(126);
        out.put_u16(medium);
    } else {
        out.put_u8(127);
        out.put_u64(length as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_carries_code_and_reason() {
        assert_eq!(&*close_frame(EndReason::SlowConsumer), b"\x88\x0f\x03\xf0slow consumer");
        assert_eq!(&*close_frame(EndReason::PeerClosed(Some(1000))), b"\x88\x02\x03\xe8");
        assert_eq!(&*close_frame(EndReason::PeerClosed(None)), b"\x88\x00");
    }

    #[test]
    fn a_ping_carries_an_id_if_it_is_given_one() {
        assert_eq!(&*ping_frame(None), b"\x89\x00");
        assert_eq!(&*ping_frame(Some(MessageId(120))), b"\x89\x03120");
    }

    #[test]
    fn a_close_frame_fits_into_a_control_frame() {
        for reason in EndReason::ALL {
            assert!(close_frame(reason).len() <= 127, "{reason:?}");
        }
    }
}
