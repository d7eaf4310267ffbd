//! What transactions have stored, told late, twice, in another order, or not at all; and streams that come meanwhile.

use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::task::JoinHandle;

use super::fake::{FakeBacklog, FakeSocket, frame};
use crate::hub::{EndReason, Frame, Hub, HubConfig, HubParts, MessageId, Registration, UserId};

const ALICE: UserId = UserId(1);
const PLENTY: usize = 1 << 20;

fn hub() -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(HubConfig { shard_count: 1, ..HubConfig::default() }, parts), backlog)
}

fn frames(ids: impl IntoIterator<Item = u64>) -> Vec<Frame> {
    ids.into_iter().map(|id| frame(id, 3)).collect()
}

fn store(backlog: &FakeBacklog, ids: impl IntoIterator<Item = u64>) {
    for frame in frames(ids) {
        backlog.store(ALICE, frame);
    }
}

/// Admits a stream that begins after `head`.
fn admit(hub: &Hub, head: u64) -> (FakeSocket, JoinHandle<EndReason>) {
    let mut registration = hub.register(ALICE, "token", None).unwrap();
    assert!(registration.needs_head());
    registration.start_after(MessageId(head));
    attach(registration)
}

fn attach(registration: Registration) -> (FakeSocket, JoinHandle<EndReason>) {
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = registration.attach(socket.clone());
    (socket, tokio::spawn(async move { stream.ended().await }))
}

