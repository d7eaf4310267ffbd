//! A piece of the backlog.

use std::{
    ops::{Deref, Range},
    sync::Arc,
};

use super::{ConnectionId, Format, Frame, MessageId, backlog::BacklogPage};

/// A piece of the backlog, shared by the streams that need it.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The format of its frames.
    format: Format,
    /// It holds the user's messages after this one.
    after: MessageId,
    /// It holds them up to this one.
    pub(super) up_to: MessageId,
    /// No message came after these when they were read.
    complete: bool,
    /// Streams with lower ids had registered before it was read.
    read_before: ConnectionId,
    frames: Vec<Frame>,
}

impl Chunk {
    /// `newest` and `read_before` are of the moment before the page was read.
    pub(super) fn new(
        after: MessageId,
        format: Format,
        page: BacklogPage,
        newest: MessageId,
        read_before: ConnectionId,
    ) -> Self {
        let last = page.frames.last().map_or(after, |frame| frame.id);
        let complete = page.complete || page.frames.is_empty();
        // What was taken up by a pass is stored: a complete page that lacks it says that it was deleted.
        let up_to = if complete { last.max(newest) } else { last };
        Self { format, after, up_to, complete, read_before, frames: page.frames }
    }

    /// Answers whether a stream that has got all of it has seen the end of the backlog: what came after that, the stream
    /// hears of.
    pub(super) fn ends_backlog_for(&self, stream: ConnectionId) -> bool {
        self.complete && stream < self.read_before
    }

    /// Answers whether it covers nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.up_to <= self.after
    }

    pub(super) fn covers(&self, cursor: MessageId, format: Format) -> bool {
        self.format == format && self.after <= cursor && cursor < self.up_to
    }

    /// The frames after `cursor`, at most `limit`.
    pub(super) fn read(self: &Arc<Self>, cursor: MessageId, limit: usize) -> Frames {
        let from = self.frames.partition_point(|frame| frame.id <= cursor);
        let to = self.frames.len().min(from.saturating_add(limit));
        Frames::Old(Arc::clone(self), from..to)
    }
}

/// What comes next on a stream.
#[derive(Debug)]
pub(super) enum Frames {
    /// Copies of recent frames.
    Recent(Vec<Frame>),
    /// A part of a piece of the backlog, which other streams read too.
    Old(Arc<Chunk>, Range<usize>),
}

impl Deref for Frames {
    type Target = [Frame];

    fn deref(&self) -> &[Frame] {
        match self {
            Self::Recent(frames) => frames,
            Self::Old(chunk, range) => &chunk.frames[range.clone()],
        }
    }
}
