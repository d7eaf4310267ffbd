//! Streams by token: one of many maps, each behind its own lock.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hashbrown::{HashTable, hash_table::Entry};
use parking_lot::Mutex;

use super::{UserId, connection::Connection};

/// All shards. Tokens come from outside, so their hash is keyed anew in each process.
#[derive(Debug)]
pub(super) struct Shards {
    hasher: RandomState,
    shards: Box<[Shard]>,
}

/// On cache lines of its own: two, since processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    groups: Mutex<HashTable<Group>>,
    /// Streams in them: changed under the lock, read without it.
    streams: AtomicUsize,
}

/// The streams of one token.
#[derive(Debug)]
enum Group {
    One(Arc<Connection>),
    #[expect(clippy::box_collection, reason = "most tokens have one stream: it must not pay for a vector")]
    Many(Box<Vec<Arc<Connection>>>),
}

impl Shards {
    /// Makes `count` shards, a power of two.
    pub(super) fn new(count: usize) -> Self {
        Self { hasher: RandomState::new(), shards: (0..count).map(|_| Shard::default()).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.shards.len()
    }

    pub(super) fn insert(&self, connection: Arc<Connection>) {
        let hash = self.hash(connection.user.id, &connection.token);
        let shard = self.shard(hash);
        let mut groups = shard.groups.lock();
        shard.streams.fetch_add(1, Ordering::Relaxed);
        let same = |group: &Group| group.holds(connection.user.id, &connection.token);
        match groups.entry(hash, same, |group| self.hash_of(group)) {
            Entry::Occupied(mut group) => group.get_mut().push(connection),
            Entry::Vacant(place) => {
                place.insert(Group::One(connection));
            }
        }
    }

    pub(super) fn remove(&self, connection: &Connection) {
        let hash = self.hash(connection.user.id, &connection.token);
        let shard = self.shard(hash);
        let mut groups = shard.groups.lock();
        let same = |group: &Group| group.holds(connection.user.id, &connection.token);
        if let Ok(mut group) = groups.find_entry(hash, same) {
            shard.streams.fetch_sub(1, Ordering::Relaxed);
            if group.get_mut().remove(connection) {
                group.remove();
            }
        }
    }

    /// Handles of the streams of one token.
    pub(super) fn of_token(&self, user: UserId, token: &str) -> Vec<Arc<Connection>> {
        let hash = self.hash(user, token);
        let groups = self.shard(hash).groups.lock();
        groups
            .find(hash, |group| group.holds(user, token))
            .map_or_else(Vec::new, |group| group.all().to_vec())
    }

    /// Puts handles of all streams of one shard into `into`.
    pub(super) fn collect(&self, shard: usize, into: &mut Vec<Arc<Connection>>) {
        let groups = self.shards[shard].groups.lock();
        into.extend(groups.iter().flat_map(Group::all).cloned());
    }

    /// Counts the streams of each shard, without its lock.
    pub(super) fn counts(&self) -> Vec<usize> {
        self.shards.iter().map(|shard| shard.streams.load(Ordering::Relaxed)).collect()
    }

    fn hash(&self, user: UserId, token: &str) -> u64 {
        self.hasher.hash_one((user, token))
    }

    fn hash_of(&self, group: &Group) -> u64 {
        group.all().first().map_or(0, |connection| self.hash(connection.user.id, &connection.token))
    }

    fn shard(&self, hash: u64) -> &Shard {
        // The table itself uses the lowest bits, and the highest seven as a tag.
        let place = (hash >> 32) as usize & (self.shards.len() - 1);
        &self.shards[place]
    }
}

impl Group {
    fn all(&self) -> &[Arc<Connection>] {
        match self {
            Self::One(connection) => std::slice::from_ref(connection),
            Self::Many(connections) => connections,
        }
    }

    fn holds(&self, user: UserId, token: &str) -> bool {
        self.all().first().is_some_and(|connection| connection.user.id == user && *connection.token == *token)
    }

    fn push(&mut self, connection: Arc<Connection>) {
        match self {
            Self::One(first) => {
                connection.token_place.store(1, Ordering::Relaxed);
                *self = Self::Many(Box::new(vec![Arc::clone(first), connection]));
            }
            Self::Many(connections) => {
                connection.token_place.store(connections.len(), Ordering::Relaxed);
                connections.push(connection);
            }
        }
    }

    /// Takes a stream out; true if it was the last one.
    fn remove(&mut self, connection: &Connection) -> bool {
        match self {
            Self::One(_) => true,
            Self::Many(connections) => {
                let place = connection.token_place.load(Ordering::Relaxed);
                connections.swap_remove(place);
                if let Some(moved) = connections.get(place) {
                    moved.token_place.store(place, Ordering::Relaxed);
                }
                connections.is_empty()
            }
        }
    }
}
