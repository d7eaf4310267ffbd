//! What the hub knows of a user: its streams, and what is on the way to them.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::{
    EventFrame, Format, Formats, Frame, HubConfig, MessageId, UserId,
    batch::{Batch, PassFacts},
    chunk::{Chunk, Frames},
    clock::{AtomicTick, Tick},
    connection::Connection,
    event::Events,
    ring::{LagMarks, Ring},
    stream_list::{Segment, StreamList},
};

/// A user with at least one stream.
#[derive(Debug)]
pub(super) struct User {
    pub(super) id: UserId,
    /// Streams that are behind.
    pub(super) behind: AtomicU32,
    /// Streams that ask for events.
    pub(super) event_streams: AtomicU32,
    /// When the oldest of the pieces of the backlog goes that are kept; [`Tick::NEVER`] if none is.
    chunk_until: AtomicTick,
    /// Streams by format: changed under the lock, read without it.
    by_format: [AtomicU32; Format::COUNT],
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The newest message that a pass has taken up, or that was stored before; 0 as long as nothing is known.
    newest: MessageId,
    /// What was stored before the first pass is known too.
    head_known: bool,
    /// A pass is under way or waits for its turn.
    scheduled: bool,
    /// How often pieces of the backlog were found to be out of date.
    outdated: u32,
    streams: StreamList,
    /// There is one while a pass is under way, a stream is behind, or pieces of the backlog are kept.
    traffic: Option<Box<Traffic>>,
}

#[derive(Debug, Default)]
struct Traffic {
    /// What the next pass will carry.
    inbox: Vec<Frame>,
    inbox_bytes: usize,
    /// The ids of the first and the last message since the last pass, kept or not.
    inbox_ids: Option<(MessageId, MessageId)>,
    /// How many messages came since the last pass, kept or not.
    inbox_count: usize,
    /// When the first of them came in, where that is known.
    inbox_since: Option<Instant>,
    /// The inbox was full: the next pass sends everybody to the backlog.
    overflow: bool,
    /// Events that came since the last pass.
    events: Option<Box<Events>>,
    ring: Ring,
    lag: LagMarks,
    /// Pieces of the backlog, the oldest first, and until when they are kept.
    chunks: Vec<(Tick, Arc<Chunk>)>,
}

/// For so long a piece of the backlog is kept for the user's other streams: they often come back together.
const CHUNK_KEPT: Duration = Duration::from_secs(2);

/// Where a stream that is behind finds what comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// Nothing is missing: from here on the passes bring everything.
    Live,
    /// These come next.
    Frames(Frames),
    /// Here is what comes next, and more.
    Chunk(Arc<Chunk>),
    /// The backlog has to be asked. All up to this message was given to [`Hub::notify`](super::Hub::notify).
    Load(MessageId),
}

/// Whether a user needs a pass now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheduled {
    /// Nobody is to be told, or a pass is already on its way.
    No,
    /// The caller is to put the user into the queue.
    Yes,
}

impl User {
    pub(super) fn new(id: UserId) -> Self {
        Self {
            id,
            behind: AtomicU32::new(0),
            event_streams: AtomicU32::new(0),
            chunk_until: AtomicTick::default(),
            by_format: Default::default(),
            inner: Mutex::default(),
        }
    }

    /// Adds the stream that `make` makes, given the id of the newest message that was published before it, and whether
    /// it is known what the user had before that. Answers also whether the store is to be asked where a stream begins that comes for all after `since`: because it is
    /// not known what the user had before, or because it has seen more than is known of here.
    pub(super) fn join(
        &self,
        since: Option<MessageId>,
        make: impl FnOnce((MessageId, bool)) -> Connection,
    ) -> (Arc<Connection>, bool) {
        let mut inner = self.inner.lock();
        let newest = inner.known();
        let needs_head = !inner.head_known || since.is_some_and(|since| since > newest);
        let connection = Arc::new(make((newest, inner.head_known)));
        inner.streams.push(Arc::clone(&connection));
        self.by_format[connection.format.place()].fetch_add(1, Ordering::Relaxed);
        (connection, needs_head)
    }

    /// Removes a stream; true if it was the last one.
    pub(super) fn leave(&self, connection: &Connection) -> bool {
        let mut inner = self.inner.lock();
        inner.streams.remove(connection);
        self.by_format[connection.format.place()].fetch_sub(1, Ordering::Relaxed);
        let is_empty = inner.streams.is_empty();
        if is_empty {
            // What is published from here on is not noticed, and a stream may still come before this is forgotten.
            inner.head_known = false;
        }
        is_empty
    }

    /// Takes note that `head` was the user's newest message in the store, at some time since one of its streams has
    /// joined. Returns the newest message that is known now.
    pub(super) fn learn_head(&self, head: MessageId) -> MessageId {
        let mut inner = self.inner.lock();
        if !inner.head_known {
            inner.head_known = true;
            inner.newest = inner.newest.max(head);
            // Nobody could tell whether something was missing before what has come meanwhile.
            let newest = inner.newest;
            if let Some(traffic) = inner.traffic.as_deref_mut() {
                traffic.ring.skip_to(newest);
                if traffic.inbox_count > 0 {
                    traffic.overflow = true;
                    traffic.inbox = Vec::new();
                }
            }
        }
        inner.newest
    }

