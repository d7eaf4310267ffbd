//! What all handles, guards and tasks of one hub share.

use std::{
    fmt,
    future::{Future, poll_fn},
    hash::{BuildHasher, RandomState},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::Poll,
};

use dashmap::DashMap;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::{
    Backlog, ConnectionId, EndReason, Format, Framing, HubConfig, MessageId, Observer, UserId,
    backlog::{BacklogPage, LoadError},
    budget::{Budget, Reservation},
    chunk::Chunk,
    clock::Clock,
    connection::Connection,
    fanout::Queue,
    reactor::Reactors,
    shard::Shards,
    socket::Socket,
    user::User,
};

pub(super) struct Shared {
    pub(super) config: HubConfig,
    pub(super) clock: Clock,
    pub(super) shards: Shards,
    pub(super) users: DashMap<UserId, Arc<User>>,
    pub(super) queue: Queue,
    pub(super) reactors: Reactors,
    pub(super) backlog: Option<Arc<dyn Backlog>>,
    pub(super) observer: Arc<dyn Observer>,
    /// No stream is admitted any more.
    pub(super) draining: AtomicBool,
    /// Registered streams.
    pub(super) streams: AtomicUsize,
    /// Those of them that have their sockets, where these are connections of their own.
    pub(super) attached: AtomicUsize,
    /// Told when the first stream has come.
    pub(super) filled: Notify,
    /// Told when the last stream has left.
    pub(super) emptied: Notify,
    /// Ends so far, by place in [`EndReason::ALL`].
    pub(super) ends: [AtomicU64; EndReason::ALL.len()],
    /// Messages given to sockets, summed over the streams.
    pub(super) delivered: AtomicU64,
    next_connection: AtomicU64,
    loads: Semaphore,
    pub(super) budget: Budget,
    jitter: RandomState,
}

impl Shared {
    pub(super) fn new(
        config: HubConfig,
        backlog: Option<Arc<dyn Backlog>>,
        observer: Arc<dyn Observer>,
        reactors: Reactors,
    ) -> Self {
        Self {
            clock: Clock::start(),
            shards: Shards::new(config.shard_count),
            users: DashMap::new(),
            queue: Queue::default(),
            reactors,
            backlog,
            observer,
            draining: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
            attached: AtomicUsize::new(0),
            filled: Notify::new(),
            emptied: Notify::new(),
            ends: Default::default(),
            delivered: AtomicU64::new(0),
            next_connection: AtomicU64::new(1),
            loads: Semaphore::new(HubConfig::LOADS),
            budget: Budget::new(config.backlog_bytes),
            jitter: RandomState::new(),
            config,
        }
    }

    /// Admits a stream, and answers whether the store is to be asked where it begins, see [`User::join`].
    pub(super) fn register(
        &self,
        user: UserId,
        token: &str,
        since: Option<MessageId>,
        format: Format,
    ) -> (Arc<Connection>, bool) {
        let id = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        // The entry stays locked while the stream joins, so that the user is not dropped as empty meanwhile.
        let entry = self.users.entry(user).or_insert_with(|| Arc::new(User::new(user)));
        let of_user = Arc::clone(&entry);
        let make = |newest| Connection::new(id, of_user, token, format, newest, since);
        let (connection, needs_head) = entry.join(since, make);
        drop(entry);
        self.shards.insert(Arc::clone(&connection));
        if self.streams.fetch_add(1, Ordering::Relaxed) == 0 {
            self.filled.notify_one();
        }
        self.observe(|observer| observer.on_register(user, id));
        (connection, needs_head)
    }

