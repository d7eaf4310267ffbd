//! The hub: who is connected, and how messages reach them.
//!
//! A [`Hub`] knows users, their streams and the order of their messages. It does no I/O but writing bytes to
//! sockets, and knows nothing of HTTP, databases or JSON: what it sends are [`Frame`]s, encoded once a
//! [`Format`] by whoever publishes.
//!
//! # Task model
//! A hub owns a few tasks, ended when its last handle is dropped: the *lanes*, one for each worker thread, which
//! carry what is published to the streams, and the *sweep*, which sends pings and closes what has stalled. Each
//! stream is owned by a future of the caller's, which polls [`Stream::poll_outgoing`]; that future sleeps as long as
//! the stream's socket takes everything at once. It may be a task of the caller's, or, for a socket of the kernel, be
//! run by one of the hub's own threads, which costs less ([`Registration::run`]). These threads start with their first
//! stream, and end with the hub's last handle.
//!
//! # A stream is a cursor
//! A stream holds the id of the last message it was given, not a queue. One that has everything up to the newest
//! message gets the next ones from the pass itself. One whose socket is full stays where it is; when the socket
//! takes bytes again, the stream sends all that it missed in as few writes as possible: from the user's ring of recent
//! frames, or, further back, from the [`Backlog`]. Nobody waits for anybody else.
//!
//! # Locks
//! Taken in this order, and never across an await: an entry of the user index, a stream, a user. A shard's lock is
//! taken alone. No log, callback or write happens under a shard's or a user's lock; a stream's own lock is held
//! while its socket is written to without waiting, so that two writers can't tear a frame apart. The threads' list of what
//! waits for them is locked last, because whoever wakes a stream may hold any of these; nothing is taken under it.
//!
//! ```
//! use shardcast::hub::{Frame, Hub, HubConfig, MessageId, UserId};
//! use tokio::{io::AsyncReadExt, net::{TcpListener, TcpStream}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new(HubConfig::default());
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let mut reader = TcpStream::connect(listener.local_addr()?).await?;
//! let (socket, _) = listener.accept().await?;
//!
//! let mut stream = hub.register(UserId(1), "token", None)?.attach(socket);
//! hub.notify(UserId(1), &[Frame::new(MessageId(1), "hello")]);
//!
//! let mut hello = [0; 5];
//! tokio::select! {
//!     read = reader.read_exact(&mut hello) => { read?; }
//!     reason = stream.ended() => panic!("{}", reason.name()),
//! }
//! assert_eq!(&hello, b"hello");
//! # Ok(())
//! # }
//! ```

use std::{
    num::NonZeroUsize,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{runtime::Handle, task::JoinHandle, time::Instant};

mod backlog;
mod batch;
mod budget;
mod chunk;
mod clock;
mod config;
mod connection;
mod contain;
mod counts;
mod end;
mod event;
mod fanout;
mod filter;
mod format;
mod frame;
mod framing;
mod id;
mod observer;
mod outgoing;
mod reactor;
mod ring;
mod shard;
mod shared;
mod socket;
mod stream;
mod stream_list;
mod stream_options;
mod sweep;
mod token;
mod user;

#[cfg(test)]
pub(crate) mod tests;

pub use backlog::{Backlog, BacklogError, BacklogFuture, BacklogPage};
pub use config::HubConfig;
pub use end::EndReason;
pub use event::EventFrame;
pub use filter::Filter;
pub use format::{Format, Formats};
pub use frame::Frame;
pub use framing::{Framing, put_header};
pub use id::{ApplicationId, ConnectionId, MessageId, UserId};
pub use observer::{Observer, PassReport};
pub use reactor::KernelSocket;
pub use socket::Socket;
pub use stream::{Registration, Stream};

use connection::Connection;
use contain::restart_on_panic;
use reactor::Reactors;
use shared::Shared;
use user::{Scheduled, User};

/// Streams that [`Hub::close_all`] closes before it waits for their part of the window.
const CLOSES_AT_ONCE: usize = 32;

/// A handle of a hub; clones share it. Its tasks end with the last handle.
///
/// ```
/// use shardcast::hub::{Hub, HubConfig, UserId};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), shardcast::hub::RegisterError> {
/// let hub = Hub::new(HubConfig::default());
/// let phone = hub.register(UserId(1), "phone", None)?;
/// let laptop = hub.register(UserId(1), "laptop", None)?;
/// assert_eq!((hub.stream_count(), hub.user_count()), (2, 1));
///
/// // Who registers is admitted until its guard goes.
/// drop(laptop);
/// assert_eq!(hub.stream_count_of(UserId(1)), 1);
/// assert_eq!(hub.close_token(UserId(1), "phone"), 1);
/// # drop(phone);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Streams whose hub is gone would never hear of anything again.
        let mut streams = Vec::new();
        for shard in 0..self.shared.shards.count() {
            self.shared.shards.collect(shard, &mut streams);
            for stream in streams.drain(..) {
                stream.abandon(EndReason::Dropped);
            }
        }
        self.shared.reactors.end();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Why a stream was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// [`Hub::close_all`] was called.
    #[error("the hub takes no more streams")]
    Draining,
}

