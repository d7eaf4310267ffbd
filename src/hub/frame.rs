//! A message as it goes to sockets: encoded once, shared by all streams.

use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use super::MessageId;

const FIN_TEXT: u8 = 0x81;

/// One message, ready for the socket. Cloning shares the bytes.
///
/// ```
/// use shardcast::hub::{Frame, MessageId};
///
/// // For WebSocket clients.
/// let frame = Frame::text(MessageId(1), b"hello");
/// assert_eq!(&frame.bytes[..], b"\x81\x05hello");
/// // For a protocol of your own.
/// let frame = Frame::new(MessageId(2), "hello\n");
/// assert_eq!(&frame.bytes[..], b"hello\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message's place in its user's order.
    pub id: MessageId,
    /// What goes to the socket, header included.
    pub bytes: Bytes,
    /// When the message came in, where that is known: for the observer, which is told how long messages take.
    pub received_at: Option<Instant>,
}

impl Frame {
    /// Takes bytes that are already what the socket shall get.
    pub fn new(id: MessageId, bytes: impl Into<Bytes>) -> Self {
        Self { id, bytes: bytes.into(), received_at: None }
    }

    /// Puts the header of an unfragmented WebSocket text frame before `payload` (RFC 6455, section 5.2; a
    /// server does not mask). The payload must be UTF-8: it is not checked here.
    pub fn text(id: MessageId, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(payload.len() + 10);
        put_header(&mut bytes, FIN_TEXT, payload.len());
        bytes.put_slice(payload);
        Self::new(id, bytes)
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
    fn a_header_takes_the_shortest_form_of_the_length() {
        for (length, expected) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = Frame::text(MessageId(1), &vec![b'x'; length]);
            assert_eq!(frame.bytes[..expected.len()], expected, "length {length}");
            assert_eq!(frame.bytes.len(), expected.len() + length);
        }
    }
}
