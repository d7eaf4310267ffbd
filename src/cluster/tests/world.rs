//! A database, nodes and clients of one process, whose time stands still while nothing waits for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::super::node::ClusterParts;
use super::super::{Cluster, ClusterConfig, MemoryBackplane};
use crate::hub::tests::fake::{FakeSocket, frame};
use crate::hub::{
    self, Backlog, BacklogFuture, BacklogPage, EndReason, EventFrame, Format, Formats, Frame, Hub, HubConfig,
    HubParts,
};
use crate::model::{Message, MessageId, UserId};
use crate::store::{Commit, DatabaseTime, Heads, StoreError, Stored};

/// Messages as a database of several writers keeps them: whoever stores some holds its user's head meanwhile.
#[derive(Clone, Debug)]
pub(super) struct SimulatedDatabase(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Instant,
    is_away: AtomicBool,
    next_id: AtomicU64,
    users: Vec<Arc<tokio::sync::Mutex<()>>>,
    visible: Mutex<BTreeMap<UserId, Vec<MessageId>>>,
    moved_at: Mutex<BTreeMap<UserId, u64>>,
}

/// The clock of the database begins here.
const EPOCH: u64 = 1_000_000;

/// How long an answer is on its way.
const ANSWER: Duration = Duration::from_millis(100);

/// How long a transaction may take. Heads that moved so long before a moment are returned too.
const LONGEST: u64 = 30_000;

impl SimulatedDatabase {
    pub(super) fn new(users: u64) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            is_away: AtomicBool::new(false),
            next_id: AtomicU64::new(1),
            users: (0..=users).map(|_| Arc::default()).collect(),
            visible: Mutex::default(),
            moved_at: Mutex::default(),
        }))
    }

    fn clock(&self) -> u64 {
        EPOCH + u64::try_from(self.0.start.elapsed().as_millis()).unwrap()
    }

    /// Makes it answer nobody, or ends that.
    pub(super) fn set_away(&self, is_away: bool) {
        self.0.is_away.store(is_away, Ordering::Relaxed);
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.0.is_away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { operation: "answer", source: "it is away".into() });
        }
        Ok(())
    }

    /// Stores so many messages of a user in one transaction, which takes that long to commit.
    pub(super) async fn store(&self, user: UserId, count: u64, takes: Duration) -> Commit {
        let lock = Arc::clone(&self.0.users[usize::try_from(user.0).unwrap()]);
        let _held = lock.lock().await;
        let previous = self.newest(user);
        let first = self.0.next_id.fetch_add(count, Ordering::Relaxed);
        let ids: Vec<_> = (first..first + count).map(MessageId).collect();
        let moved_at = self.clock();
        sleep(takes).await;
        self.0.visible.lock().entry(user).or_default().extend(&ids);
        self.0.moved_at.lock().insert(user, moved_at);
        let stored = ids.into_iter().map(|id| Stored {
            user_id: user,
            message: Arc::new(Message::any(id.0)),
            received_at: Instant::now(),
        });
        Commit::new(stored.collect(), vec![(user, previous)])
    }

    /// The newest message of a user; 0 if there is none.
    pub(super) fn newest(&self, user: UserId) -> MessageId {
        self.ids(user).last().copied().unwrap_or(MessageId(0))
    }

    /// The ids of all messages of a user, in order.
    pub(super) fn ids(&self, user: UserId) -> Vec<MessageId> {
        self.0.visible.lock().get(&user).cloned().unwrap_or_default()
    }
}

#[async_trait]
impl Heads for SimulatedDatabase {
    fn can_be_shared(&self) -> bool {
        true
    }

    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, MessageId)>, StoreError> {
        self.reach()?;
        let head = |user: &UserId| Some((*user, *self.ids(*user).last()?));
        let heads = users.iter().filter_map(head).collect();
        sleep(ANSWER).await;
        Ok(heads)
    }

    async fn now(&self) -> Result<DatabaseTime, StoreError> {
        self.reach()?;
        Ok(DatabaseTime(self.clock()))
    }

    async fn heads_moved_since(&self, since: DatabaseTime) -> Result<Vec<(UserId, MessageId)>, StoreError> {
        self.reach()?;
        sleep(Duration::from_millis(1)).await;
        let moved_at = self.0.moved_at.lock().clone();
        let has_moved = |(user, at): (UserId, u64)| (at + LONGEST >= since.0).then_some(user);
        let users: Vec<_> = moved_at.into_iter().filter_map(has_moved).collect();
        let head = |user: UserId| Some((user, *self.ids(user).last()?));
        Ok(users.into_iter().filter_map(head).collect())
    }
}

impl Backlog for SimulatedDatabase {
    fn read(
        &self,
        user: hub::UserId,
        after: hub::MessageId,
        format: Format,
        limit: usize,
        _: usize,
    ) -> BacklogFuture<'_> {
        let ids = self.ids(UserId(user.0));
        let mut left = ids.into_iter().filter(|id| id.0 > after.0);
        let frames: Vec<_> = left.by_ref().take(limit).map(|id| shown(id.0, format)).collect();
        let complete = left.next().is_none();
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            Ok(BacklogPage { frames, complete, ..BacklogPage::default() })
        })
    }
}

