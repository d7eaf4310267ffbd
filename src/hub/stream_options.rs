//! The options of a stream: which messages it gets, and whether it gets events.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    Format, Frame, MessageId,
    batch::Batch,
    event::Merged,
    filter::{self, Filter},
};

/// The options of a stream that gets less than every message, or more, or whose pings carry ids. Other streams have none.
#[derive(Debug, Default)]
pub(super) struct StreamOptions {
    pub(super) filter: Option<Filter>,
    pub(super) events: Option<EventRequest>,
    pub(super) pings: Option<NumberedPings>,
}

/// What the pings of a stream have carried, and what its peer has answered.
#[derive(Debug, Default)]
pub(super) struct NumberedPings {
    /// The id in the last ping.
    pub(super) last: MessageId,
    /// The highest id that came back.
    pub(super) acknowledged: Option<MessageId>,
}

/// A stream's request for events.
#[derive(Debug)]
pub(super) struct EventRequest {
    /// What tells the peer that it has missed some, in the format of the stream.
    pub(super) missed_frame: Bytes,
    /// It has missed some, and does not know it yet.
    pub(super) missed: bool,
}

/// What one pass brings to a stream.
#[derive(Debug)]
pub(super) struct Selection<'b> {
    /// Messages that it does not ask for keep their places and have no bytes.
    pub(super) frames: Cow<'b, [Frame]>,
    /// How many of them are messages that it asks for.
    pub(super) messages: usize,
    last_event: Option<usize>,
    lacks_events: bool,
}

impl StreamOptions {
    pub(super) fn is_nothing(&self) -> bool {
        self.filter.is_none() && self.events.is_none() && self.pings.is_none()
    }

    /// Selects what a live stream with this cursor gets of a batch.
    pub(super) fn select<'b>(&self, batch: &'b Batch, format: Format, cursor: MessageId) -> Selection<'b> {
        let from = batch.frames.partition_point(|frame| frame.id <= cursor);
        let frames = filter::select(self.filter.as_ref(), &batch.frames[from..]);
        let messages = filter::count(self.filter.as_ref(), &frames, format);
        let Some((events, request)) = batch.events.as_deref().zip(self.events.as_ref()) else {
            return Selection { frames, messages, last_event: None, lacks_events: false };
        };
        // Before the peer knows that it has missed some it gets no others.
        if request.missed {
            return Selection { frames, messages, last_event: None, lacks_events: true };
        }
        let Merged { frames, last_event, is_incomplete } = events.merge(&frames, format, cursor);
        Selection { frames: frames.into(), messages, last_event, lacks_events: is_incomplete }
    }

    /// Notes that the stream has missed events, if it asks for them.
    pub(super) fn miss_events(&mut self) {
        if let Some(events) = &mut self.events {
            events.missed = true;
        }
    }

    /// Returns what tells the peer that it has missed events, if it has and does not know it yet.
    pub(super) fn take_missed(&mut self) -> Option<Bytes> {
        let events = self.events.as_mut()?;
        std::mem::take(&mut events.missed).then(|| events.missed_frame.clone())
    }
}

impl Selection<'_> {
    /// Answers whether events are missing when so many frames were begun.
    pub(super) fn misses_events(&self, begun: usize) -> bool {
        self.lacks_events || self.last_event.is_some_and(|last| last >= begun)
    }
}
