//! Random histories against a plain model: every stream sees every id once, in order, or is closed with a reason.

use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::task::JoinHandle;

use super::fake::{FakeBacklog, FakeSocket, MISSED, event_bytes, frame};
use crate::hub::{EndReason, EventFrame, Format, Hub, HubConfig, HubParts, MessageId, UserId};

const USERS: u64 = 3;
const TOKENS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    /// A stream joins; `since` asks for all after a share (in 1/256) of what there is.
    Join {
        user: u64,
        token: usize,
        since: Option<u8>,
        room: usize,
        /// It asks for events.
        events: bool,
    },
    /// The sender of a stream is dropped.
    Leave(usize),
    /// Messages are stored, then published.
    Publish {
        user: u64,
        count: u8,
        padding: u8,
    },
    /// Something happens that is no message.
    Event {
        user: u64,
    },
    /// A peer reads so many bytes.
    Read {
        stream: usize,
        bytes: usize,
    },
    /// A token is deleted.
    CloseToken {
        user: u64,
        token: usize,
    },
    /// Tasks run for a while, or until nothing is left to do.
    Run {
        turns: u8,
    },
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let user = 0..USERS;
    prop_oneof![
        3 => (user.clone(), 0..TOKENS, proptest::option::of(any::<u8>()), 0_usize..200, any::<bool>())
            .prop_map(|(user, token, since, room, events)| Step::Join { user, token, since, room, events }),
        4 => user.clone().prop_map(|user| Step::Event { user }),
        1 => any::<usize>().prop_map(Step::Leave),
        8 => (user.clone(), 1_u8..12, 0_u8..60)
            .prop_map(|(user, count, padding)| Step::Publish { user, count, padding }),
        8 => (any::<usize>(), 0_usize..400).prop_map(|(stream, bytes)| Step::Read { stream, bytes }),
        1 => (user, 0..TOKENS).prop_map(|(user, token)| Step::CloseToken { user, token }),
        4 => (0_u8..6).prop_map(|turns| Step::Run { turns }),
        2 => Just(Step::Settle),
    ]
}

struct Joined {
    user: u64,
    token: usize,
    /// It is to see every id of its user above this one.
    after: u64,
    /// It is to see every event of its user from this one on, or that it has missed some.
    first_event: Option<usize>,
    socket: FakeSocket,
    task: Option<JoinHandle<EndReason>>,
    /// Why it may have ended, besides being slow.
    expected_end: Option<EndReason>,
}

struct World {
    hub: Hub,
    backlog: Option<FakeBacklog>,
    published: FakeBacklog,
    next_id: u64,
    /// The events of each user: the newest message when each came.
    events: Vec<Vec<u64>>,
    streams: Vec<Joined>,
    max_lag: usize,
    /// A stream asks for the newest message of its user, and the hub hears of all that is stored.
    asks_for_heads: bool,
}

impl World {
    fn new(config: HubConfig, with_backlog: bool) -> Self {
        let published = FakeBacklog::default();
        let (max_lag, asks_for_heads) = (config.max_lag, config.hears_all);
        let backlog = with_backlog.then(|| published.clone());
        let parts = HubParts {
            backlog: backlog.clone().map(|backlog| Arc::new(backlog) as Arc<_>),
            ..HubParts::default()
        };
        Self {
            hub: Hub::with_parts(config, parts),
            backlog,
            published,
            next_id: 0,
            events: (0..USERS).map(|_| Vec::new()).collect(),
            streams: Vec::new(),
            max_lag,
            asks_for_heads,
        }
    }

