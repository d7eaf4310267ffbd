//! One stream as the hub holds it: a socket, a cursor, and at most what is half written.

use std::{
    fmt, io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::{
    ConnectionId, EndReason, Format, Frame, Framing, HubConfig, MessageId,
    batch::Batch,
    clock::Tick,
    outgoing::{self, Outgoing},
    socket::Socket,
    stream_list::ListIndex,
    stream_options::StreamOptions,
    token::Token,
    user::User,
};

mod options;

/// One stream. Its memory is what an idle stream costs, so every field is here for a reason.
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) user: Arc<User>,
    pub(super) token: Token,
    /// What its peer understands.
    pub(super) format: Format,
    /// Where it stands among its user's streams.
    pub(super) place: ListIndex,
    /// Where it stands among the streams of its token, if there are several. Changed under the shard's lock.
    pub(super) token_place: AtomicUsize,
    attached: OnceLock<Attached>,
    state: Mutex<State>,
}

/// A socket, and how its peer is spoken to.
struct Attached {
    socket: Arc<dyn Socket>,
    framing: &'static Framing,
}

/// Where a stream is in its life. It only moves forward, but for `Live` and `Behind`, which alternate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has everything up to the newest message: passes write to its socket.
    Live,
    /// Something is missing: what drives it fetches and writes that, passes leave it alone.
    Behind,
    /// What ends it is in `outgoing`, or will be once there is a socket.
    Closing,
    /// What ends it is out; the peer may answer it, or hang up.
    Lingering,
    /// Nothing more is read or written.
    Closed,
}

/// What changes in a stream's life.
#[derive(Debug)]
pub(super) struct State {
    /// All messages up to this one were written, or are in `outgoing`.
    pub(super) cursor: MessageId,
    /// The cursor is a position even if it is 0: it is known what the user had, or the stream has asked for all.
    is_placed: bool,
    phase: Phase,
    /// It asked for old messages, and it is not known yet that it has the last of them.
    pub(super) replaying: bool,
    /// It waits for the backlog, not for its peer.
    pub(super) loading: bool,
    /// Why it ended, once it has.
    end: Option<EndReason>,
    /// Half-written frames and answers; there is none most of the time.
    pub(super) outgoing: Option<Box<Outgoing>>,
    pub(super) waker: Option<Waker>,
    /// `None` if it gets exactly every message.
    options: Option<Box<StreamOptions>>,
    /// When its socket last took something while more was waiting.
    pub(super) progress_at: Tick,
    /// By the real time, unlike the others: what lies between hears of nothing else that this process lives.
    ping_at: Tick,
    pong_by: Tick,
    close_by: Tick,
}

/// What a pass did for one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// So many messages went to the socket.
    Sent(usize),
    /// It is behind: what is missing goes out when its socket takes it.
    Behind,
    /// It is about to end.
    Ended,
}

impl Connection {
    /// A stream that has no socket yet, with everything up to `newest`, or else to be brought all after `since`. A
    /// `newest` of 0 may also be that nothing is known; `head_known` says that it is not.
    pub(super) fn new(
        id: ConnectionId,
        user: Arc<User>,
        token: &str,
        format: Format,
        (newest, head_known): (MessageId, bool),
        since: Option<MessageId>,
    ) -> Self {
        let state = State {
            cursor: since.unwrap_or(newest),
            is_placed: since.is_some() || head_known,
            phase: if since.is_some() { Phase::Behind } else { Phase::Live },
            replaying: since.is_some(),
            loading: false,
            end: None,
            outgoing: None,
            waker: None,
            options: None,
            progress_at: Tick::default(),
            ping_at: Tick::default(),
            pong_by: Tick::default(),
            close_by: Tick::default(),
        };
        if since.is_some() {
            user.behind.fetch_add(1, Ordering::Relaxed);
        }
        Self {
            id,
            user,
            token: token.into(),
            format,
            place: ListIndex::default(),
            token_place: AtomicUsize::new(0),
            attached: OnceLock::new(),
            state: Mutex::new(state),
        }
    }

    /// Gives the stream its socket.
    pub(super) fn attach(
        &self,
        socket: Arc<dyn Socket>,
        framing: &'static Framing,
        now: Tick,
        first_ping: Tick,
        config: &HubConfig,
    ) {
        let mut state = self.state.lock();
        state.progress_at = now;
        state.ping_at = first_ping;
        state.pong_by = now.after(config.pong_timeout);
        let first = if let Some(reason) = state.end.filter(|_| state.phase == Phase::Closing) {
            (framing.end)(reason)
        } else {
            (framing.opening)(state.position())
        };
        if !first.is_empty() {
            state.outgoing.get_or_insert_default().reply(&first);
        }
        // A registration is turned into a stream once, so there is no socket yet.
        let _ = self.attached.set(Attached { socket, framing });
    }

