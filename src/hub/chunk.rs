//! A piece of the backlog.

use super::{Format, Frame, MessageId, backlog::BacklogPage};

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
    pub(super) complete: bool,
    frames: Vec<Frame>,
}

impl Chunk {
    pub(super) fn new(after: MessageId, format: Format, page: BacklogPage, newest: MessageId) -> Self {
        let last = page.frames.last().map_or(after, |frame| frame.id);
        let complete = page.complete || page.frames.is_empty();
        // What was taken up by a pass is stored: a complete page that lacks it says that it was deleted.
        let up_to = if complete { last.max(newest) } else { last };
        Self { format, after, up_to, complete, frames: page.frames }
    }

    pub(super) fn covers(&self, cursor: MessageId, format: Format) -> bool {
        self.format == format && self.after <= cursor && cursor < self.up_to
    }

    /// The frames after `cursor`, at most `limit`.
    pub(super) fn read(&self, cursor: MessageId, limit: usize) -> Vec<Frame> {
        let from = self.frames.partition_point(|frame| frame.id <= cursor);
        self.frames[from..].iter().take(limit).cloned().collect()
    }
}
