//! Passes for streams that ask for less than every message, or for events.

use std::{io, sync::atomic::Ordering};

use bytes::Bytes;
use parking_lot::MutexGuard;

use super::{Connection, Delivery, State, wake};
use crate::hub::{
    EndReason, MessageId,
    batch::Batch,
    filter::Filter,
    stream_options::{EventRequest, NumberedPings, Selection, StreamOptions},
};

impl Connection {
    /// Lets the stream bring only the messages that a filter asks for.
    pub(in crate::hub) fn ask_for(&self, filter: Filter) {
        let filter = (filter != Filter::default()).then_some(filter);
        self.state.lock().change_options(|options| options.filter = filter);
    }

    /// Lets the stream bring events too. One that comes back has missed those of the time between.
    pub(in crate::hub) fn ask_for_events(&self, missed_frame: Bytes) {
        let mut state = self.state.lock();
        let missed = state.replaying;
        if !state.asks_for_events() {
            self.user.event_streams.fetch_add(1, Ordering::Relaxed);
        }
        state.change_options(|options| options.events = Some(EventRequest { missed_frame, missed }));
    }

    /// Lets its pings carry the id of the last message before them.
    pub(in crate::hub) fn ask_for_ids_in_pings(&self) {
        let change = |options: &mut StreamOptions| options.pings = Some(NumberedPings::default());
        self.state.lock().change_options(change);
    }

    /// Gives up the stream's place among those that ask for events.
    pub(in crate::hub) fn forget_events(&self) {
        let mut state = self.state.lock();
        if state.asks_for_events() {
            self.user.event_streams.fetch_sub(1, Ordering::Relaxed);
            state.change_options(|options| options.events = None);
        }
    }

    /// As [`Connection::deliver`], for a live stream that does not ask for exactly every message.
    pub(super) fn deliver_selection(
        &self,
        mut state: MutexGuard<'_, State>,
        selection: &Selection<'_>,
        batch: &Batch,
    ) -> Delivery {
        let is_complete = batch.is_complete(self.format) && state.outgoing.is_none();
        let frames = &selection.frames[..];
        let mut begun = 0;
        while is_complete && begun < frames.len() && state.outgoing.is_none() {
            match self.write(&frames[begun..], None) {
                Ok(written) => {
                    let count = state.settle(&frames[begun..], self.format, written);
                    begun += count;
                    if count == 0 {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.end_locked(&mut state, EndReason::PeerGone);
                    wake(state);
                    return Delivery::Ended;
                }
            }
        }
        let misses_events = selection.misses_events(begun);
        if is_complete && begun == frames.len() && state.outgoing.is_none() && !misses_events {
            return Delivery::Sent(selection.messages);
        }
        if misses_events {
            state.miss_events();
        }
        if batch.facts.messages == 0 {
            // It has every message. Its task says that it has missed events.
            if is_complete {
                state.progress_at = batch.facts.now;
            }
            wake(state);
            return Delivery::Sent(0);
        }
        self.fall_behind(state, batch)
    }
}

impl State {
    /// Which messages it asks for, if not for all.
    pub(in crate::hub) fn filter(&self) -> Option<&Filter> {
        self.options.as_ref()?.filter.as_ref()
    }

    fn asks_for_events(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.events.is_some())
    }

    /// Returns the id that its next ping carries, if it carries one. All up to that message was written before.
    pub(super) fn id_for_ping(&mut self) -> Option<MessageId> {
        let cursor = self.cursor;
        let pings = self.options.as_mut()?.pings.as_mut()?;
        pings.last = cursor;
        Some(cursor)
    }

    /// Returns which message a pong with this payload acknowledges, if that is news. One that no ping has carried yet
    /// is not believed.
    pub(super) fn acknowledge(&mut self, payload: &[u8]) -> Option<MessageId> {
        let pings = self.options.as_mut()?.pings.as_mut()?;
        let id = MessageId(std::str::from_utf8(payload).ok()?.parse().ok()?);
        let is_news = id <= pings.last && pings.acknowledged.is_none_or(|acknowledged| acknowledged < id);
        is_news.then(|| *pings.acknowledged.insert(id))
    }

    fn change_options(&mut self, change: impl FnOnce(&mut StreamOptions)) {
        let mut options = self.options.take().unwrap_or_default();
        change(&mut options);
        self.options = Some(options).filter(|options| !options.is_nothing());
    }

    /// Notes that the stream has missed events, if it asks for them.
    pub(super) fn miss_events(&mut self) {
        if let Some(options) = &mut self.options {
            options.miss_events();
        }
    }

    /// Returns what tells the peer that it has missed events, if it has and does not know it yet.
    pub(in crate::hub) fn take_missed_events(&mut self) -> Option<Bytes> {
        self.options.as_mut()?.take_missed()
    }
}
