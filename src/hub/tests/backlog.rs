//! A backlog that is slow, silent or wrong: never the peer's fault.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::fake::{FakeBacklog, FakeSocket, Mood, frame};
use crate::hub::{EndReason, Hub, HubConfig, HubParts, MessageId, Stream, UserId};

const ALICE: UserId = UserId(1);

/// A stream that came for old messages, while the backlog does not answer.
fn waiting(config: HubConfig) -> (Hub, FakeBacklog, FakeSocket, Stream) {
    let backlog = FakeBacklog::default();
    for id in 1..=10 {
        backlog.store(ALICE, frame(id, 0));
    }
    backlog.set_mood(Mood::Hanging);
    let hub =
        Hub::with_parts(config, HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() });
    let socket = FakeSocket::with_room(1 << 20);
    let stream = hub.register(ALICE, "a", Some(MessageId(0))).unwrap().attach(socket.clone());
    (hub, backlog, socket, stream)
}

async fn stays_open(stream: &mut Stream, time: Duration) {
    let ended = timeout(time, stream.ended()).await;
    assert!(ended.is_err(), "ended as {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn replies_go_out_while_a_stream_waits_for_the_backlog() {
    let (_hub, _backlog, socket, mut stream) = waiting(HubConfig::default());
    stays_open(&mut stream, Duration::from_millis(1)).await;
    stream.reply(&[0x89, 0]);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    assert_eq!((stream.has_replied(), socket.seen().pings), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_backlog_does_not_make_a_slow_consumer() {
    let (_hub, backlog, socket, mut stream) = waiting(HubConfig::default());
    // Its peer pings it every 5 seconds. The reply is there when the sweep comes by, before the stream's task does.
    for _ in 0..8 {
        stays_open(&mut stream, Duration::from_secs(5)).await;
        stream.reply(&[0x89, 0]);
        sleep(Duration::from_secs(1)).await;
        stream.on_pong();
        stays_open(&mut stream, Duration::from_millis(1)).await;
    }
    backlog.set_mood(Mood::Well);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    assert_eq!(socket.seen().ids, (1..=10).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_is_published_while_the_backlog_is_slow_does_not_count_as_lag() {
    let (hub, backlog, socket, mut stream) = waiting(HubConfig { max_lag: 100, ..HubConfig::default() });
    backlog.set_mood(Mood::Well);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    // It falls behind, asks the backlog for what the ring no longer holds, and gets no answer for a while.
    backlog.set_mood(Mood::Hanging);
    socket.take_room();
    let publish = |ids: std::ops::RangeInclusive<u64>| {
        for id in ids {
            backlog.store(ALICE, frame(id, 0));
            hub.notify(ALICE, &[frame(id, 0)]);
        }
    };
    publish(11..=12);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    publish(13..=40);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    socket.add_room(1 << 20);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    for id in 41..=300 {
        publish(id..=id);
        stays_open(&mut stream, Duration::from_millis(1)).await;
    }
    backlog.set_mood(Mood::Well);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    publish(301..=301);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    assert_eq!(socket.seen().ids, (1..=301).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_the_backlog_fails_says_so() {
    for (mood, reason, code) in [
        (Mood::Hanging, EndReason::BacklogUnavailable, 1013),
        (Mood::Failing, EndReason::BacklogUnavailable, 1013),
        (Mood::Panicking, EndReason::Internal, 1011),
    ] {
        let (hub, backlog, socket, mut stream) = waiting(HubConfig::default());
        backlog.set_mood(mood);
        let task = tokio::spawn(async move { stream.ended().await });
        let ended = timeout(Duration::from_secs(100), task).await.expect("the stream ends");
        assert_eq!((ended.unwrap(), socket.seen().close_code), (reason, Some(code)), "{mood:?}");
        assert_eq!(hub.end_counts(), [(reason, 1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_for_the_backlog_can_be_closed() {
    let (hub, _backlog, socket, mut stream) = waiting(HubConfig::default());
    stays_open(&mut stream, Duration::from_secs(1)).await;
    hub.close_token(ALICE, "a");
    stays_open(&mut stream, Duration::from_millis(1)).await;
    assert_eq!(socket.seen().close_code, Some(1008));
    stream.on_peer_close(Some(1008));
    assert_eq!(stream.ended().await, EndReason::TokenDeleted);
}

/// A hub whose user has ten messages and a stream that has them all.
struct ComingBack {
    hub: Hub,
    backlog: FakeBacklog,
    sockets: Vec<FakeSocket>,
}

impl ComingBack {
    async fn new(config: HubConfig) -> Self {
        let backlog = FakeBacklog::default();
        (1..=10).for_each(|id| backlog.store(ALICE, frame(id, 0)));
        let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
        let mut world = Self { hub: Hub::with_parts(config, parts), backlog, sockets: Vec::new() };
        world.come(10).await;
        world
    }

    /// Opens a stream for what is after this message; returns what it gets, and how often the backlog was read so far.
    async fn come(&mut self, since: u64) -> (Vec<u64>, usize) {
        let socket = FakeSocket::with_room(1 << 20);
        let mut registration = self.hub.register(ALICE, "a", Some(MessageId(since))).unwrap();
        if registration.needs_head() {
            registration.start_after(MessageId(10));
        }
        let mut stream = registration.attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
        sleep(Duration::from_millis(1)).await;
        self.sockets.push(socket.clone());
        (socket.seen().ids, self.backlog.reads())
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_come_back_one_after_the_other_share_what_was_read_for_a_while() {
    let config = HubConfig { ring_messages: 0, ..HubConfig::default() };
    let mut world = ComingBack::new(config.with_hears_all(true)).await;
    let all: Vec<_> = (1..=10).collect();
    for _ in 0..3 {
        assert_eq!(world.come(0).await, (all.clone(), 1));
    }
    assert_eq!(world.come(4).await, (all[4..].to_vec(), 1));
    // A second piece does not keep the first one.
    sleep(Duration::from_millis(1500)).await;
    world.backlog.store(ALICE, frame(11, 0));
    world.hub.notify(ALICE, &[frame(11, 0)]);
    assert_eq!(world.come(10).await, (vec![11], 2));
    sleep(Duration::from_millis(1600)).await;
    assert_eq!(world.come(0).await, ((1..=11).collect(), 3), "it is not kept for ever");
}

#[tokio::test(start_paused = true)]
async fn what_another_node_has_stored_comes_though_others_have_read_before() {
    let mut world = ComingBack::new(HubConfig::default()).await;
    let all: Vec<_> = (1..=10).collect();
    assert_eq!(world.come(0).await.0, all);
    // Nobody has told the hub.
    world.backlog.store(ALICE, frame(11, 0));
    assert_eq!(world.come(0).await.0, (1..=11).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_comes_while_the_last_one_goes_asks_where_it_begins() {
    let (hub, user) = (Hub::new(HubConfig::default()), ALICE);
    let mut first = hub.register(user, "a", Some(MessageId(10))).unwrap();
    first.start_after(MessageId(10));
    let entry = Arc::clone(&hub.0.shared.users.get(&user).unwrap());
    // It is still in the list of users while its last stream leaves.
    drop(first);
    let (_, needs_head) = entry.join(Some(MessageId(10)), |newest| {
        crate::hub::connection::Connection::new(
            crate::hub::ConnectionId(9),
            Arc::clone(&entry),
            "a",
            crate::hub::Format::Text,
            newest,
            Some(MessageId(10)),
        )
    });
    assert!(needs_head);
}

#[tokio::test(start_paused = true)]
async fn without_a_backlog_a_stream_may_come_back_that_has_all_that_the_ring_lacks() {
    let hub = Hub::new(HubConfig::default());
    let mut registration = hub.register(ALICE, "a", Some(MessageId(10))).unwrap();
    registration.start_after(MessageId(10));
    let socket = FakeSocket::with_room(1 << 20);
    let mut stream = registration.attach(socket.clone());
    tokio::spawn(async move { stream.ended().await });
    hub.notify_after(ALICE, MessageId(10), &[frame(11, 0)]);
    sleep(Duration::from_millis(1)).await;
    assert_eq!((socket.seen().ids, socket.seen().close_code), (vec![11], None));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_a_backlog_that_has_changed() {
    let mut world = ComingBack::new(HubConfig::default().with_hears_all(true)).await;
    assert_eq!(world.come(0).await.1, 1);
    world.hub.forget_backlog(ALICE);
    assert_eq!(world.come(0).await.1, 2);
    world.hub.miss_events();
    assert_eq!(world.come(0).await.1, 3);
    // While it is read.
    sleep(Duration::from_secs(4)).await;
    world.backlog.set_mood(Mood::Hanging);
    assert_eq!(world.come(0).await, (vec![], 4));
    world.hub.forget_backlog(ALICE);
    world.backlog.set_mood(Mood::Well);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(world.come(0).await.1, 5);
}

#[tokio::test(start_paused = true)]
async fn who_has_everything_reads_nothing_only_where_the_hub_hears_of_all_that_is_stored() {
    for (hears_all, reads) in [(true, 0), (false, 2)] {
        let mut world = ComingBack::new(HubConfig::default().with_hears_all(hears_all)).await;
        assert_eq!(world.come(10).await, (vec![], reads));
        world.backlog.store(ALICE, frame(11, 0));
        world.hub.notify(ALICE, &[frame(11, 0)]);
        sleep(Duration::from_millis(1)).await;
        let seen: Vec<_> = world.sockets.iter().map(|socket| socket.seen().ids).collect();
        assert_eq!(seen, [[11], [11]]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_came_back_and_went_live_is_closed_once_it_is_too_far_behind() {
    let config = HubConfig { max_lag: 100, ..HubConfig::default() };
    let mut world = ComingBack::new(config.with_hears_all(true)).await;
    world.come(10).await;
    let slow = world.sockets.pop().unwrap();
    slow.take_room();
    for id in 11..300 {
        world.backlog.store(ALICE, frame(id, 0));
        world.hub.notify(ALICE, &[frame(id, 0)]);
        tokio::task::yield_now().await;
        // It takes a little now and then.
        slow.add_room(usize::from(id % 50 == 0));
    }
    slow.add_room(1 << 20);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(slow.seen().close_code, Some(1008));
}