/// What a hub is made of, besides its configuration. The default has no backlog and no observer.
///
/// ```
/// use std::sync::Arc;
/// use shardcast::hub::{HubParts, Observer};
///
/// struct Silent;
/// impl Observer for Silent {}
///
/// let parts = HubParts::default().with_observer(Arc::new(Silent));
/// ```
#[derive(Default)]
#[non_exhaustive]
pub struct HubParts {
    /// Where streams read what they missed; without one, a stream that is further behind than the ring is closed.
    pub backlog: Option<Arc<dyn Backlog>>,
    /// Who is told what happens.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Hub {
    /// Makes a hub that has nothing to fall back on: no backlog, nobody who watches.
    ///
    /// # Panics
    /// As [`Hub::with_parts`].
    pub fn new(config: HubConfig) -> Self {
        Self::with_parts(config, HubParts::default())
    }

    /// Makes a hub, and starts its tasks.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled, or when the number of shards is not a power of two from 1 to 4096.
    pub fn with_parts(config: HubConfig, parts: HubParts) -> Self {
        assert!(
            HubConfig::shard_count_is_valid(config.shard_count),
            "the number of shards must be a power of two from 1 to 4096, not {}",
            config.shard_count
        );
        let runtime = Handle::current();
        let lanes = config.lanes.map_or(runtime.metrics().num_workers(), NonZeroUsize::get);
        let observer = parts.observer.unwrap_or_else(|| Arc::new(()));
        let reactors = Reactors::new(runtime.clone(), lanes.div_ceil(2));
        let shared = Arc::new(Shared::new(config, parts.backlog, observer, reactors));
        let mut tasks: Vec<_> = (0..lanes)
            .map(|_| {
                runtime.spawn(restart_on_panic(Arc::clone(&shared), "lane", move |shared| {
                    fanout::lane(shared, lanes)
                }))
            })
            .collect();
        tasks.push(runtime.spawn(restart_on_panic(Arc::clone(&shared), "sweep", sweep::sweep)));
        Self(Arc::new(Inner { shared, tasks }))
    }

    /// Registers a stream of `user` under `token`, before it has a socket: every message given to [`Hub::notify`]
    /// from now on will reach it. With `since`, the backlog's messages after that id come first.
    pub fn register(
        &self,
        user: UserId,
        token: &str,
        since: Option<MessageId>,
    ) -> Result<Registration, RegisterError> {
        self.register_in(Format::default(), user, token, since)
    }

    /// As [`Hub::register`], for a stream that gets frames in another format.
    pub fn register_in(
        &self,
        format: Format,
        user: UserId,
        token: &str,
        since: Option<MessageId>,
    ) -> Result<Registration, RegisterError> {
        let shared = &self.0.shared;
        if shared.draining.load(Ordering::Acquire) {
            return Err(RegisterError::Draining);
        }
        let (connection, needs_head) = shared.register(user, token, since, format);
        let registration = Registration::new(Arc::clone(shared), connection, needs_head);
        // Whoever closes all may have come by before the stream was there.
        if shared.draining.load(Ordering::Acquire) {
            registration.close(EndReason::Shutdown);
        }
        Ok(registration)
    }

    /// Brings frames to the user's streams; returns at once. For programs that give the hub every message, one after
    /// the other: see [`Hub::notify_after`] where messages may be missed or come in another order.
    ///
    /// Ids must be above 0 and ascend from call to call for one user: a frame whose id is not above the last one's
    /// was brought already, and is left out.
    pub fn notify(&self, user: UserId, frames: &[Frame]) {
        self.post(user, None, frames);
    }

