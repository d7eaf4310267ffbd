//! What one pass brings to the streams.

use bytes::{Bytes, BytesMut};

use tokio::time::Instant;

use super::{Format, Formats, Frame, MessageId, clock::Tick, event::Events};

/// Batches up to this size are copied into one buffer, since one plain write is cheaper than a vectored one.
const JOIN_BYTES: usize = 64 << 10;

/// What one pass carries.
#[derive(Debug)]
pub(super) struct Batch {
    /// The user's messages before these were all carried by earlier passes: a stream that is not behind has them.
    pub(super) base: MessageId,
    pub(super) frames: Vec<Frame>,
    /// For streams that ask for them.
    pub(super) events: Option<Box<Events>>,
    /// The formats that every frame has.
    carried: Formats,
    /// All frames one after the other, by format.
    joined: [Option<Bytes>; Format::COUNT],
    pub(super) facts: PassFacts,
}

/// What a pass says besides its frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct PassFacts {
    /// How many messages the batch stands for.
    pub(super) messages: usize,
    /// Some messages are not among its frames: they are to be read from the backlog.
    pub(super) incomplete: bool,
    /// A cursor not past this one is too far behind.
    pub(super) lag_floor: Option<MessageId>,
    /// When the pass began.
    pub(super) now: Tick,
    /// When the first of the messages came in, where that is known.
    pub(super) oldest: Option<Instant>,
}

impl Batch {
    /// Makes a batch of frames, for streams in these formats.
    pub(super) fn new(
        base: MessageId,
        frames: Vec<Frame>,
        events: Option<Box<Events>>,
        wanted: Formats,
        facts: PassFacts,
    ) -> Self {
        let has_each = |format: &Format| frames.iter().all(|frame| frame.bytes(*format).is_some());
        let carried: Formats = Format::ALL.into_iter().filter(has_each).collect();
        let is_joined = |format| frames.len() > 1 && wanted.contains(format) && carried.contains(format);
        let joined = Format::ALL.map(|format| is_joined(format).then(|| join(&frames, format)).flatten());
        Self { base, frames, events, carried, joined, facts }
    }

    /// Whether streams in this format find all that the batch stands for in its frames.
    pub(super) fn is_complete(&self, format: Format) -> bool {
        !self.facts.incomplete && self.carried.contains(format)
    }

    /// All frames in one buffer, where `from` is the first of them and there is such a buffer.
    pub(super) fn joined(&self, format: Format, from: usize) -> Option<&Bytes> {
        self.joined[format.place()].as_ref().filter(|_| from == 0)
    }
}

/// Copies small frames into one buffer.
fn join(frames: &[Frame], format: Format) -> Option<Bytes> {
    let bytes = frames.iter().map(|frame| frame.slice(format).len()).sum();
    if bytes > JOIN_BYTES {
        return None;
    }
    let mut joined = BytesMut::with_capacity(bytes);
    for frame in frames {
        joined.extend_from_slice(frame.slice(format));
    }
    Some(joined.freeze())
}
