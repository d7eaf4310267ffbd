//! The owner's side of a stream: a guard from registration on, and what drives it.

use std::{
    fmt,
    future::{Future, poll_fn},
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
};

mod registration;

pub use registration::Registration;

use super::{
    ConnectionId, EndReason, MessageId, UserId,
    backlog::LoadError,
    chunk::Chunk,
    connection::{Connection, Phase, State, wake},
    filter,
    outgoing::{self, Outgoing, WRITE_FRAMES},
    shared::Shared,
    socket::Socket,
    user::Next,
};

/// Unregisters a stream, and reports its end, exactly once.
struct Guard {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Its task has panicked, in its socket for instance.
        let has_panicked = std::thread::panicking();
        let reason = self.connection.end(if has_panicked { EndReason::Internal } else { EndReason::Dropped });
        if has_panicked {
            self.shared.report_panic("stream");
        }
        self.shared.unregister(&self.connection, reason);
    }
}

impl Guard {
    fn close(&self, reason: EndReason) {
        self.connection.close(reason, self.shared.clock.now(), &self.shared.config);
    }
}

type Load = Pin<Box<dyn Future<Output = Result<Arc<Chunk>, LoadError>> + Send>>;

/// A registered stream with its socket.
///
/// One future owns it and polls [`Stream::poll_outgoing`], which writes what a pass could not. While nothing is
/// missing, passes write to the socket without waking it. Dropping it ends the stream.
pub struct Stream {
    guard: Guard,
    load: Option<Load>,
    chunk: Option<Arc<Chunk>>,
}

/// What one write came to.
enum Step {
    /// Nothing is left to write for now.
    Idle,
    /// The socket takes no more.
    Full,
    /// The backlog has to be asked first.
    Load {
        /// All up to this message was published.
        newest: MessageId,
        /// The ring should have had it.
        overflowed: bool,
    },
    /// It is all over.
    Ended(EndReason),
    /// So many messages were begun, and there may be more.
    More(usize),
}

/// The most that [`Stream::serve`] reads at a time.
const READ_BYTES: usize = 1024;

/// Writes that a stream does before it lets others run, and reads.
const WRITES_A_POLL: usize = 32;
const READS_A_POLL: usize = 32;

impl Stream {
    /// The id of its registration.
    pub fn id(&self) -> ConnectionId {
        self.guard.connection.id
    }

    /// Whose messages it gets.
    pub fn user(&self) -> UserId {
        self.guard.connection.user.id
    }

    /// The socket, for reading. Writing to it directly would break frames apart.
    #[expect(clippy::missing_panics_doc, reason = "a stream has its socket from the start")]
    pub fn socket(&self) -> &dyn Socket {
        self.guard.connection.socket().expect("a stream is made by attaching a socket")
    }