    /// As [`Hub::notify`], for frames that follow on the message `previous`, the user's newest before them (0 if there
    /// was none): what one transaction has stored. Calls may come twice, late, in another order, or not at all.
    ///
    /// | compared with the newest message that the hub knows of | then |
    /// |---|---|
    /// | the last frame is not above it | all were brought already: they are left out |
    /// | `previous` is not above it | the frames above it are brought |
    /// | `previous` is above it | something is missing: the user's streams read everything after it from the [`Backlog`] |
    ///
    /// So the backlog must hold whatever was stored before this call is made. A hub without a backlog closes the
    /// user's streams in the third case.
    pub fn notify_after(&self, user: UserId, previous: MessageId, frames: &[Frame]) {
        self.post(user, Some(previous), frames);
    }

    /// Takes note that the store has messages of the user up to `newest`. If the hub was not given them all, the user's
    /// streams read what is missing from the [`Backlog`]; otherwise nothing happens.
    pub fn catch_up(&self, user: UserId, newest: MessageId) {
        self.post(user, Some(newest), &[Frame::unencoded(newest)]);
    }

    fn post(&self, user: UserId, previous: Option<MessageId>, frames: &[Frame]) {
        let shared = &self.0.shared;
        let Some(user) = shared.users.get(&user).map(|entry| Arc::clone(&entry)) else { return };
        if user.post(previous, frames) == Scheduled::Yes {
            shared.queue.push(user);
        }
    }

    /// Brings an event that is no message to those of the user's streams that ask for events; returns at once. Live
    /// streams get it after the messages that were brought before this call. Events are not kept, and those of which
    /// more than 1024 or 256 KiB wait for one pass are missed; see [`Registration::ask_for_events`].
    pub fn notify_event(&self, user: UserId, event: &EventFrame) {
        let shared = &self.0.shared;
        let Some(user) = shared.users.get(&user).map(|entry| Arc::clone(&entry)) else { return };
        if user.post_event(event) == Scheduled::Yes {
            shared.queue.push(user);
        }
    }

    /// Drops what was read of a user's backlog and is kept for a while for the user's other streams. To be called when
    /// messages were deleted or replaced, so that no stream that comes afterwards gets them.
    pub fn forget_backlog(&self, user: UserId) {
        let user = self.0.shared.users.get(&user).map(|entry| Arc::clone(&entry));
        if let Some(user) = user {
            user.forget_chunks();
        }
    }

    /// Takes note that events of all users may have been lost on their way to this hub: streams that ask for events are
    /// informed that they have missed some, and nothing is kept of anybody's backlog.
    pub fn miss_events(&self) {
        let shared = &self.0.shared;
        // An event in no format is missed in every format.
        let event = EventFrame::default();
        let users: Vec<_> = shared.users.iter().map(|entry| Arc::clone(&entry)).collect();
        for user in users {
            user.forget_chunks();
            if user.post_event(&event) == Scheduled::Yes {
                shared.queue.push(user);
            }
        }
    }

    /// Answers whether the user has a stream here that asks for events, so that an event need not be encoded for nobody.
    pub fn wants_events(&self, user: UserId) -> bool {
        self.0.shared.users.get(&user).is_some_and(|user| user.wants_events())
    }

    /// Answers whether the user has a stream here, so that a message need not be encoded for nobody.
    pub fn has_streams(&self, user: UserId) -> bool {
        self.0.shared.users.contains_key(&user)
    }

    /// Returns the formats of the user's streams here, so that a message need not be encoded in others. A stream that
    /// comes before the frames do, in a format that they lack, reads them from the backlog.
    pub fn formats(&self, user: UserId) -> Formats {
        self.0.shared.users.get(&user).map_or_else(Formats::default, |user| user.formats())
    }

    /// Closes the streams of one token; returns how many there were.
    pub fn close_token(&self, user: UserId, token: &str) -> u32 {
        self.close_each(&self.0.shared.shards.of_token(user, token), EndReason::TokenDeleted)
    }

    /// As [`Hub::close_token`], for a token that has expired.
    pub fn expire_token(&self, user: UserId, token: &str) -> u32 {
        self.close_each(&self.0.shared.shards.of_token(user, token), EndReason::TokenExpired)
    }

    /// Closes all streams of a user; returns how many there were.
    pub fn close_user(&self, user: UserId) -> u32 {
        let user = self.0.shared.users.get(&user).map(|entry| Arc::clone(&entry));
        let segments = user.as_deref().map_or_else(Vec::new, User::segments);
        segments.iter().map(|segment| self.close_each(segment, EndReason::UserDeleted)).sum()
    }