fn shown(id: u64, format: Format) -> Frame {
    Frame::unencoded(hub::MessageId(id)).with(format, bytes_of(id))
}

fn bytes_of(id: u64) -> Bytes {
    frame(id, 0).bytes(Format::Text).cloned().unwrap()
}

/// Between nodes a message is its id.
fn encoded(id: MessageId) -> Bytes {
    Bytes::copy_from_slice(&id.0.to_be_bytes())
}

fn decoded(frame: Frame, encoded: &Bytes, _: Formats) -> Frame {
    let id = u64::from_be_bytes(encoded[..].try_into().unwrap());
    assert_eq!(id, frame.id.0);
    frame.with(Format::Text, bytes_of(id))
}

/// A node with its streams.
#[derive(Debug)]
pub(super) struct SimulatedNode {
    pub(super) hub: Hub,
    pub(super) cluster: Cluster,
}

impl SimulatedNode {
    pub(super) fn start(
        id: u64,
        database: &SimulatedDatabase,
        backplane: &MemoryBackplane,
        period: Duration,
    ) -> Self {
        let parts = HubParts::default().with_backlog(Arc::new(database.clone()));
        let config = HubConfig {
            lanes: std::num::NonZeroUsize::new(1),
            // A client that is thrown out comes back for all that it has missed, and would hide that it was missed.
            ping_period: Duration::from_hours(1),
            pong_timeout: Duration::from_hours(2),
            ..HubConfig::default()
        };
        let hub = Hub::with_parts(config, parts);
        let parts = ClusterParts {
            id,
            backplane: Arc::new(backplane.clone()),
            heads: Arc::new(database.clone()),
            hub: hub.clone(),
            make_frame: Box::new(decoded),
            make_event: |_, json| EventFrame::default().with(Format::Text, json.to_vec()),
            comparison: Arc::default(),
            on_revoked: Box::new(|| {}),
        };
        let config = ClusterConfig::new(format!("node {id}")).with_comparison_period(period);
        Self { hub, cluster: Cluster::start(parts, config) }
    }

    /// What a node does with what it has stored.
    pub(super) fn announce(&self, commit: &Commit) {
        for of_user in commit.users() {
            let frames: Vec<_> =
                of_user.messages.iter().map(|stored| shown(stored.message.id.0, Format::Text)).collect();
            let user = hub::UserId(of_user.user_id.0);
            self.hub.notify_after(user, hub::MessageId(of_user.previous.0), &frames);
            let ids = of_user.messages.iter().map(|stored| encoded(stored.message.id));
            let encoded: Vec<_> = if self.cluster.carries_messages() { ids.collect() } else { Vec::new() };
            self.cluster.announce(of_user, &encoded);
        }
    }
}

/// A client that comes back, whenever its stream ends, for what it has not seen.
#[derive(Debug)]
pub(super) struct SimulatedClient {
    pub(super) user: UserId,
    /// What it is owed begins after this message.
    pub(super) after: Option<MessageId>,
    pub(super) seen: Vec<u64>,
    open: Option<(FakeSocket, JoinHandle<EndReason>)>,
}

impl SimulatedClient {
    pub(super) fn new(user: UserId) -> Self {
        Self { user, after: None, seen: Vec::new(), open: None }
    }

    /// Takes what its stream has brought, and answers whether it is open.
    pub(super) fn look(&mut self) -> bool {
        let Some((socket, task)) = &self.open else { return false };
        if !task.is_finished() {
            return true;
        }
        self.seen.extend(socket.seen().ids);
        self.open = None;
        false
    }

    /// Answers whether it has a stream.
    pub(super) fn is_open(&self) -> bool {
        self.open.as_ref().is_some_and(|(_, task)| !task.is_finished())
    }

    /// Closes its stream.
    pub(super) fn leave(&mut self) {
        if let Some((socket, task)) = self.open.take() {
            self.seen.extend(socket.seen().ids);
            task.abort();
        }
    }

    /// All that it has seen.
    pub(super) fn all_seen(&self) -> Vec<u64> {
        let open = self.open.iter().flat_map(|(socket, _)| socket.seen().ids);
        self.seen.iter().copied().chain(open).collect()
    }

    /// Opens a stream, as `GET /stream` does. It asks for what follows on what it has seen, and the first time for what
    /// comes from now on.
    pub(super) async fn connect(&mut self, at: &SimulatedNode, database: &SimulatedDatabase) {
        let user = hub::UserId(self.user.0);
        let since = self.seen.last().copied().or(self.after.map(|after| after.0));
        let Ok(mut registration) = at.hub.register(user, "token", since.map(hub::MessageId)) else {
            return;
        };
        let admitted = timeout(Duration::from_secs(5), async {
            at.cluster.listen(self.user).await;
            database.head(self.user).await
        });
        let Ok(Ok(head)) = admitted.await else { return };
        if registration.needs_head() {
            registration.start_after(hub::MessageId(head.map_or(0, |head| head.0)));
        }
        // From its admission on it misses nothing. What came while it was let in, it may have seen or not.
        self.after.get_or_insert_with(|| database.newest(self.user));
        let socket = FakeSocket::with_room(usize::MAX);
        let mut stream = registration.attach(socket.clone());
        let task = tokio::spawn(async move { stream.ended().await });
        self.open = Some((socket, task));
    }
}