    /// Writes what waits, and returns the reason once the stream has ended; until then it is pending, and wakes
    /// the task when there is something to do.
    ///
    /// After the close frame has gone out the peer has [`HubConfig::close_timeout`](super::HubConfig::close_timeout) to answer and
    /// to hang up; call [`Stream::on_peer_close`] and [`Stream::on_peer_gone`] when it does.
    pub fn poll_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<EndReason> {
        for _ in 0..WRITES_A_POLL {
            self.poll_load(cx);
            match self.write_some(cx) {
                Step::Idle => return Poll::Pending,
                Step::Full => {
                    if ready!(self.socket().poll_write_ready(cx)).is_err() {
                        return Poll::Ready(self.guard.connection.end(EndReason::PeerGone));
                    }
                }
                Step::Load { newest, overflowed } => {
                    if overflowed {
                        let (user, connection) = (self.user(), self.id());
                        self.guard.shared.observe(|observer| observer.on_ring_overflow(user, connection));
                    }
                    self.start_load(newest);
                }
                Step::Ended(reason) => return Poll::Ready(reason),
                Step::More(0) => {}
                Step::More(messages) => {
                    let user = self.user();
                    let shared = &self.guard.shared;
                    shared.delivered.fetch_add(messages as u64, Ordering::Relaxed);
                    shared.observe(|observer| observer.on_catch_up(user, messages));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Runs the stream until it ends: writes what waits, and hands what the peer sends to `on_bytes`, in pieces of at
    /// most 1024 bytes. A peer that hangs up ends it at once.
    ///
    /// Of a protocol in which whatever the peer sends shows that it lives, `on_bytes` is
    /// `|stream, _| stream.on_pong()`.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing; call it again to go on.
    pub async fn serve(&mut self, mut on_bytes: impl FnMut(&mut Self, &[u8])) -> EndReason {
        poll_fn(|cx| self.poll_serve(cx, READ_BYTES, &mut on_bytes)).await
    }

    /// As [`Stream::serve`], for futures made by hand, with another size of the pieces. The buffer is there only while
    /// there is something to read.
    pub fn poll_serve(
        &mut self,
        cx: &mut Context<'_>,
        buffer_bytes: usize,
        mut on_bytes: impl FnMut(&mut Self, &[u8]),
    ) -> Poll<EndReason> {
        for _ in 0..READS_A_POLL {
            if let Poll::Ready(reason) = self.poll_outgoing(cx) {
                return Poll::Ready(reason);
            }
            // A peer that does not take its answers is not listened to until it does.
            if !self.has_replied() {
                return Poll::Pending;
            }
            if ready!(self.socket().poll_read_ready(cx)).is_err() {
                self.on_peer_gone();
                continue;
            }
            let mut buffer = vec![0; buffer_bytes];
            match self.socket().try_read(&mut buffer) {
                Ok(0) => self.on_peer_gone(),
                Ok(count) => on_bytes(self, &buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.on_peer_gone(),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits for the end of the stream while only writing to it. What the peer sends is left unread, and that it hung
    /// up shows only when something is written; see [`Stream::serve`].
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing; call it again to go on.
    pub async fn ended(&mut self) -> EndReason {
        poll_fn(|cx| self.poll_outgoing(cx)).await
    }

    /// Sends a frame of the owner's own, a pong for instance, before any further message. The owner must not read
    /// on from the socket before [`Stream::has_replied`], so that a peer that never reads can't make it queue up
    /// answers.
    pub fn reply(&mut self, frame: &[u8]) {
        let mut state = self.guard.connection.lock();
        if matches!(state.phase(), Phase::Live | Phase::Behind) {
            // Until now nothing waited for the peer.
            if state.outgoing.is_none() && (state.phase() == Phase::Live || state.loading) {
                state.progress_at = self.guard.shared.clock.now();
            }
            state.outgoing.get_or_insert_default().reply(frame);
            wake(state);
        }
    }

    /// Answers whether all replies have gone to the socket.
    pub fn has_replied(&self) -> bool {
        self.guard.connection.lock().outgoing.as_ref().is_none_or(|outgoing| outgoing.has_replied())
    }

    /// Answers whether neither side has begun to close the stream.
    pub fn is_open(&self) -> bool {
        matches!(self.guard.connection.lock().phase(), Phase::Live | Phase::Behind)
    }

    /// Notes that the peer sent a message, for the observer.
    pub fn on_message(&self) {
        self.guard.shared.observe(|observer| observer.on_receive(self.user(), self.id()));
    }

    /// Notes that the peer answered a ping.
    pub fn on_pong(&self) {
        self.on_pong_with(&[]);
    }

    /// Notes that the peer answered a ping with this payload, which is that of the ping (RFC 6455, section 5.5.3). Returns
    /// the message up to which the peer has everything, if the stream asked for that
    /// ([`Registration::ask_for_ids_in_pings`]) and the peer had not said so before.
    pub fn on_pong_with(&self, payload: &[u8]) -> Option<MessageId> {
        let Guard { shared, connection } = &self.guard;
        connection.on_pong(payload, shared.clock.now(), &shared.config)
    }

    /// Notes that the peer sent a close frame: it is answered with the same code, or, if it is itself an answer,
    /// ends the stream. What the peer sends after it means nothing, but is to be read until the peer hangs up.
    pub fn on_peer_close(&self, code: Option<u16>) {
        let connection = &self.guard.connection;
        let mut state = connection.lock();
        let is_closing = matches!(state.phase(), Phase::Closing | Phase::Lingering);
        if is_closing && connection.expects_answer(&state) {
            connection.end_locked(&mut state, EndReason::PeerClosed(code));
            wake(state);
        } else {
            drop(state);
            self.close(EndReason::PeerClosed(code));
        }
    }

    /// Notes that the peer is gone.
    pub fn on_peer_gone(&self) {
        let connection = &self.guard.connection;
        let mut state = connection.lock();
        connection.end_locked(&mut state, EndReason::PeerGone);
        wake(state);
    }

    /// Begins to close the stream for this reason.
    pub fn close(&self, reason: EndReason) {
        self.guard.close(reason);
    }

    /// Does one write, under the stream's lock.
    fn write_some(&mut self, cx: &Context<'_>) -> Step {
        let Self { guard: Guard { shared, connection }, chunk, .. } = self;
        let socket = connection.socket().expect("a stream is made by attaching a socket");
        let mut state = connection.lock();
        let state = &mut *state;
        store_waker(state, cx);
        if let Some(outgoing) = state.outgoing.as_mut() {
            let progress_at = &mut state.progress_at;
            match outgoing.flush(socket, || *progress_at = shared.clock.now()) {
                Ok(true) => state.outgoing = None,
                Ok(false) => {
                    // What its peer does not take now can be read again.
                    if chunk.is_some() && shared.budget.is_scarce_for(connection.user.id) {
                        *chunk = None;
                    }
                    return Step::Full;
                }
                Err(_) => connection.end_locked(state, EndReason::PeerGone),
            }
        }
        match state.phase() {
            Phase::Live => tell_missed_events(state),
            Phase::Lingering => Step::Idle,
            Phase::Closed => Step::Ended(state.end()),
            Phase::Closing => {
                // All is out. Closing the socket now would reset the connection if the peer has sent more than was
                // read, and the reset would overtake what is out: let the peer hang up first.
                connection.set_phase(state, Phase::Lingering);
                let is_shut = !connection.expects_answer(state);
                let waits = connection.framing().is_some_and(|framing| framing.waits_for_hang_up);
                if is_shut && (socket.shutdown_write().is_err() || !waits) {
                    connection.end_locked(state, EndReason::PeerGone);
                }
                Step::More(0)
            }
            // Replies and pings go out meanwhile.
            Phase::Behind if state.loading => Step::Idle,
            Phase::Behind => match find_next(shared, connection, state, chunk) {
                Next::Live => {
                    state.replaying = false;
                    connection.set_phase(state, Phase::Live);
                    connection.user.tidy();
                    tell_missed_events(state)
                }
                Next::Load(_) if shared.backlog.is_none() => {
                    let now = shared.clock.now();
                    connection.close_locked(state, EndReason::SlowConsumer, now, &shared.config);
                    Step::More(0)
                }
                Next::Load(newest) => {
                    state.loading = true;
                    Step::Load { newest, overflowed: !state.replaying }
                }
                Next::Chunk(found) => {
                    *chunk = Some(found);
                    Step::More(0)
                }
                Next::Frames(frames) => {
                    let frames = filter::select(state.filter(), &frames);
                    match outgoing::write_frames(socket, &frames, connection.format) {
                        Ok(written) => {
                            state.progress_at = shared.clock.now();
                            let begun = state.settle(&frames, connection.format, written);
                            Step::More(filter::count(state.filter(), &frames[..begun], connection.format))
                        }
                        Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Full,
                        Err(_) => {
                            connection.end_locked(state, EndReason::PeerGone);
                            Step::Ended(state.end())
                        }
                    }
                }
            },
        }
    }

    fn start_load(&mut self, newest: MessageId) {
        let shared = Arc::clone(&self.guard.shared);
        let user = Arc::clone(&self.guard.connection.user);
        let (cursor, format) = (self.guard.connection.lock().cursor, self.guard.connection.format);
        self.load = Some(Box::pin(async move { shared.load(&user, cursor, format, newest).await }));
    }

    /// Takes what the backlog has answered. A stream that closes does not wait for it.
    fn poll_load(&mut self, cx: &mut Context<'_>) {
        if self.load.is_some() && !self.is_open() {
            self.load = None;
        }
        let Some(load) = self.load.as_mut() else { return };
        match catch_unwind(AssertUnwindSafe(|| load.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(loaded)) => self.on_loaded(loaded),
            Err(_) => {
                self.guard.shared.report_panic("stream");
                self.on_loaded(Err(LoadError::Panicked));
            }
        }
    }

    fn on_loaded(&mut self, loaded: Result<Arc<Chunk>, LoadError>) {
        self.load = None;
        let mut state = self.guard.connection.lock();
        state.loading = false;
        state.progress_at = self.guard.shared.clock.now();
        drop(state);
        match loaded {
            Ok(chunk) => self.chunk = Some(chunk),
            Err(error) => {
                tracing::warn!(
                    conn.id = %self.id(), user.id = %self.user(), error = &error as &dyn std::error::Error,
                    "closing a stream that can't be brought up to date"
                );
                self.close(error.end_reason());
            }
        }
    }
}

/// Says what the stream needs next: from the piece of the backlog that it holds, as long as that lasts.
fn find_next(
    shared: &Shared,
    connection: &Connection,
    state: &mut State,
    chunk: &mut Option<Arc<Chunk>>,
) -> Next {
    if let Some(held) = chunk.take() {
        let frames = held.read(state.cursor, WRITE_FRAMES);
        if !frames.is_empty() {
            *chunk = Some(held);
            return Next::Frames(frames);
        }
        state.cursor = state.cursor.max(held.up_to);
        state.replaying &= !held.ends_backlog_for(connection.id);
    }
    let hears_all = shared.config.hears_all || shared.backlog.is_none();
    connection.user.next(state.cursor, connection.format, state.replaying, hears_all, WRITE_FRAMES)
}

/// Tells the peer of a live stream, on which nothing waits, that it has missed events.
fn tell_missed_events(state: &mut State) -> Step {
    let Some(missed) = state.take_missed_events() else { return Step::Idle };
    state.outgoing = Some(Box::new(Outgoing::rest_of(missed)));
    Step::More(0)
}

fn store_waker(state: &mut State, cx: &Context<'_>) {
    if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
        state.waker = Some(cx.waker().clone());
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.guard.connection).finish()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}