    /// The newest message that is known of; 0 as long as nothing is.
    pub(super) fn newest(&self) -> MessageId {
        self.inner.lock().known()
    }

    pub(super) fn stream_count(&self) -> usize {
        self.inner.lock().streams.len()
    }

    /// The formats that its streams have at this moment.
    pub(super) fn formats(&self) -> Formats {
        let is_there = |format: &Format| self.by_format[format.place()].load(Ordering::Relaxed) > 0;
        Format::ALL.into_iter().filter(is_there).collect()
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.inner.lock().streams.segments()
    }

    /// Takes frames for the next pass; those whose ids do not ascend were brought before and are left out. If the
    /// message before them, `previous`, is one that was not brought, the next pass sends everybody to the backlog.
    pub(super) fn post(&self, previous: Option<MessageId>, frames: &[Frame]) -> Scheduled {
        let mut inner = self.inner.lock();
        if inner.streams.is_empty() {
            return Scheduled::No;
        }
        let (newest, head_known) = (inner.newest, inner.head_known);
        // As long as nothing is known of a user, its streams are owed nothing that came before.
        let is_gap =
            |known| (head_known || known > MessageId(0)) && previous.is_some_and(|previous| previous > known);
        let traffic = inner.traffic(newest);
        for frame in frames {
            let known = traffic.known(newest);
            if frame.id <= known {
                continue;
            }
            traffic.overflow |= is_gap(known);
            traffic.accept(frame);
        }
        if traffic.inbox_count == 0 {
            return Scheduled::No;
        }
        inner.schedule()
    }

    /// Answers whether one of its streams asks for events.
    pub(super) fn wants_events(&self) -> bool {
        self.event_streams.load(Ordering::Relaxed) > 0
    }

    /// Takes an event for the next pass, after the messages that wait for it already.
    pub(super) fn post_event(&self, event: &EventFrame) -> Scheduled {
        if !self.wants_events() {
            return Scheduled::No;
        }
        let mut inner = self.inner.lock();
        let newest = inner.newest;
        let traffic = inner.traffic(newest);
        let after = traffic.known(newest);
        traffic.events.get_or_insert_default().push(after, event);
        inner.schedule()
    }

    /// Takes what waits, and the streams to bring it to.
    pub(super) fn begin_pass(&self, config: &HubConfig, now: Tick) -> Option<(Batch, Vec<Segment>)> {
        let mut inner = self.inner.lock();
        let Inner { newest, head_known, .. } = *inner;
        let traffic = inner.traffic.as_deref_mut()?;
        if !traffic.has_waiting() {
            return None;
        }
        let ids = traffic.inbox_ids.take();
        let events = traffic.events.take();
        let frames = mem::take(&mut traffic.inbox);
        let messages = mem::take(&mut traffic.inbox_count);
        let incomplete = mem::take(&mut traffic.overflow);
        traffic.inbox_bytes = 0;
        let oldest = mem::take(&mut traffic.inbox_since);
        let is_known = head_known || newest > MessageId(0);
        let base = ids.filter(|_| !is_known).map_or(newest, |(first, _)| first.before());
        let last = ids.map_or(newest, |(_, last)| last.max(newest));
        let lag_floor = ids.and_then(|_| traffic.lag.advance(base, messages, config.max_lag));
        if incomplete {
            traffic.ring.skip_to(last);
        } else {
            // A stream that falls behind in this very pass will need these.
            let behind = self.behind.load(Ordering::Relaxed).max(1) as usize;
            traffic.ring.push(&frames, config, behind);
        }
        inner.newest = last;
        let segments = inner.streams.segments();
        drop(inner);
        let facts = PassFacts { messages, incomplete, lag_floor, now, oldest };
        Some((Batch::new(base, frames, events, self.formats(), facts), segments))
    }

    /// Ends a pass: says whether another is due, and forgets the traffic once nobody needs it.
    pub(super) fn end_pass(&self) -> Scheduled {
        let mut inner = self.inner.lock();
        if inner.traffic.as_deref().is_some_and(Traffic::has_waiting) {
            return Scheduled::Yes;
        }
        inner.scheduled = false;
        let _traffic = self.take_unused(inner);
        Scheduled::No
    }

    /// Called when a stream is no longer behind.
    pub(super) fn tidy(&self) {
        let _traffic = self.take_unused(self.inner.lock());
    }

    /// Takes the traffic if nobody needs it, to be dropped without the lock.
    fn take_unused(&self, mut inner: MutexGuard<'_, Inner>) -> Option<Box<Traffic>> {
        let is_needed = inner.scheduled
            || self.behind.load(Ordering::Relaxed) > 0
            || inner.traffic.as_deref().is_some_and(|traffic| !traffic.chunks.is_empty());
        if is_needed { None } else { inner.traffic.take() }
    }

