//! What a node hears from others: messages in the format of the backplane, each after two bytes with its length.
//!
//! What is understood and written again is understood as the same. What streams get of it are whole frames.

use std::cell::OnceCell;
use std::sync::Arc;

use bytes::Bytes;
use shardcast::cluster::{Cluster, MemoryBackplane, fuzzing};
use shardcast::hub::{Hub, HubConfig, Stream, UserId};
use shardcast::server;
use shardcast::store::{Heads, Sqlite};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::memory_socket::{MemorySocket, server_frames};

/// More would only be slower.
const MESSAGES_MAX: usize = 32;

struct World {
    runtime: Runtime,
    heads: Arc<dyn Heads>,
    _folder: TempDir,
}

thread_local! {
    static WORLD: OnceCell<World> = const { OnceCell::new() };
}

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    WORLD.with(|world| {
        let world = world.get_or_init(World::new);
        world.runtime.block_on(world.hear(&messages(data)));
    });
}

/// Takes the messages out of what the fuzzer made.
fn messages(mut data: &[u8]) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while let [high, low, rest @ ..] = data
        && messages.len() < MESSAGES_MAX
    {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (message, rest) = rest.split_at(length);
        messages.push(Bytes::copy_from_slice(message));
        data = rest;
    }
    messages
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("gotify.db");
        let database =
            runtime.block_on(Sqlite::open(&file.to_string_lossy())).expect("a database can be made");
        Self { runtime, heads: Arc::new(database), _folder: folder }
    }

    async fn hear(&self, messages: &[Bytes]) {
        let hub = Hub::new(HubConfig::default());
        let cluster = server::fuzzing::cluster(
            hub.clone(),
            Arc::new(MemoryBackplane::default()),
            Arc::clone(&self.heads),
        );
        let (socket, stream) = stream(&hub);
        let mut understood = 0;
        for message in messages {
            if let Some(again) = fuzzing::written_again(message.clone()) {
                assert_eq!(fuzzing::written_again(again.clone()), Some(again));
                understood += 1;
            }
            fuzzing::hear(&cluster, message.clone());
            tokio::task::yield_now().await;
        }
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        check(&cluster, messages.len() - understood, &socket);
        drop(stream);
    }
}

/// A stream of the first user, that asks for events too.
fn stream(hub: &Hub) -> (MemorySocket, Stream) {
    let socket = MemorySocket::default();
    let mut registration = hub.register(UserId(1), "token", None).expect("the hub is open");
    registration.ask_for_events(Bytes::from_static(b"missed"));
    (socket.clone(), registration.attach(socket))
}

fn check(cluster: &Cluster, not_understood: usize, socket: &MemorySocket) {
    assert_eq!(cluster.stats().not_understood, not_understood as u64);
    for frame in server_frames(&socket.written()) {
        assert!(matches!(frame.opcode, 0x1 | 0x8), "neither a text nor the end: {frame:?}");
    }
}
