//! What one pass brings to the streams.

use bytes::{Bytes, BytesMut};

use tokio::time::Instant;

use super::{Frame, MessageId, clock::Tick};

/// Batches up to this size are copied into one buffer, since one plain write is cheaper than a vectored one.
const JOIN_BYTES: usize = 64 << 10;

/// What one pass carries.
#[derive(Debug)]
pub(super) struct Batch {
    /// The user's messages before these were all carried by earlier passes: a stream that is not behind has them.
    pub(super) base: MessageId,
    pub(super) frames: Vec<Frame>,
    /// All frames one after the other.
    joined: Option<Bytes>,
    pub(super) told: Told,
}

/// What a pass says besides its frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
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
    /// Makes a batch of frames that have `bytes` in all.
    pub(super) fn new(base: MessageId, frames: Vec<Frame>, bytes: usize, told: Told) -> Self {
        let joined = (frames.len() > 1 && bytes <= JOIN_BYTES).then(|| join(&frames, bytes));
        Self { base, frames, joined, told }
    }

    /// All frames in one buffer, where `from` is the first of them and there is such a buffer.
    pub(super) fn joined(&self, from: usize) -> Option<&Bytes> {
        self.joined.as_ref().filter(|_| from == 0)
    }
}

fn join(frames: &[Frame], bytes: usize) -> Bytes {
    let mut joined = BytesMut::with_capacity(bytes);
    for frame in frames {
        joined.extend_from_slice(&frame.bytes);
    }
    joined.freeze()
}
