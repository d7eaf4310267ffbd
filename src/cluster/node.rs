//! What one node has of the cluster.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::comparison::ComparisonRequest;
use super::outbox::Outbox;
use super::peers::{PeerNode, Peers};
use super::subscriptions::Subscriptions;
use super::wire::{self, Announcement, Body, Event, Revoked, StoredMessage};
use super::{Backplane, Channel, Outgoing, comparison, link};
use crate::hub::{EventFrame, Formats, Frame, Hub};
use crate::model::UserId;
use crate::store::{Heads, UserCommit};
use crate::task;

/// Makes a frame, which says which message it is, of what another node has sent of the message, in these formats. One that
/// can't be made is left out: streams read the message from the store.
pub(crate) type MakeFrame = dyn Fn(Frame, &Bytes, Formats) -> Frame + Send + Sync;

/// Makes an event, of this kind, of what another node has sent of it.
pub(crate) type MakeEvent = fn(&str, &[u8]) -> EventFrame;

/// How a node takes part.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClusterConfig {
    /// The name of this node, for people.
    pub name: Arc<str>,
    /// How often heads that have moved are compared: so long it takes at most until other nodes' messages come while the
    /// backplane is away. Default 2 s.
    pub comparison_period: Duration,
}

impl ClusterConfig {
    /// The configuration of a node with this name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), comparison_period: Duration::from_secs(2) }
    }
}

with_methods!(ClusterConfig {
    with_comparison_period(comparison_period: Duration),
});

/// What a node is given to take part.
pub(crate) struct ClusterParts {
    /// A number that no other node has.
    pub(crate) id: u64,
    pub(crate) backplane: Arc<dyn Backplane>,
    pub(crate) heads: Arc<dyn Heads>,
    pub(crate) hub: Hub,
    pub(crate) make_frame: Box<MakeFrame>,
    pub(crate) make_event: MakeEvent,
    /// Asks the node to compare heads.
    pub(crate) comparison: Arc<ComparisonRequest>,
    /// What to do when something was revoked elsewhere.
    pub(crate) on_revoked: Box<dyn Fn() + Send + Sync>,
}

/// One node's part of the cluster. Clones share it; its tasks end with the last one.
#[derive(Clone)]
pub struct Cluster {
    pub(super) shared: Arc<Shared>,
    _tasks: Arc<[AbortOnDropHandle<()>; 2]>,
}

/// What the tasks share.
pub(super) struct Shared {
    /// This node, in what it says: another number after each start.
    pub(super) id: u64,
    pub(super) config: ClusterConfig,
    pub(super) backplane: Arc<dyn Backplane>,
    pub(super) heads: Arc<dyn Heads>,
    pub(super) hub: Hub,
    pub(super) make_frame: Box<MakeFrame>,
    pub(super) make_event: MakeEvent,
    pub(super) on_revoked: Box<dyn Fn() + Send + Sync>,
    pub(super) subscriptions: Subscriptions,
    pub(super) outbox: Outbox,
    pub(super) comparison: Arc<ComparisonRequest>,
    pub(super) peers: Peers,
    pub(super) stats: Counters,
    /// Events were dropped that other nodes can't find by comparing heads.
    pub(super) lost_events: AtomicBool,
}

/// Counts since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) dropped_sent: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) dropped_received: AtomicU64,
    pub(super) not_understood: AtomicU64,
    pub(super) comparisons: AtomicU64,
    pub(super) failed_comparisons: AtomicU64,
}

/// How a node's part of the cluster does. Counts are since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// The backplane is there. While it is not, other nodes' messages come at the pace of the comparisons.
    pub is_connected: bool,
    /// Other nodes that were heard in the last seconds.
    pub peers: usize,
    /// Channels that this node listens to.
    pub channels: usize,
    /// Messages to other nodes that were sent.
    pub sent: u64,
    /// Those that were not, because the backplane was away or too slow. Other nodes find out by comparing.
    pub dropped_sent: u64,
    /// Announcements that were heard, this node's own among them.
    pub received: u64,
    /// What was heard and dropped because too much waited. This node finds out by comparing.
    pub dropped_received: u64,
    /// What was heard and not understood: from another version, or from something else.
    pub not_understood: u64,
    /// Comparisons with the database that were made.
    pub comparisons: u64,
    /// Comparisons that failed.
    pub failed_comparisons: u64,
}