    pub(super) fn attach(&self, connection: &Connection, socket: Arc<dyn Socket>, framing: &'static Framing) {
        let now = self.clock.now();
        // Between three quarters of a period and a whole one.
        let [spread, ..] = self.jitter.hash_one(connection.id).to_le_bytes();
        let first_ping = self.clock.real().after(self.config.ping_period * (768 + u32::from(spread)) / 1024);
        let is_connection = socket.is_connection();
        connection.attach(socket, framing, now, first_ping, &self.config);
        if is_connection {
            self.attached.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn unregister(&self, connection: &Arc<Connection>, reason: EndReason) {
        self.shards.remove(connection);
        let user = &connection.user;
        connection.forget_events();
        if user.leave(connection) {
            self.users.remove_if(&user.id, |_, user| user.stream_count() == 0);
        } else {
            user.tidy();
        }
        if connection.socket().is_some_and(Socket::is_connection) {
            self.attached.fetch_sub(1, Ordering::Relaxed);
        }
        self.ends[reason.index()].fetch_add(1, Ordering::Relaxed);
        self.observe(|observer| observer.on_end(user.id, connection.id, reason));
        if self.streams.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.emptied.notify_waiters();
        }
    }

    /// The id of the next stream.
    fn next_id(&self) -> ConnectionId {
        ConnectionId(self.next_connection.load(Ordering::Relaxed))
    }

    /// Reads a piece of the backlog, unless another stream of the user has read one meanwhile that will do.
    /// `newest` is the newest message that was taken up for the user before the question.
    pub(super) async fn load(
        &self,
        user: &User,
        cursor: MessageId,
        format: Format,
        newest: MessageId,
    ) -> Result<Arc<Chunk>, LoadError> {
        let timeout = self.config.backlog_timeout;
        let mut read = pin!(self.read_chunk(user, cursor, format, newest));
        loop {
            let stopped = self.clock.stopped();
            if let Ok(chunk) = tokio::time::timeout(timeout, read.as_mut()).await {
                return chunk;
            }
            // The backlog may have had no time at all if the process was stopped.
            if self.clock.stopped() == stopped {
                return Err(LoadError::TimedOut(timeout));
            }
        }
    }

    /// Waits until messages of so many bytes may be read: for memory, and for one of the few reads at a time.
    async fn admit(&self, user: &User, message_bytes: usize) -> (Reservation, SemaphorePermit<'_>) {
        let permit = self.permit().await;
        let mut reserved = pin!(self.reserve(user.id, message_bytes));
        if let Poll::Ready(reservation) = poll_fn(|cx| Poll::Ready(reserved.as_mut().poll(cx))).await {
            return (reservation, permit);
        }
        // Others may find room where this one does not, and are to read meanwhile.
        drop(permit);
        // What is only kept for streams that may need it must not keep others from what they need. From here on the
        // budget counts as scarce, of all or of this user, so that nothing more is kept.
        user.forget_chunks();
        if self.budget.is_scarce() {
            for user in &self.users {
                user.forget_chunks();
            }
        }
        let reservation = reserved.await;
        (reservation, self.permit().await)
    }

    async fn permit(&self) -> SemaphorePermit<'_> {
        self.loads.acquire().await.expect("the semaphore is never closed")
    }

    /// Reserves memory for reading messages of so many bytes.
    async fn reserve(&self, user: UserId, message_bytes: usize) -> Reservation {
        if message_bytes > HubConfig::CHUNK_BYTES {
            self.budget.reserve_much(user, message_bytes).await
        } else {
            self.budget.reserve(user, message_bytes).await
        }
    }

    async fn read_chunk(
        &self,
        user: &User,
        cursor: MessageId,
        format: Format,
        newest: MessageId,
    ) -> Result<Arc<Chunk>, LoadError> {
        let Some(backlog) = &self.backlog else {
            return Ok(Arc::new(Chunk::new(
                cursor,
                format,
                BacklogPage { complete: true, ..BacklogPage::default() },
                newest,
                self.next_id(),
            )));
        };
        let (mut messages, mut bytes) = (HubConfig::CHUNK_MESSAGES, HubConfig::CHUNK_BYTES);
        let (mut reservation, mut permit) = self.admit(user, bytes).await;
        let outdated = match user.shared_chunk(cursor, format) {
            Ok(chunk) => return Ok(chunk),
            Err(outdated) => outdated,
        };
        let mut read_before = self.next_id();
        let mut page = backlog.read(user.id, cursor, format, messages, bytes).await?;
        while page.frames.is_empty() && page.needed_bytes > bytes {
            // Not while holding some already: two that do so would wait for each other.
            drop((reservation, permit));
            (messages, bytes) = (1, page.needed_bytes);
            (reservation, permit) = self.admit(user, bytes).await;
            read_before = self.next_id();
            page = backlog.read(user.id, cursor, format, messages, bytes).await?;
        }
        for frame in &mut page.frames {
            frame.hold(format, &mut reservation).ok_or(LoadError::Format(format))?;
        }
        drop((reservation, permit));
        let chunk = Arc::new(Chunk::new(cursor, format, page, newest, read_before));
        if !self.budget.is_scarce_for(user.id) {
            user.share(&chunk, outdated, self.clock.now());
        }
        Ok(chunk)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("config", &self.config)
            .field("streams", &self.streams)
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}
