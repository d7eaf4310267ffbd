//! Events that are no messages: that something was read, deleted or replaced.

use bytes::Bytes;

use super::{Format, Frame, HubConfig, MessageId};

/// An event that is no message, ready for the socket in one or more formats. Cloning shares the bytes.
///
/// Only streams that ask for events get it, see [`Registration::ask_for_events`](super::Registration::ask_for_events).
/// A stream whose format it lacks has missed it.
///
/// ```
/// use shardcast::hub::{EventFrame, Format};
///
/// let event = EventFrame::default()
///     .with_text(br#"{"deleted":7}"#)
///     .with_event("deleted", b"7");
/// assert_eq!(&event.bytes(Format::Text).unwrap()[..], b"\x81\x0d{\"deleted\":7}");
/// assert_eq!(&event.bytes(Format::Event).unwrap()[..], b"event: deleted\ndata: 7\n\n");
/// assert_eq!(event.bytes(Format::Binary), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFrame(Frame);

impl Default for EventFrame {
    fn default() -> Self {
        Self(Frame::unencoded(MessageId(0)))
    }
}

impl EventFrame {
    /// Adds bytes that are already what the socket of a stream in this format shall get.
    #[must_use]
    pub fn with(self, format: Format, bytes: impl Into<Bytes>) -> Self {
        Self(self.0.with(format, bytes))
    }

    /// Adds an unfragmented WebSocket text frame for [`Format::Text`]; see [`Frame::with_text`].
    #[must_use]
    pub fn with_text(self, payload: &[u8]) -> Self {
        Self(self.0.with_text(payload))
    }

    /// Adds an unfragmented WebSocket binary frame for [`Format::Binary`].
    #[must_use]
    pub fn with_binary(self, payload: &[u8]) -> Self {
        Self(self.0.with_binary(payload))
    }

    /// Adds an event of this type for [`Format::Event`] (HTML Standard, section 9.2). It has no id, so that a client that
    /// comes back names the last message that it got. Type and payload must be UTF-8 in one line: that is not
    /// checked here.
    #[must_use]
    pub fn with_event(self, kind: &str, payload: &[u8]) -> Self {
        let head = format!("event: {kind}\ndata: ");
        self.with(Format::Event, [head.as_bytes(), payload, b"\n\n"].concat())
    }

    /// Returns what goes to the socket of a stream in this format, header included, if the event has it.
    pub fn bytes(&self, format: Format) -> Option<&Bytes> {
        self.0.bytes(format)
    }
}

/// Events on their way to a user's streams.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Each as a frame, with the id of the newest message that came before it.
    frames: Vec<Frame>,
    bytes: usize,
    /// There were too many: none of them is kept, and streams that ask for events have missed them.
    overflowed: bool,
}

impl Events {
    /// Adds an event that comes after this message.
    pub(super) fn push(&mut self, after: MessageId, event: &EventFrame) {
        let mut frame = event.0.clone();
        frame.id = after;
        self.bytes += frame.size();
        self.overflowed |=
            self.frames.len() >= HubConfig::INBOX_EVENTS || self.bytes > HubConfig::INBOX_EVENT_BYTES;
        if self.overflowed {
            self.frames = Vec::new();
        } else {
            self.frames.push(frame);
        }
    }

    /// Puts events between messages, which are those that a stream with this cursor gets.
    pub(super) fn merge(&self, messages: &[Frame], format: Format, cursor: MessageId) -> Merged {
        let mut merged = Merged { is_incomplete: self.overflowed, ..Merged::default() };
        let mut rest = messages;
        for event in &self.frames {
            if event.bytes(format).is_none() {
                // Those that follow would come before the peer learns that it has missed this one.
                merged.is_incomplete = true;
                break;
            }
            let (before, after) = rest.split_at(rest.partition_point(|message| message.id <= event.id));
            merged.frames.extend_from_slice(before);
            rest = after;
            merged.last_event = Some(merged.frames.len());
            // An event does not move the cursor.
            let mut event = event.clone();
            event.id = event.id.max(cursor);
            merged.frames.push(event);
        }
        merged.frames.extend_from_slice(rest);
        merged
    }
}

/// Messages and events in their order.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) frames: Vec<Frame>,
    /// Where the last event stands.
    pub(super) last_event: Option<usize>,
    /// Some events are not among them.
    pub(super) is_incomplete: bool,
}
