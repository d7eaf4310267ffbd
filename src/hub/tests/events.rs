//! Streams that ask for events that are no messages.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::timeout};

use super::fake::{FakeBacklog, FakeSocket, MISSED, event_bytes, frame};
use crate::hub::{
    ApplicationId, EndReason, EventFrame, Filter, Format, Hub, HubConfig, HubParts, MessageId, Registration,
    UserId,
};

const ALICE: UserId = UserId(1);
const BOB: UserId = UserId(2);
const PLENTY: usize = 1 << 20;

fn hub() -> (Hub, FakeBacklog) {
    hub_of(HubConfig::default())
}

fn hub_of(config: HubConfig) -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(config, parts), backlog)
}

fn register(hub: &Hub, user: UserId, since: Option<u64>) -> Registration {
    let mut registration = hub.register(user, "token", since.map(MessageId)).unwrap();
    registration.ask_for_events(event_bytes(MISSED));
    registration
}

fn attach(registration: Registration, room: usize) -> (FakeSocket, JoinHandle<EndReason>) {
    let socket = FakeSocket::with_room(room);
    let mut stream = registration.attach(socket.clone());
    (socket, tokio::spawn(async move { stream.ended().await }))
}

fn event(number: u64) -> EventFrame {
    EventFrame::default().with(Format::Text, event_bytes(number))
}