impl Cluster {
    /// Starts to take part.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(crate) fn start(parts: ClusterParts, config: ClusterConfig) -> Self {
        let ClusterParts { id, backplane, heads, hub, make_frame, make_event, comparison, on_revoked } =
            parts;
        let shared = Arc::new(Shared {
            id,
            config,
            backplane,
            heads,
            hub,
            make_frame,
            make_event,
            on_revoked,
            subscriptions: Subscriptions::new(),
            outbox: Outbox::default(),
            comparison,
            peers: Peers::new(Instant::now()),
            stats: Counters::default(),
            lost_events: AtomicBool::new(false),
        });
        let tasks = [
            task::spawn(run_on(Arc::clone(&shared), "backplane", link::run)),
            task::spawn(run_on(Arc::clone(&shared), "comparison of heads", comparison::run)),
        ];
        Self { shared, _tasks: Arc::new(tasks.map(AbortOnDropHandle::new)) }
    }

    /// Answers whether announcements have messages in them now, so that they need not be encoded for nobody.
    pub(crate) fn carries_messages(&self) -> bool {
        self.shared.backplane.max_message_bytes() > 0 && self.shared.subscriptions.is_connected()
    }

    /// Announces what one transaction has stored for a user, whether or not the user has streams here. `encoded` has the
    /// messages as streams get them, in their order, or nothing. Never waits.
    pub(crate) fn announce(&self, of_user: UserCommit<'_>, encoded: &[Bytes]) {
        let UserCommit { user_id, previous, messages } = of_user;
        let last = messages.last().map_or(previous, |stored| stored.message.id);
        let bytes: usize = encoded.iter().map(|message| message.len() + PER_MESSAGE).sum();
        let fits = bytes + PER_MESSAGE <= self.shared.backplane.max_message_bytes();
        let carried = messages.iter().zip(encoded).filter(|_| fits);
        let messages = carried.map(|(stored, encoded)| StoredMessage {
            id: stored.message.id.0,
            application: stored.message.application_id.0,
            priority: stored.message.priority,
            json: encoded.clone(),
        });
        self.shared.say(
            Channel::of(user_id),
            Body::Announcement(Announcement {
                user: user_id.0,
                previous: previous.0,
                last: last.0,
                messages: messages.collect(),
            }),
        );
    }

    /// Brings an event to the user's streams on other nodes. `json` is what the streams get. Never waits. Of an event that is
    /// lost or too large, streams learn that they have missed some.
    pub(crate) fn announce_event(&self, user: UserId, kind: &str, json: &[u8]) {
        let fits = json.len() <= MAX_EVENT_BYTES;
        let event = Event {
            user: user.0,
            kind: if fits { kind.to_owned() } else { String::new() },
            json: if fits { Bytes::copy_from_slice(json) } else { Bytes::new() },
        };
        if !self.shared.say(Channel::of(user), Body::Event(event)) {
            self.shared.lost_events.store(true, Ordering::Relaxed);
        }
    }

    /// Makes other nodes read the log of what was revoked. Never waits.
    pub fn announce_revocation(&self) {
        self.shared.say(Channel::ALL, Body::Revoked(Revoked {}));
    }

    /// Waits until this node hears what others store for a user, and goes on hearing it while the user has streams here,
    /// of which one must be registered already. While the backplane is away it returns at once: then heads are compared.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does no harm.
    pub async fn listen(&self, user: UserId) {
        self.shared.subscriptions.listen(Channel::of(user)).await;
    }

    /// Returns the name of this node.
    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// Returns the kind of the backplane, as [`Backplane::kind`].
    pub fn backplane_kind(&self) -> &'static str {
        self.shared.backplane.kind()
    }

    /// Lists the other nodes that were heard within the last minute, by name.
    pub fn peers(&self) -> Vec<PeerNode> {
        self.shared.peers.list(Instant::now())
    }

    /// Answers whether the backplane is away, so that other nodes' messages come later.
    pub fn is_degraded(&self) -> bool {
        !self.shared.subscriptions.is_connected()
    }

    /// Returns how it does.
    pub fn stats(&self) -> ClusterStats {
        let Shared { stats, subscriptions, peers, .. } = &*self.shared;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ClusterStats {
            is_connected: subscriptions.is_connected(),
            peers: peers.count(Instant::now()),
            channels: subscriptions.heard(),
            sent: read(&stats.sent),
            dropped_sent: read(&stats.dropped_sent),
            received: read(&stats.received),
            dropped_received: read(&stats.dropped_received),
            not_understood: read(&stats.not_understood),
            comparisons: read(&stats.comparisons),
            failed_comparisons: read(&stats.failed_comparisons),
        }
    }
}

impl Shared {
    /// Puts something into the outbox; false if it was dropped, because the backplane is away or too much waits.
    pub(super) fn say(&self, channel: Channel, body: Body) -> bool {
        let payload = wire::encode(self.id, body);
        let is_taken = self.outbox.push(Outgoing { channel, payload });
        if !is_taken {
            self.stats.dropped_sent.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }
}

/// Runs a task, and runs it again after a while whenever it panics.
async fn run_on<F: Future<Output = ()>>(
    shared: Arc<Shared>,
    part: &'static str,
    task: impl Fn(Arc<Shared>) -> F,
) {
    while AssertUnwindSafe(task(Arc::clone(&shared))).catch_unwind().await.is_err() {
        shared.hub.report_panic(part);
        // What was under way is not known any more.
        shared.comparison.compare_all();
        sleep(PAUSE_AFTER_PANIC).await;
    }
}

/// How long a task rests that has panicked.
const PAUSE_AFTER_PANIC: Duration = Duration::from_secs(1);

/// The most bytes of an event. Every backplane carries so many: of PostgreSQL's notifications, which have less than 8000
/// bytes in base64, they fill less than three quarters.
const MAX_EVENT_BYTES: usize = 4096;

/// The most bytes that a message takes besides its text, and the envelope alone.
const PER_MESSAGE: usize = 64;

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backplane = &self.shared.backplane;
        f.debug_struct("Cluster")
            .field("name", &self.name())
            .field("backplane", backplane)
            .finish_non_exhaustive()
    }
}