    /// Lets the stream begin after `head`, the user's newest message in the store at some time since the stream has
    /// registered, or where it asked to begin if that is before.
    pub(super) fn start_after(&self, head: MessageId) {
        let mut state = self.state.lock();
        let newest = self.user.learn_head(head);
        state.is_placed = true;
        state.cursor = if state.replaying { state.cursor.min(head) } else { head };
        if state.phase == Phase::Live && state.cursor < newest {
            self.set_phase(&mut state, Phase::Behind);
        }
    }

    /// Returns the message after which it goes on.
    pub(super) fn cursor(&self) -> MessageId {
        self.state.lock().cursor
    }

    /// Returns by how many ids the user's newest message is above its cursor.
    pub(super) fn ids_behind(&self) -> u64 {
        let state = self.state.lock();
        self.user.newest().0.saturating_sub(state.cursor.0)
    }

    pub(super) fn socket(&self) -> Option<&dyn Socket> {
        self.attached.get().map(|attached| &*attached.socket)
    }

    /// Whether the peer is to answer what ended the stream.
    pub(super) fn expects_answer(&self, state: &State) -> bool {
        self.framing().is_some_and(|framing| (framing.expects_answer)(state.end()))
    }

    /// How the peer is spoken to, once there is a socket.
    pub(super) fn framing(&self) -> Option<&'static Framing> {
        self.attached.get().map(|attached| attached.framing)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Moves on, and keeps the user's count of streams that are behind.
    pub(super) fn set_phase(&self, state: &mut State, phase: Phase) {
        match (state.phase == Phase::Behind, phase == Phase::Behind) {
            (false, true) => self.user.behind.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.user.behind.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
        state.phase = phase;
    }

    /// Brings one pass to this stream: writes at once if nothing else waits, else leaves it to the stream's task.
    pub(super) fn deliver(&self, batch: &Batch, config: &HubConfig) -> Delivery {
        let mut state = self.state.lock();
        match state.phase {
            Phase::Live => {}
            Phase::Behind => {
                if batch.events.is_some() {
                    state.miss_events();
                }
                let lost =
                    batch.facts.lag_floor.is_some_and(|floor| !state.replaying && state.cursor <= floor);
                if lost && state.loading {
                    // It is the backlog that is slow: the stream may take its time until it has read it to its end.
                    state.replaying = true;
                } else if lost {
                    self.close_locked(&mut state, EndReason::SlowConsumer, batch.facts.now, config);
                    wake(state);
                    return Delivery::Ended;
                }
                return Delivery::Behind;
            }
            Phase::Closing | Phase::Lingering | Phase::Closed => return Delivery::Ended,
        }
        state.cursor = state.cursor.max(batch.base);
        if let Some(options) = state.options.as_deref() {
            let selection = options.select(batch, self.format, state.cursor);
            return self.deliver_selection(state, &selection, batch);
        }
        if batch.facts.messages == 0 {
            // It does not ask for events.
            return Delivery::Sent(0);
        }
        if batch.is_complete(self.format) && state.outgoing.is_none() {
            let from = batch.frames.partition_point(|frame| frame.id <= state.cursor);
            let frames = &batch.frames[from..];
            match self.write(frames, batch.joined(self.format, from)) {
                Ok(written) => {
                    let begun = state.settle(frames, self.format, written);
                    if begun == frames.len() && state.outgoing.is_none() {
                        return Delivery::Sent(frames.len());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.end_locked(&mut state, EndReason::PeerGone);
                    wake(state);
                    return Delivery::Ended;
                }
            }
        }
        self.fall_behind(state, batch)
    }

    /// Leaves what is missing to the stream's task.
    fn fall_behind(&self, mut state: MutexGuard<'_, State>, batch: &Batch) -> Delivery {
        state.progress_at = batch.facts.now;
        self.set_phase(&mut state, Phase::Behind);
        wake(state);
        Delivery::Behind
    }

    /// Writes frames in one call, by the buffer that has all of them if there is one; returns the bytes taken.
    fn write(&self, frames: &[Frame], joined: Option<&Bytes>) -> io::Result<usize> {
        let Some(socket) = self.socket() else { return Err(io::ErrorKind::WouldBlock.into()) };
        match joined {
            Some(joined) => socket.try_write(joined),
            None => outgoing::write_frames(socket, frames, self.format),
        }
    }

    /// Begins to close the stream, unless it is ending already.
    pub(super) fn close(&self, reason: EndReason, now: Tick, config: &HubConfig) {
        let mut state = self.state.lock();
        self.close_locked(&mut state, reason, now, config);
        wake(state);
    }

    pub(super) fn close_locked(&self, state: &mut State, reason: EndReason, now: Tick, config: &HubConfig) {
        if !matches!(state.phase, Phase::Live | Phase::Behind) {
            return;
        }
        state.end = Some(reason);
        if let Some(framing) = self.framing() {
            state.outgoing.get_or_insert_default().reply(&(framing.end)(reason));
        }
        state.close_by = now.after(config.close_timeout);
        self.set_phase(state, Phase::Closing);
    }

    /// Ends the stream without another word.
    pub(super) fn end_locked(&self, state: &mut State, reason: EndReason) {
        state.end.get_or_insert(reason);
        state.outgoing = None;
        self.set_phase(state, Phase::Closed);
    }

    /// Ends the stream if it has not ended, and tells why it did.
    pub(super) fn end(&self, reason: EndReason) -> EndReason {
        let mut state = self.state.lock();
        self.end_locked(&mut state, reason);
        state.end()
    }

    /// Ends the stream without another word, and wakes what drives it.
    pub(super) fn abandon(&self, reason: EndReason) {
        let mut state = self.state.lock();
        self.end_locked(&mut state, reason);
        wake(state);
    }

    /// Notes a pong with this payload; returns which message it acknowledges, if that is news.
    pub(super) fn on_pong(&self, payload: &[u8], now: Tick, config: &HubConfig) -> Option<MessageId> {
        let mut state = self.state.lock();
        state.pong_by = now.after(config.pong_timeout);
        state.acknowledge(payload)
    }

    /// Sees to what time brings: pings, missing pongs, peers that take nothing, closes that nobody answers. `real` is the
    /// time with what the process was stopped.
    pub(super) fn sweep(&self, now: Tick, real: Tick, config: &HubConfig) {
        self.user.forget_old_chunks(now);
        let Some(Attached { socket, framing }) = self.attached.get() else { return };
        let mut state = self.state.lock();
        match state.phase {
            Phase::Closed => return,
            Phase::Closing | Phase::Lingering => {
                if now >= state.close_by {
                    // What is still half written never will be written.
                    self.end_locked(&mut state, EndReason::Dropped);
                    wake(state);
                }
                return;
            }
            Phase::Live | Phase::Behind => {}
        }
        let waits = state.outgoing.is_some() || (state.phase == Phase::Behind && !state.loading);
        if waits {
            // A peer that takes bytes is alive, and can't answer a ping that it has not got.
            state.pong_by = now.after(config.pong_timeout);
        }
        if waits && now >= state.progress_at.after(config.stall_timeout) {
            self.close_locked(&mut state, EndReason::SlowConsumer, now, config);
        } else if framing.expects_pongs && now >= state.pong_by {
            self.close_locked(&mut state, EndReason::NoPong, now, config);
        } else if real >= state.ping_at {
            // All are late after a stop, and are not to be pinged together ever after.
            state.ping_at = state.ping_at.next_after(real, config.ping_period);
            if !waits {
                state.progress_at = now;
            }
            let asked = state.id_for_ping();
            let last = asked.or_else(|| state.position().filter(|_| framing.has_ids_in_pings));
            state.ping(&**socket, &(framing.ping)(last));
            if state.outgoing.is_none() {
                return;
            }
        } else {
            return;
        }
        wake(state);
    }
}

impl State {
    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// After which message a peer that comes back is to go on, where that is known.
    fn position(&self) -> Option<MessageId> {
        // A live stream whose hub knows of no message may still be one of a user who had some.
        (self.is_placed || self.cursor > MessageId(0)).then_some(self.cursor)
    }

    /// Pings the peer, at once if the socket takes it.
    fn ping(&mut self, socket: &dyn Socket, ping: &[u8]) {
        let taken = if self.outgoing.is_none() { socket.try_write(ping).unwrap_or(0) } else { 0 };
        if taken < ping.len() {
            self.outgoing.get_or_insert_default().reply(&ping[taken..]);
        }
    }

    /// Why it ended; `Dropped` until it has.
    pub(super) fn end(&self) -> EndReason {
        self.end.unwrap_or(EndReason::Dropped)
    }

    /// Notes that a socket took `written` bytes of these frames, the next ones; returns how many were begun.
    pub(super) fn settle(&mut self, frames: &[Frame], format: Format, written: usize) -> usize {
        let (begun, rest) = outgoing::settle(frames, format, written);
        if let Some(last) = begun.checked_sub(1) {
            self.cursor = frames[last].id;
        }
        self.outgoing = rest.filter(|rest| !rest.is_empty()).map(|rest| Box::new(Outgoing::rest_of(rest)));
        begun
    }
}

/// Wakes the stream's task once its lock is released.
pub(super) fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("user", &self.user.id)
            .finish_non_exhaustive()
    }
}
