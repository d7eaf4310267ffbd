//! A message as it goes to sockets: encoded once a format, shared by all streams.

use bytes::{BufMut, Bytes, BytesMut};
use tokio::time::Instant;

use super::{ApplicationId, Format, MessageId, budget::Reservation, put_header};

const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;

/// One message, ready for the socket in one or more formats. Cloning shares the bytes.
///
/// A stream whose format a frame lacks reads the message from the backlog, and is closed where there is none: who has
/// no backlog gives every frame in all formats that streams may have.
///
/// ```
/// use shardcast::hub::{Format, Frame, MessageId};
///
/// // For WebSocket clients.
/// let frame = Frame::text(MessageId(1), b"hello").with_binary(b"\x0a\x05hello");
/// assert_eq!(&frame.bytes(Format::Text).unwrap()[..], b"\x81\x05hello");
/// assert_eq!(&frame.bytes(Format::Binary).unwrap()[..], b"\x82\x07\x0a\x05hello");
/// // For a protocol of your own.
/// let frame = Frame::new(MessageId(2), "hello\n");
/// assert_eq!(&frame.bytes(Format::Text).unwrap()[..], b"hello\n");
/// assert_eq!(frame.bytes(Format::Binary), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message's place in its user's order.
    pub id: MessageId,
    /// When the message came in, where that is known: for the observer, which is told how long messages take.
    pub received_at: Option<Instant>,
    /// Which application sent it, for streams that ask for some alone; 0 unless it is said.
    pub application: ApplicationId,
    /// Its priority, for streams that ask for a minimum; 0 unless it is said.
    pub priority: i64,
    /// What goes to the socket, headers included, by format.
    encodings: [Option<Bytes>; Format::COUNT],
}

impl Frame {
    /// Makes a frame that is in no format yet.
    pub fn unencoded(id: MessageId) -> Self {
        Self {
            id,
            received_at: None,
            application: ApplicationId::default(),
            priority: 0,
            encodings: Default::default(),
        }
    }

    /// Takes bytes that are already what the socket of a [`Format::Text`] stream shall get.
    pub fn new(id: MessageId, bytes: impl Into<Bytes>) -> Self {
        Self::unencoded(id).with(Format::Text, bytes)
    }

    /// Makes an unfragmented WebSocket text frame; see [`Frame::with_text`].
    pub fn text(id: MessageId, payload: &[u8]) -> Self {
        Self::unencoded(id).with_text(payload)
    }

    /// Adds bytes that are already what the socket of a stream in this format shall get.
    #[must_use]
    pub fn with(mut self, format: Format, bytes: impl Into<Bytes>) -> Self {
        self.encodings[format.place()] = Some(bytes.into());
        self
    }

    /// Adds an unfragmented WebSocket text frame for [`Format::Text`] (RFC 6455, section 5.2; a server does not
    /// mask). The payload must be UTF-8: it is not checked here.
    #[must_use]
    pub fn with_text(self, payload: &[u8]) -> Self {
        self.with(Format::Text, framed(FIN_TEXT, payload))
    }

    /// Adds an unfragmented WebSocket binary frame for [`Format::Binary`].
    #[must_use]
    pub fn with_binary(self, payload: &[u8]) -> Self {
        self.with(Format::Binary, framed(FIN_BINARY, payload))
    }

    /// Adds an event for [`Format::Event`]: the message's id, and the payload as its data (HTML Standard, section 9.2).
    /// The payload must be UTF-8 in one line: it is not checked here.
    #[must_use]
    pub fn with_event(self, payload: &[u8]) -> Self {
        let head = format!("id: {}\ndata: ", self.id);
        self.with(Format::Event, [head.as_bytes(), payload, b"\n\n"].concat())
    }

    /// Notes when the message came in.
    #[must_use]
    pub fn with_received_at(mut self, received_at: Instant) -> Self {
        self.received_at = Some(received_at);
        self
    }

    /// Says what a [`Filter`](super::Filter) may choose by.
    #[must_use]
    pub fn with_subject(mut self, application: ApplicationId, priority: i64) -> Self {
        self.application = application;
        self.priority = priority;
        self
    }

    /// Returns what goes to the socket of a stream in this format, header included, if the frame has it.
    pub fn bytes(&self, format: Format) -> Option<&Bytes> {
        self.encodings[format.place()].as_ref()
    }

    /// Returns the bytes of all its formats.
    pub fn size(&self) -> usize {
        self.encodings.iter().flatten().map(Bytes::len).sum()
    }

    /// Makes the bytes of a format count against a reservation; `None` where the frame lacks it.
    pub(super) fn hold(&mut self, format: Format, reservation: &mut Reservation) -> Option<()> {
        let bytes = self.encodings[format.place()].as_mut()?;
        *bytes = reservation.hold(std::mem::take(bytes));
        Some(())
    }

    /// The bytes of a format, none where the frame lacks it.
    pub(super) fn slice(&self, format: Format) -> &[u8] {
        self.bytes(format).map_or(&[], |bytes| bytes)
    }
}

fn framed(first: u8, payload: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::with_capacity(payload.len() + 10);
    put_header(&mut bytes, first, payload.len());
    bytes.put_slice(payload);
    bytes
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
            let bytes = frame.bytes(Format::Text).unwrap();
            assert_eq!(bytes[..expected.len()], expected, "length {length}");
            assert_eq!(bytes.len(), expected.len() + length);
        }
    }
}