fn publish(hub: &Hub, backlog: &FakeBacklog, id: u64) {
    backlog.store(ALICE, frame(id, 0));
    hub.notify(ALICE, &[frame(id, 0)]);
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order_with_the_messages_to_streams_that_ask_for_them() {
    let (hub, backlog) = hub();
    let (asks, _asks) = attach(register(&hub, ALICE, None), PLENTY);
    let (other, _other) = attach(hub.register(ALICE, "token", None).unwrap(), PLENTY);
    let (foreign, _foreign) = attach(register(&hub, BOB, None), PLENTY);
    let mut registration = register(&hub, ALICE, None);
    registration.ask_for(Filter::default().with_applications([ApplicationId(9)]));
    let (events_alone, _events_alone) = attach(registration, PLENTY);

    hub.notify_event(ALICE, &event(0));
    settle().await;
    // One pass carries these.
    publish(&hub, &backlog, 1);
    hub.notify_event(ALICE, &event(1));
    hub.notify_event(ALICE, &event(2));
    publish(&hub, &backlog, 2);
    publish(&hub, &backlog, 3);
    hub.notify_event(ALICE, &event(3));
    settle().await;
    assert_eq!((asks.seen().ids, asks.writes()), (vec![1, 2, 3], 2));
    assert_eq!(asks.seen().events, [(0, 0), (1, 1), (1, 2), (3, 3)]);
    assert_eq!(events_alone.seen().events, [(0, 0), (0, 1), (0, 2), (0, 3)]);
    assert_eq!((other.seen().ids, other.seen().events, other.writes()), (vec![1, 2, 3], vec![], 1));
    assert_eq!(foreign.taken_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_behind_learns_once_that_it_has_missed_events() {
    let (hub, backlog) = hub();
    // A message is 11 bytes long, an event 10: the first event is half written.
    let (socket, _task) = attach(register(&hub, ALICE, None), 15);
    publish(&hub, &backlog, 1);
    for number in 0..3 {
        hub.notify_event(ALICE, &event(number));
    }
    settle().await;
    publish(&hub, &backlog, 2);
    hub.notify_event(ALICE, &event(3));
    settle().await;
    socket.add_room(PLENTY);
    settle().await;
    assert_eq!((socket.seen().ids, socket.seen().events), (vec![1, 2], vec![(1, 0), (2, MISSED)]));
    // It is live again.
    hub.notify_event(ALICE, &event(4));
    settle().await;
    assert_eq!(socket.seen().events, [(1, 0), (2, MISSED), (2, 4)]);
}

#[tokio::test(start_paused = true)]
async fn what_tells_of_missed_events_may_be_half_written_too() {
    let (hub, _) = hub();
    let (socket, _task) = attach(register(&hub, ALICE, None), 0);
    hub.notify_event(ALICE, &event(0));
    settle().await;
    socket.add_room(5);
    settle().await;
    // It may be that this one is not known to the peer yet.
    hub.notify_event(ALICE, &event(1));
    settle().await;
    socket.add_room(PLENTY);
    settle().await;
    assert_eq!(socket.seen().events, [(0, MISSED), (0, MISSED)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_comes_back_has_missed_what_happened_meanwhile() {
    let (hub, backlog) = hub();
    for id in 1..=3 {
        backlog.store(ALICE, frame(id, 0));
    }
    let (back, _back) = attach(register(&hub, ALICE, Some(1)), PLENTY);
    settle().await;
    assert_eq!((back.seen().ids, back.seen().events), (vec![2, 3], vec![(2, MISSED)]));

    // Between registration and socket it is as if the peer was behind.
    let registration = register(&hub, BOB, None);
    hub.notify_event(BOB, &event(0));
    settle().await;
    let (early, _early) = attach(registration, PLENTY);
    settle().await;
    assert_eq!(early.seen().events, [(0, MISSED)]);
}

#[tokio::test(start_paused = true)]
async fn too_many_events_at_once_are_missed_and_no_message_is() {
    for (count, bytes, fits) in [
        (HubConfig::INBOX_EVENTS, 10, true),
        (HubConfig::INBOX_EVENTS + 1, 10, false),
        (1, HubConfig::INBOX_EVENT_BYTES + 1, false),
    ] {
        let (hub, backlog) = hub();
        let (asks, _asks) = attach(register(&hub, ALICE, None), PLENTY);
        let (other, _other) = attach(hub.register(ALICE, "token", None).unwrap(), PLENTY);
        publish(&hub, &backlog, 1);
        for number in 0..count as u64 {
            let mut encoded = event_bytes(number);
            encoded.resize(bytes, b'.');
            hub.notify_event(ALICE, &EventFrame::default().with(Format::Text, encoded));
        }
        publish(&hub, &backlog, 2);
        settle().await;
        let expected =
            if fits { (0..count as u64).map(|number| (1, number)).collect() } else { vec![(2, MISSED)] };
        assert_eq!((asks.seen().ids, asks.seen().events), (vec![1, 2], expected));
        assert_eq!((other.seen().ids, other.writes()), (vec![1, 2], 1), "others notice nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_in_another_format_and_one_beside_missing_messages_are_missed() {
    let (hub, backlog) = hub();
    let mut registration = register(&hub, ALICE, None);
    registration.start_after(MessageId(0));
    let (socket, _task) = attach(registration, PLENTY);
    hub.notify_event(ALICE, &EventFrame::default().with_binary(b"x"));
    settle().await;
    assert_eq!(socket.seen().events, [(0, MISSED)]);

    for id in 1..=5 {
        backlog.store(ALICE, frame(id, 0));
    }
    hub.notify_after(ALICE, MessageId(4), &[frame(5, 0)]);
    hub.notify_event(ALICE, &event(0));
    settle().await;
    assert_eq!(
        (socket.seen().ids, socket.seen().events),
        (vec![1, 2, 3, 4, 5], vec![(0, MISSED), (5, MISSED)])
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_that_nobody_asks_for_is_not_kept_for_who_asks_later() {
    let (hub, backlog) = hub();
    let (other, _other) = attach(hub.register(ALICE, "token", None).unwrap(), PLENTY);
    hub.notify_event(ALICE, &event(0));
    let (asks, _asks) = attach(register(&hub, ALICE, None), PLENTY);
    publish(&hub, &backlog, 1);
    settle().await;
    hub.notify_event(ALICE, &event(1));
    settle().await;
    assert_eq!((asks.seen().ids, asks.seen().events), (vec![1], vec![(1, 1)]));
    assert_eq!((other.seen().ids, other.seen().events), (vec![1], vec![]));
}

#[tokio::test(start_paused = true)]
async fn events_are_wanted_as_long_as_a_stream_asks_for_them() {
    let (hub, _) = hub();
    let (_, other) = attach(hub.register(ALICE, "token", None).unwrap(), PLENTY);
    assert!(!hub.wants_events(ALICE));
    let mut registration = register(&hub, ALICE, None);
    registration.ask_for_events(event_bytes(MISSED));
    assert!(hub.wants_events(ALICE) && !hub.wants_events(BOB));
    drop(registration);
    assert!(!hub.wants_events(ALICE));
    hub.notify_event(ALICE, &event(0));
    settle().await;
    assert!(!other.is_finished());
}

#[tokio::test(start_paused = true)]
async fn events_that_were_lost_on_the_way_are_missed_by_all_who_ask_for_them() {
    let (hub, backlog) = hub();
    let (ann, _ann) = attach(register(&hub, ALICE, None), PLENTY);
    let (bob, _bob) = attach(register(&hub, BOB, None), PLENTY);
    let (other, _other) = attach(hub.register(ALICE, "token", None).unwrap(), PLENTY);
    publish(&hub, &backlog, 1);
    hub.miss_events();
    settle().await;
    hub.notify_event(ALICE, &event(0));
    settle().await;
    assert_eq!(ann.seen().events, [(1, MISSED), (1, 0)]);
    assert_eq!(bob.seen().events, [(0, MISSED)]);
    assert_eq!((other.seen().ids, other.seen().events, other.writes()), (vec![1], vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_missed_event_does_not_bring_messages_from_before_the_stream() {
    let (hub, backlog) = hub_of(HubConfig { ring_messages: 0, ..HubConfig::default() });
    backlog.store(ALICE, frame(1, 0));
    let socket = FakeSocket::default();
    let mut stream = register(&hub, ALICE, None).attach(socket.clone());
    hub.notify_event(ALICE, &event(0));
    settle().await;
    publish(&hub, &backlog, 2);
    settle().await;
    // Only now its task runs.
    socket.add_room(PLENTY);
    assert!(timeout(Duration::from_millis(1), stream.ended()).await.is_err());
    assert_eq!((socket.seen().ids, socket.seen().events), (vec![2], vec![(1, MISSED)]));
}

#[tokio::test(start_paused = true)]
async fn no_event_comes_before_a_peer_knows_that_it_has_missed_others() {
    let (hub, _) = hub();
    let socket = FakeSocket::default();
    let mut stream = register(&hub, ALICE, None).attach(socket.clone());
    hub.notify_event(ALICE, &event(0));
    settle().await;
    socket.add_room(PLENTY);
    hub.notify_event(ALICE, &event(1));
    settle().await;
    assert_eq!(socket.taken_bytes(), 0);
    assert!(timeout(Duration::from_millis(1), stream.ended()).await.is_err());
    assert_eq!(socket.seen().events, [(0, MISSED)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_no_events_is_a_slow_consumer() {
    let (hub, _) = hub();
    let (_socket, task) = attach(register(&hub, ALICE, None), 4);
    hub.notify_event(ALICE, &event(0));
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
}