    async fn apply(&mut self, step: Step) {
        match step {
            Step::Join { user, token, since, room, events } => {
                let since = since.filter(|_| self.backlog.is_some());
                let after = since.map_or(self.next_id, |share| self.next_id * u64::from(share) / 256);
                let socket = FakeSocket::with_room(room);
                let since = since.map(|_| MessageId(after));
                let format = if token % 2 == 0 { Format::Text } else { Format::Binary };
                let user_id = UserId(user);
                let mut registration =
                    self.hub.register_in(format, user_id, &token.to_string(), since).unwrap();
                if self.asks_for_heads && registration.needs_head() {
                    let head = self.published.ids(user_id).last().copied();
                    registration.start_after(MessageId(head.unwrap_or(0)));
                }
                if events {
                    registration.ask_for_events(event_bytes(MISSED));
                }
                let first_event = events.then(|| self.of_user(user).len());
                let mut stream = registration.attach(socket.clone());
                let task = Some(tokio::spawn(async move { stream.ended().await }));
                self.streams.push(Joined {
                    user,
                    token,
                    after,
                    first_event,
                    socket,
                    task,
                    expected_end: None,
                });
            }
            Step::Leave(stream) if !self.streams.is_empty() => {
                let stream = stream % self.streams.len();
                let stream = &mut self.streams[stream];
                if let Some(task) = stream.task.take() {
                    task.abort();
                }
            }
            Step::Publish { user, count, padding } => {
                let ids = self.next_id + 1..=self.next_id + u64::from(count);
                self.next_id = *ids.end();
                let both = |id| {
                    let text = frame(id, padding);
                    let bytes = text.slice(Format::Text).to_vec();
                    text.with(Format::Binary, bytes)
                };
                // Some lack the second format, as if no stream had had it when they were encoded.
                let sent = |id| if id % 5 == 0 { frame(id, padding) } else { both(id) };
                for id in ids.clone() {
                    self.published.store(UserId(user), both(id));
                }
                let frames: Vec<_> = ids.map(sent).collect();
                self.hub.notify(UserId(user), &frames);
            }
            Step::Event { user } => {
                let newest = self.published.ids(UserId(user)).last().copied().unwrap_or(0);
                let events = &mut self.events[usize::try_from(user).unwrap()];
                let bytes = event_bytes(events.len() as u64);
                // Some lack the second format.
                let event = EventFrame::default().with(Format::Text, bytes.clone());
                let both = !events.len().is_multiple_of(5);
                events.push(newest);
                self.hub.notify_event(
                    UserId(user),
                    &if both { event.with(Format::Binary, bytes) } else { event },
                );
            }
            Step::Read { stream, bytes } if !self.streams.is_empty() => {
                self.streams[stream % self.streams.len()].socket.add_room(bytes);
            }
            Step::CloseToken { user, token } => {
                for stream in self.streams.iter_mut().filter(|s| s.user == user && s.token == token) {
                    stream.expected_end.get_or_insert(EndReason::TokenDeleted);
                }
                self.hub.close_token(UserId(user), &token.to_string());
            }
            Step::Run { turns } => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            }
            Step::Settle => tokio::time::sleep(Duration::from_millis(1)).await,
            Step::Leave(_) | Step::Read { .. } => {}
        }
    }

    fn of_user(&self, user: u64) -> &[u64] {
        &self.events[usize::try_from(user).unwrap()]
    }

    /// Events come in order, each after the messages before it; where some are left out, the peer is told so later, and
    /// after the same messages.
    fn check_events(&self, stream: &Joined, is_open: bool) {
        let seen = stream.socket.seen();
        let Some(mut next) = stream.first_event else {
            assert_eq!(seen.events, [], "it did not ask for events");
            return;
        };
        let events = self.of_user(stream.user);
        let messages = self.published.ids(UserId(stream.user));
        let count_up_to =
            |newest: u64| messages.iter().filter(|&&id| id > stream.after && id <= newest).count();
        let (mut last, mut was_told) = (None, false);
        for &(place, number) in &seen.events {
            if number == MISSED {
                was_told = true;
                continue;
            }
            let number = usize::try_from(number).unwrap();
            assert!(last.is_none_or(|last| number > last), "event {number} came again or late");
            // One that waited for a pass when the stream joined may come too.
            assert!(number <= next || was_told, "events {next}..{number} are missing");
            assert!(place >= count_up_to(events[number]), "event {number} came before a message");
            (last, next, was_told) = (Some(number), next.max(number + 1), false);
        }
        if is_open && next < events.len() {
            let told = seen.events.last().filter(|&&(_, number)| number == MISSED);
            let &(place, _) = told.expect("the peer is told of the events that it has missed");
            assert!(place >= count_up_to(events[events.len() - 1]), "it is told too early");
        }
    }

    /// Everybody reads everything; then what each stream saw is held against what there was.
    async fn check(mut self) {
        for stream in &self.streams {
            stream.socket.add_room(1 << 30);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        for stream in &self.streams {
            let is_open = stream.task.as_ref().is_some_and(|task| !task.is_finished())
                && stream.expected_end.is_none()
                && stream.socket.seen().close_code.is_none();
            self.check_events(stream, is_open);
        }
        let mut open = 0;
        for stream in &mut self.streams {
            let seen = stream.socket.seen();
            let mut expected = self.published.ids(UserId(stream.user));
            expected.retain(|&id| id > stream.after);
            let Some(task) = stream.task.take() else {
                assert!(expected.starts_with(&seen.ids), "saw {:?} of {expected:?}", seen.ids);
                continue;
            };
            if stream.expected_end.is_none() && seen.close_code.is_none() {
                assert_eq!(seen.ids, expected, "an open stream has seen everything, once, in order");
                assert!(!task.is_finished());
                open += 1;
                continue;
            }
            assert!(expected.starts_with(&seen.ids), "saw {:?} of {expected:?}", seen.ids);
            assert_eq!(seen.close_code, Some(1008));
            // Nobody answers the close frame: the sweep ends the stream.
            let end = task.await.expect("a stream's task does not panic");
            // No time passes in which a stream could stall. So it is too slow only if it missed more messages than it
            // may, or, without a backlog, any at all.
            let missed = expected.len() - seen.ids.len();
            let allowed = if self.backlog.is_some() { self.max_lag } else { 0 };
            let slow_is_fair = end == EndReason::SlowConsumer && missed > allowed;
            assert!(
                Some(end) == stream.expected_end || slow_is_fair,
                "ended as {end:?} having missed {missed} messages, {allowed} are allowed"
            );
        }
        assert_eq!(self.hub.stream_count(), open);
        assert_eq!(self.hub.stream_counts_by_shard().iter().sum::<usize>(), open);
        let by_user: usize = (0..USERS).map(|user| self.hub.stream_count_of(UserId(user))).sum();
        assert_eq!(by_user, open);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_stream_sees_every_id_once_in_order_or_is_closed(
        steps in vec(step(), 1..120),
        ring_messages in 0_usize..8,
        max_lag in prop_oneof![Just(10_000_usize), 5_usize..60],
        with_backlog in prop::bool::weighted(0.8),
        hears_all in any::<bool>(),
    ) {
        let config = HubConfig {
            shard_count: 2,
            ring_messages,
            ring_bytes_per_stream: 200,
            max_lag,
            hears_all,
            ..HubConfig::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut world = World::new(config, with_backlog);
            for step in steps {
                world.apply(step).await;
            }
            world.check().await;
        });
    }
}