    /// Admits nobody any more, closes all streams, a few at a time and spread evenly over `window`, and waits until all have
    /// ended, but no longer than `deadline` in all. Returns how many are left.
    ///
    /// # Cancel safety
    /// Dropping the future leaves some streams open; call it again to go on.
    pub async fn close_all(&self, window: Duration, deadline: Duration) -> usize {
        let shared = &self.0.shared;
        shared.draining.store(true, Ordering::Release);
        let end = Instant::now() + deadline;
        // Those that are about to register now see afterwards that they are to close.
        self.close_each_in(window.min(deadline), EndReason::Shutdown).await;
        loop {
            let emptied = shared.emptied.notified();
            let left = self.stream_count();
            if left == 0 || tokio::time::timeout_at(end, emptied).await.is_err() {
                return self.stream_count();
            }
        }
    }

    /// Closes the streams that there are now, for this reason, a few at a time and spread evenly over `window`. Others may be
    /// registered meanwhile, and stay.
    ///
    /// # Cancel safety
    /// Dropping the future leaves some streams open.
    pub async fn close_each_in(&self, window: Duration, reason: EndReason) {
        let shards = &self.0.shared.shards;
        let start = Instant::now();
        let total = u32::try_from(self.stream_count()).unwrap_or(u32::MAX).max(1);
        let mut closed = 0_u32;
        let mut streams = Vec::new();
        for shard in 0..shards.count() {
            shards.collect(shard, &mut streams);
            for slice in streams.chunks(CLOSES_AT_ONCE) {
                closed += self.close_each(slice, reason);
                let done = f64::from(closed.min(total)) / f64::from(total);
                tokio::time::sleep_until(start + window.mul_f64(done)).await;
            }
            streams.clear();
        }
    }

    /// Counts the registered streams.
    pub fn stream_count(&self) -> usize {
        self.0.shared.streams.load(Ordering::Acquire)
    }

    /// Counts the streams that have their sockets, where these are connections of their own: so many connections are open
    /// that only the hub knows of.
    pub fn attached_count(&self) -> usize {
        self.0.shared.attached.load(Ordering::Relaxed)
    }

    /// Counts the streams of one user.
    pub fn stream_count_of(&self, user: UserId) -> usize {
        self.0.shared.users.get(&user).map_or(0, |user| user.stream_count())
    }

    /// Counts the streams of each shard.
    pub fn stream_counts_by_shard(&self) -> Vec<usize> {
        self.0.shared.shards.counts()
    }

    /// Returns the number of shards.
    pub fn shard_count(&self) -> usize {
        self.0.shared.shards.count()
    }

    /// Lists the users and tokens that have streams in one shard, each pair once. The token is empty for streams that
    /// were registered without one.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn tokens_of_shard(&self, shard: usize) -> Vec<(UserId, Box<str>)> {
        let mut streams = Vec::new();
        self.0.shared.shards.collect(shard, &mut streams);
        let mut tokens: Vec<(UserId, Box<str>)> =
            streams.iter().map(|stream| (stream.user.id, (*stream.token).into())).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
    }

    /// Lists the users that have a stream, in no order.
    pub fn users(&self) -> Vec<UserId> {
        self.0.shared.users.iter().map(|entry| *entry.key()).collect()
    }

    /// Counts the users that have a stream.
    pub fn user_count(&self) -> usize {
        self.0.shared.users.len()
    }

    /// Counts the streams that have ended, by reason; reasons that never occurred are left out.
    pub fn end_counts(&self) -> Vec<(EndReason, u64)> {
        let ends = self.0.shared.ends.iter().map(|count| count.load(Ordering::Relaxed));
        EndReason::ALL.into_iter().zip(ends).filter(|&(_, count)| count > 0).collect()
    }

    /// Reports that a task of the server that works for the hub's streams panicked and goes on.
    #[cfg(feature = "server")]
    pub(crate) fn report_panic(&self, part: &'static str) {
        self.0.shared.report_panic(part);
    }

    fn close_each(&self, streams: &[Arc<Connection>], reason: EndReason) -> u32 {
        let shared = &self.0.shared;
        let now = shared.clock.now();
        for stream in streams {
            stream.close(reason, now, &shared.config);
        }
        u32::try_from(streams.len()).unwrap_or(u32::MAX)
    }
}

with_methods!(HubParts {
    with_backlog(backlog: Arc<dyn Backlog>),
    with_observer(observer: Arc<dyn Observer>),
});

impl std::fmt::Debug for HubParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HubParts").field("backlog", &self.backlog.is_some()).finish_non_exhaustive()
    }
}