    /// Says what a stream with that cursor needs next. A stream that replays the backlog must read it to its end before
    /// it may trust that nothing newer than `newest` is missing, unless this hub `hears_all` that is stored.
    pub(super) fn next(
        &self,
        cursor: MessageId,
        format: Format,
        replaying: bool,
        hears_all: bool,
        limit: usize,
    ) -> Next {
        let inner = self.inner.lock();
        let may_trust = !replaying || (hears_all && inner.head_known);
        if cursor >= inner.newest && may_trust {
            return Next::Live;
        }
        let Some(traffic) = inner.traffic.as_deref() else { return Next::Load(inner.newest) };
        if may_trust && let Some(frames) = traffic.ring.read(cursor, format, limit) {
            return Next::Frames(Frames::Recent(frames));
        }
        traffic.chunk(cursor, format).map_or(Next::Load(inner.newest), Next::Chunk)
    }

    /// A piece of the backlog that begins where `cursor` stands, if another stream of the format has read one; else what
    /// [`User::share`] is to be given after reading one.
    pub(super) fn shared_chunk(&self, cursor: MessageId, format: Format) -> Result<Arc<Chunk>, u32> {
        let inner = self.inner.lock();
        let shared = inner.traffic.as_deref().and_then(|traffic| traffic.chunk(cursor, format));
        shared.ok_or(inner.outdated)
    }

    /// Keeps a piece of the backlog for the user's other streams, those that come soon included. One that was read
    /// before [`User::forget_chunks`] is not kept.
    pub(super) fn share(&self, chunk: &Arc<Chunk>, outdated: u32, now: Tick) {
        let mut inner = self.inner.lock();
        if chunk.is_empty() || inner.streams.len() < 2 || inner.outdated != outdated {
            return;
        }
        let newest = inner.newest;
        let chunks = &mut inner.traffic(newest).chunks;
        let oldest = (chunks.len() == HubConfig::CHUNKS).then(|| chunks.remove(0));
        chunks.push((now.after(CHUNK_KEPT), Arc::clone(chunk)));
        self.chunk_until.store(chunks[0].0);
        drop(inner);
        drop(oldest);
    }

    /// Drops the pieces of the backlog that are kept: they may have messages that are no more, or memory is short.
    pub(super) fn forget_chunks(&self) {
        let mut inner = self.inner.lock();
        inner.outdated = inner.outdated.wrapping_add(1);
        let chunks = inner.traffic.as_deref_mut().map(|traffic| mem::take(&mut traffic.chunks));
        self.chunk_until.store(Tick::NEVER);
        let traffic = self.take_unused(inner);
        drop((chunks, traffic));
    }

    /// Drops those that were kept long enough.
    pub(super) fn forget_old_chunks(&self, now: Tick) {
        if self.chunk_until.load() > now {
            return;
        }
        let mut inner = self.inner.lock();
        let Some(traffic) = inner.traffic.as_deref_mut() else { return };
        let count = traffic.chunks.partition_point(|&(until, _)| until <= now);
        let old: Vec<_> = traffic.chunks.drain(..count).collect();
        self.chunk_until.store(traffic.chunks.first().map_or(Tick::NEVER, |&(until, _)| until));
        let traffic = self.take_unused(inner);
        drop((old, traffic));
    }
}

impl Inner {
    fn known(&self) -> MessageId {
        self.traffic.as_deref().map_or(self.newest, |traffic| traffic.known(self.newest))
    }

    /// Notes that a pass is due, unless one is on its way.
    fn schedule(&mut self) -> Scheduled {
        if mem::replace(&mut self.scheduled, true) { Scheduled::No } else { Scheduled::Yes }
    }

    fn traffic(&mut self, newest: MessageId) -> &mut Traffic {
        self.traffic
            .get_or_insert_with(|| Box::new(Traffic { ring: Ring::after(newest), ..Traffic::default() }))
    }
}

impl Traffic {
    /// The newest message that is known of, where a pass has taken up `newest`.
    fn known(&self, newest: MessageId) -> MessageId {
        self.inbox_ids.map_or(newest, |(_, last)| last.max(newest))
    }

    /// Answers whether there is something for a pass.
    fn has_waiting(&self) -> bool {
        self.inbox_count > 0 || self.events.is_some()
    }

    fn chunk(&self, cursor: MessageId, format: Format) -> Option<Arc<Chunk>> {
        let found = self.chunks.iter().find(|(_, chunk)| chunk.covers(cursor, format));
        found.map(|(_, chunk)| Arc::clone(chunk))
    }

    fn accept(&mut self, frame: &Frame) {
        self.inbox_ids = Some((self.inbox_ids.map_or(frame.id, |(first, _)| first), frame.id));
        self.inbox_count += 1;
        self.inbox_since = self.inbox_since.or(frame.received_at);
        self.inbox_bytes += frame.size();
        let full = self.inbox.len() >= HubConfig::INBOX_MESSAGES || self.inbox_bytes > HubConfig::INBOX_BYTES;
        if full && !self.inbox.is_empty() {
            self.overflow = true;
        }
        if self.overflow {
            self.inbox = Vec::new();
        } else {
            self.inbox.push(frame.clone());
        }
    }
}
