//! The hub, and three simpler ways to know who is connected. Those write to the sockets within `notify`, under
//! their lock: where a socket could block or a write fail, they would need what the hub has.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::{Mutex, RwLock};
use shardcast::hub::{Frame, Hub, HubConfig, MessageId, Socket, Stream, UserId};
use tokio::runtime::{Builder, Runtime};

use super::{FRAME_BYTES, null::NullSocket};

/// Who is connected. What is held keeps the stream registered, where it is needed for that.
pub(crate) trait Registry: Sync {
    type Held: Send;
    fn join(&self, user: u64, token: &str, socket: &NullSocket) -> Self::Held;
    fn notify(&self, user: u64);
    fn leave(&self, user: u64, token: &str, held: Self::Held);
}

/// A frame of the right size without a message's cost.
fn payload() -> [u8; FRAME_BYTES] {
    [b'x'; FRAME_BYTES]
}

/// The hub, its lanes on a runtime of two threads.
pub(crate) struct Sharded {
    hub: Hub,
    runtime: Runtime,
    last_ids: HashMap<u64, AtomicU64>,
    frame: bytes::Bytes,
}

impl Sharded {
    pub(crate) fn new(shards: usize, users: u64) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let mut config = HubConfig::default();
        config.shard_count = shards;
        let hub = runtime.block_on(async { Hub::new(config) });
        let last_ids = (0..users).map(|user| (user, AtomicU64::new(0))).collect();
        Self { hub, runtime, last_ids, frame: payload().to_vec().into() }
    }
}

impl Registry for Sharded {
    type Held = Stream;

    fn join(&self, user: u64, token: &str, socket: &NullSocket) -> Stream {
        let _context = self.runtime.enter();
        let registration = self.hub.register(UserId(user), token, None).expect("the hub takes streams");
        registration.attach(socket.clone())
    }

    fn notify(&self, user: u64) {
        let id = self.last_ids[&user].fetch_add(1, Ordering::Relaxed) + 1;
        self.hub.notify(UserId(user), &[Frame::new(MessageId(id), self.frame.clone())]);
    }

    fn leave(&self, _: u64, _: &str, held: Stream) {
        drop(held);
    }
}

/// The streams of a user by token, as a map holds them.
type ByToken = HashMap<Box<str>, NullSocket>;

/// One map behind one lock.
pub(crate) struct Single(Mutex<HashMap<u64, ByToken>>);

impl Single {
    pub(crate) fn new(users: u64) -> Self {
        Self(Mutex::new((0..users).map(|user| (user, ByToken::new())).collect()))
    }
}

impl Registry for Single {
    type Held = ();

    fn join(&self, user: u64, token: &str, socket: &NullSocket) {
        self.0.lock().entry(user).or_default().insert(token.into(), socket.clone());
    }

    fn notify(&self, user: u64) {
        if let Some(streams) = self.0.lock().get(&user) {
            for socket in streams.values() {
                let _ = socket.try_write(&payload());
            }
        }
    }

    fn leave(&self, user: u64, token: &str, (): ()) {
        if let Some(streams) = self.0.lock().get_mut(&user) {
            streams.remove(token);
        }
    }
}

/// A `DashMap` by user.
pub(crate) struct Guarded(DashMap<u64, ByToken>);

impl Guarded {
    pub(crate) fn new(users: u64) -> Self {
        Self((0..users).map(|user| (user, ByToken::new())).collect())
    }
}

impl Registry for Guarded {
    type Held = ();

    fn join(&self, user: u64, token: &str, socket: &NullSocket) {
        self.0.entry(user).or_default().insert(token.into(), socket.clone());
    }

    fn notify(&self, user: u64) {
        if let Some(streams) = self.0.get(&user) {
            for socket in streams.values() {
                let _ = socket.try_write(&payload());
            }
        }
    }

    fn leave(&self, user: u64, token: &str, (): ()) {
        if let Some(mut streams) = self.0.get_mut(&user) {
            streams.remove(token);
        }
    }
}

/// A reader-writer lock over lists by user, scanned for the stream that leaves: the shape of Gotify's.
pub(crate) struct Scanned(RwLock<HashMap<u64, Vec<Arc<Listener>>>>);

struct Listener {
    token: Box<str>,
    socket: NullSocket,
}

impl Scanned {
    pub(crate) fn new(users: u64) -> Self {
        Self(RwLock::new((0..users).map(|user| (user, Vec::new())).collect()))
    }
}

impl Registry for Scanned {
    type Held = ();

    fn join(&self, user: u64, token: &str, socket: &NullSocket) {
        let listener = Arc::new(Listener { token: token.into(), socket: socket.clone() });
        self.0.write().entry(user).or_default().push(listener);
    }

    fn notify(&self, user: u64) {
        if let Some(streams) = self.0.read().get(&user) {
            for listener in streams {
                let _ = listener.socket.try_write(&payload());
            }
        }
    }

    fn leave(&self, user: u64, token: &str, (): ()) {
        if let Some(streams) = self.0.write().get_mut(&user)
            && let Some(place) = streams.iter().position(|listener| *listener.token == *token)
        {
            // In order, as a slice is cut in Go.
            streams.remove(place);
        }
    }
}