/// Lets every task run until nothing is left to do.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_known_is_left_out_and_the_rest_brought() {
    let (hub, _) = hub();
    let (socket, _task) = admit(&hub, 10);
    for (previous, ids) in
        [(10, 11..=12), (10, 11..=12), (10, 11..=13), (5, 6..=9), (13, 14..=14), (9, 10..=10)]
    {
        hub.notify_after(ALICE, MessageId(previous), &frames(ids));
        settle().await;
    }
    assert_eq!(socket.seen().ids, [11, 12, 13, 14]);
    assert_eq!(socket.writes(), 3, "nothing was read from the backlog, which is empty");
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_read_from_the_backlog_and_what_comes_late_is_left_out() {
    for head in [0, 10] {
        let (hub, backlog) = hub();
        let (socket, _task) = admit(&hub, head);
        store(&backlog, head + 1..=head + 5);
        hub.notify_after(ALICE, MessageId(head + 3), &frames(head + 4..=head + 5));
        settle().await;
        assert_eq!(socket.seen().ids, (head + 1..=head + 5).collect::<Vec<_>>());
        hub.notify_after(ALICE, MessageId(head), &frames(head + 1..=head + 3));
        settle().await;
        let writes = socket.writes();
        hub.notify_after(ALICE, MessageId(head + 5), &frames([head + 6]));
        settle().await;
        assert_eq!(socket.seen().ids, (head + 1..=head + 6).collect::<Vec<_>>());
        assert_eq!(socket.writes(), writes + 1, "it is live: the pass itself writes");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_behind_messages_that_wait_for_a_pass_is_noticed() {
    let (hub, backlog) = hub();
    let (socket, _task) = admit(&hub, 10);
    store(&backlog, 11..=15);
    hub.notify_after(ALICE, MessageId(10), &frames([11]));
    hub.notify_after(ALICE, MessageId(14), &frames([15]));
    settle().await;
    assert_eq!(socket.seen().ids, [11, 12, 13, 14, 15]);
}

#[tokio::test(start_paused = true)]
async fn without_a_backlog_streams_that_miss_something_are_closed() {
    let hub = Hub::new(HubConfig::default());
    let (socket, task) = admit(&hub, 10);
    hub.notify_after(ALICE, MessageId(12), &frames([13]));
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
    assert!(socket.seen().ids.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_at_the_head_whatever_comes_before_it_is_read() {
    // What is heard between registration and head, the head, and what is to be seen: all that was stored after it.
    for (heard, head, expected) in [
        (vec![], 10, vec![]),
        (vec![(9, 10)], 10, vec![]),
        (vec![(10, 11)], 10, vec![11]),
        (vec![(11, 12)], 10, vec![11, 12]),
        (vec![(11, 12), (10, 11)], 10, vec![11, 12]),
        (vec![(2, 3)], 10, vec![]),
        (vec![(2, 3), (10, 11)], 10, vec![11]),
    ] {
        for takes_a_pass in [false, true] {
            let (hub, backlog) = hub();
            store(&backlog, 1..=heard.iter().map(|&(_, id)| id).fold(head, u64::max));
            let mut registration = hub.register(ALICE, "token", None).unwrap();
            for &(previous, id) in &heard {
                hub.notify_after(ALICE, MessageId(previous), &frames([id]));
            }
            if takes_a_pass {
                settle().await;
            }
            registration.start_after(MessageId(head));
            let (socket, _task) = attach(registration);
            settle().await;
            assert_eq!(socket.seen().ids, expected, "{heard:?}, {takes_a_pass}");
            store(&backlog, [13]);
            hub.notify_after(ALICE, MessageId(expected.last().copied().unwrap_or(10)), &frames([13]));
            settle().await;
            assert_eq!(socket.seen().ids.last(), Some(&13), "{heard:?}, {takes_a_pass}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_users_first_stream_and_one_from_the_future_need_the_head() {
    let (hub, backlog) = hub();
    store(&backlog, 1..=10);
    let (first, _task) = admit(&hub, 10);
    let second = hub.register(ALICE, "token", None).unwrap();
    let returning = hub.register(ALICE, "token", Some(MessageId(10))).unwrap();
    assert!(!second.needs_head() && !returning.needs_head());
    let mut ahead = hub.register(ALICE, "token", Some(MessageId(500))).unwrap();
    assert!(ahead.needs_head());
    ahead.start_after(MessageId(10));
    let sockets = [first, attach(second).0, attach(returning).0, attach(ahead).0];
    settle().await;
    store(&backlog, [11]);
    hub.notify_after(ALICE, MessageId(10), &frames([11]));
    settle().await;
    for socket in sockets {
        assert_eq!(socket.seen().ids, [11]);
    }
}

/// What may be told of a commit.
#[derive(Clone, Copy, Debug)]
enum Announced {
    Once,
    Twice,
    Later,
    Never,
}

#[derive(Clone, Debug)]
enum Step {
    Commit {
        user: u64,
        count: u64,
        told: Announced,
    },
    /// One of those that were put off is told now.
    TellLate(usize),
    /// `since` is a share (in 1/128) of what there is, so that it may lie ahead.
    Register {
        user: u64,
        since: Option<u8>,
        room: usize,
    },
    /// The store is asked where a stream begins.
    ReadHead(usize),
    Admit(usize),
    Leave(usize),
    Read {
        stream: usize,
        bytes: usize,
    },
    Run(u8),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let told = prop_oneof![6 => Just(Announced::Once), 1 => Just(Announced::Twice), 2 => Just(Announced::Later), 1 => Just(Announced::Never)];
    prop_oneof![
        8 => (0..2_u64, 1..5_u64, told).prop_map(|(user, count, told)| Step::Commit { user, count, told }),
        3 => any::<usize>().prop_map(Step::TellLate),
        4 => (0..2_u64, proptest::option::of(any::<u8>()), 0..300_usize)
            .prop_map(|(user, since, room)| Step::Register { user, since, room }),
        4 => any::<usize>().prop_map(Step::ReadHead),
        4 => any::<usize>().prop_map(Step::Admit),
        1 => any::<usize>().prop_map(Step::Leave),
        4 => (any::<usize>(), 0..200_usize).prop_map(|(stream, bytes)| Step::Read { stream, bytes }),
        3 => (0..5_u8).prop_map(Step::Run),
        1 => Just(Step::Settle),
    ]
}

/// A stream, on its way in or admitted.
struct Visitor {
    user: usize,
    since: Option<u64>,
    registration: Option<Registration>,
    head: Option<u64>,
    /// The user's newest message when the stream registered: in the store, and that was told.
    stored: u64,
    told: u64,
    socket: FakeSocket,
    task: Option<JoinHandle<EndReason>>,
}

#[derive(Default)]
struct OfUser {
    ids: Vec<u64>,
    /// The newest message that was ever told.
    told: u64,
}

struct World {
    hub: Hub,
    backlog: FakeBacklog,
    users: [OfUser; 2],
    last_id: u64,
    late: Vec<(usize, u64, Vec<Frame>)>,
    visitors: Vec<Visitor>,
}

impl World {
    fn new() -> Self {
        let (hub, backlog) = hub();
        Self { hub, backlog, users: Default::default(), last_id: 0, late: Vec::new(), visitors: Vec::new() }
    }

    fn tell(&mut self, user: usize, previous: u64, frames: &[Frame]) {
        let told = &mut self.users[user].told;
        *told = (*told).max(frames.last().unwrap().id.0);
        self.hub.notify_after(UserId(user as u64), MessageId(previous), frames);
    }

    fn commit(&mut self, user: usize, count: u64, told: Announced) {
        let previous = self.users[user].ids.last().copied().unwrap_or(0);
        // Other users' messages lie between.
        let ids: Vec<_> = (1..=count).map(|at| self.last_id + 2 * at).collect();
        self.last_id = ids[ids.len() - 1];
        let frames = frames(ids.iter().copied());
        for frame in &frames {
            self.backlog.store(UserId(user as u64), frame.clone());
        }
        self.users[user].ids.extend(ids);
        match told {
            Announced::Once => self.tell(user, previous, &frames),
            Announced::Twice => {
                self.tell(user, previous, &frames);
                self.tell(user, previous, &frames);
            }
            Announced::Later => self.late.push((user, previous, frames)),
            Announced::Never => {}
        }
    }

    fn read_head(&mut self, at: usize) {
        let visitor = &mut self.visitors[at];
        if visitor.registration.as_ref().is_some_and(Registration::needs_head) && visitor.head.is_none() {
            visitor.head = Some(self.users[visitor.user].ids.last().copied().unwrap_or(0));
        }
    }

    fn admit(&mut self, at: usize) {
        let visitor = &mut self.visitors[at];
        let Some(mut registration) = visitor.registration.take() else { return };
        if registration.needs_head() {
            let Some(head) = visitor.head else {
                visitor.registration = Some(registration);
                return;
            };
            registration.start_after(MessageId(head));
        }
        let mut stream = registration.attach(visitor.socket.clone());
        visitor.task = Some(tokio::spawn(async move { stream.ended().await }));
    }

    async fn apply(&mut self, step: Step) {
        let visitors = self.visitors.len();
        match step {
            Step::Commit { user, count, told } => self.commit(usize::try_from(user).unwrap(), count, told),
            Step::TellLate(at) if !self.late.is_empty() => {
                let (user, previous, frames) = self.late.swap_remove(at % self.late.len());
                self.tell(user, previous, &frames);
            }
            Step::Register { user, since, room } => {
                let since = since.map(|share| self.last_id * u64::from(share) / 128);
                let registration = self.hub.register(UserId(user), "token", since.map(MessageId)).unwrap();
                let user = usize::try_from(user).unwrap();
                self.visitors.push(Visitor {
                    user,
                    since,
                    registration: Some(registration),
                    head: None,
                    stored: self.users[user].ids.last().copied().unwrap_or(0),
                    told: self.users[user].told,
                    socket: FakeSocket::with_room(room),
                    task: None,
                });
            }
            Step::ReadHead(at) if visitors > 0 => self.read_head(at % visitors),
            Step::Admit(at) if visitors > 0 => self.admit(at % visitors),
            Step::Leave(at) if visitors > 0 => {
                if let Some(task) = self.visitors.swap_remove(at % visitors).task {
                    task.abort();
                }
            }
            Step::Read { stream, bytes } if visitors > 0 => {
                self.visitors[stream % visitors].socket.add_room(bytes);
            }
            Step::Run(turns) => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            }
            Step::Settle => settle().await,
            _ => {}
        }
    }

    /// Everybody is admitted, one more commit of each user is told, and then everybody has seen what they are owed.
    async fn check(&mut self) {
        for at in 0..self.visitors.len() {
            self.read_head(at);
            self.admit(at);
            self.visitors[at].socket.add_room(PLENTY);
        }
        for user in 0..2 {
            self.commit(user, 1, Announced::Once);
        }
        settle().await;
        for visitor in &self.visitors {
            assert!(!visitor.task.as_ref().unwrap().is_finished());
            let seen = visitor.socket.seen().ids;
            let stored = &self.users[visitor.user].ids;
            assert!(stored.ends_with(&seen), "saw {seen:?} of {stored:?}");
            let first = seen[0];
            let newest_not_seen = stored.iter().rev().find(|&&id| id < first).copied().unwrap_or(0);
            match (visitor.since, visitor.head) {
                (Some(since), head) => {
                    let after = head.map_or(since, |head| since.min(head));
                    assert!(first > after && newest_not_seen <= after, "saw {seen:?}, not all after {after}");
                }
                (None, Some(head)) => {
                    assert!(first > head && newest_not_seen <= head, "saw {seen:?}, not all after {head}");
                }
                (None, None) => {
                    let Visitor { stored, told, .. } = visitor;
                    assert!(newest_not_seen <= *stored, "saw {seen:?}, not all after {stored}");
                    assert!(first > *told, "saw {seen:?}, though {told} was told before");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_stream_sees_what_is_stored_after_its_head_however_it_is_told(steps in vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.apply(step).await;
            }
            world.check().await;
        });
    }
}
