//! How streams begin, are kept alive and end, by their framing.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::fake::{FakeBacklog, FakeSocket};
use crate::hub::{
    ApplicationId, EndReason, Filter, Format, Frame, Framing, Hub, HubConfig, HubParts, MessageId,
    Registration, Stream, UserId,
};

const ALICE: UserId = UserId(1);

static EVENTS: Framing = Framing::EVENT_STREAM;

fn event(id: u64) -> Frame {
    Frame::unencoded(MessageId(id)).with_event(b"{}")
}

fn hub() -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(HubConfig::default(), parts), backlog)
}

fn open(hub: &Hub, since: Option<u64>, socket: &FakeSocket) -> Stream {
    let registration = hub.register_in(Format::Event, ALICE, "a", since.map(MessageId)).unwrap();
    registration.attach_framed(Box::new(socket.clone()), &EVENTS)
}

async fn stays_open(stream: &mut Stream, time: Duration) {
    let ended = timeout(time, stream.ended()).await;
    assert!(ended.is_err(), "ended as {ended:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_begins_with_its_position_and_ends_with_its_reason() {
    let (hub, backlog) = hub();
    backlog.store(ALICE, event(7));
    let socket = FakeSocket::with_room(1000);
    let mut stream = open(&hub, Some(6), &socket);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    hub.notify(ALICE, &[event(9)]);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    hub.close_token(ALICE, "a");
    // Nobody is waited for: it has ended as soon as its end is out.
    assert_eq!(timeout(Duration::from_millis(1), stream.ended()).await, Ok(EndReason::TokenDeleted));
    let expected =
        "id: 6\n\nid: 7\ndata: {}\n\nid: 9\ndata: {}\n\nevent: end\ndata: token deleted\n\n".as_bytes();
    assert_eq!((&*socket.written(), socket.is_shut()), (expected, true));
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_of_no_known_position_begins_with_a_comment_and_needs_no_pongs() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(1000);
    let mut stream = open(&hub, None, &socket);
    stays_open(&mut stream, Duration::from_millis(1)).await;
    assert_eq!(&*socket.written(), b":\n\n");
    stays_open(&mut stream, Duration::from_mins(4)).await;
    assert_eq!(&*socket.written(), b":\n\n".repeat(6));
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_of_a_user_without_messages_begins_with_the_position_0() {
    let (hub, backlog) = hub();
    let begin = async |registration: Registration| {
        let socket = FakeSocket::with_room(1000);
        let mut stream = registration.attach_framed(Box::new(socket.clone()), &EVENTS);
        stays_open(&mut stream, Duration::from_millis(1)).await;
        (stream, socket)
    };
    let mut first = hub.register_in(Format::Event, ALICE, "a", None).unwrap();
    // It is not known yet what the user had. Whoever never asks the store learns nothing by another stream either.
    let unasked = hub.register_in(Format::Event, ALICE, "a", None).unwrap();
    assert!(first.needs_head() && unasked.needs_head());
    first.start_after(MessageId(0));
    let second = hub.register_in(Format::Event, ALICE, "a", None).unwrap();
    assert!(!second.needs_head());
    for (registration, opening) in [(unasked, ":\n\n"), (second, "id: 0\n\n"), (first, "id: 0\n\n")] {
        let (_, socket) = begin(registration).await;
        assert_eq!(&*socket.written(), opening.as_bytes());
    }
    // What came while the client was away comes when it goes on from there.
    backlog.store(ALICE, event(7));
    let mut again = hub.register_in(Format::Event, ALICE, "a", Some(MessageId(0))).unwrap();
    again.start_after(MessageId(7));
    let (_, socket) = begin(again).await;
    assert_eq!(&*socket.written(), b"id: 0\n\nid: 7\ndata: {}\n\n");
}

#[tokio::test(start_paused = true)]
async fn the_position_of_an_event_stream_moves_with_what_its_filter_leaves_out() {
    let (hub, backlog) = hub();
    let urgent = |id: u64| event(id).with_subject(ApplicationId(1), 9);
    backlog.store(ALICE, urgent(1));
    backlog.store(ALICE, event(2));
    let socket = FakeSocket::with_room(1000);
    let mut registration = hub.register_in(Format::Event, ALICE, "a", Some(MessageId(0))).unwrap();
    registration.ask_for(Filter::default().with_min_priority(5));
    registration.start_after(MessageId(2));
    let mut stream = registration.attach_framed(Box::new(socket.clone()), &EVENTS);
    stays_open(&mut stream, Duration::from_secs(46)).await;
    hub.notify(ALICE, &[urgent(3), event(4)]);
    hub.notify(ALICE, &[event(5)]);
    stays_open(&mut stream, Duration::from_secs(46)).await;
    let expected = "id: 0\n\nid: 1\ndata: {}\n\n:\nid: 2\n\nid: 3\ndata: {}\n\n:\nid: 5\n\n";
    assert_eq!(String::from_utf8(socket.written()).unwrap(), expected);

    // A message that is half written when a ping is due goes out before it.
    socket.take_room();
    socket.add_room(4);
    hub.notify(ALICE, &[urgent(6)]);
    for _ in 0..10 {
        stays_open(&mut stream, Duration::from_secs(5)).await;
        socket.add_room(1);
    }
    socket.add_room(1000);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    let written = String::from_utf8(socket.written()).unwrap();
    assert_eq!(&written[expected.len()..], "id: 6\ndata: {}\n\n:\nid: 6\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_closed_before_it_has_a_socket_still_says_why() {
    let (hub, _) = hub();
    for (framing, end) in [
        (&EVENTS, &b"event: end\ndata: token deleted\n\n"[..]),
        (&Framing::WEBSOCKET, b"\x88\x0f\x03\xf0token deleted"),
    ] {
        let registration = hub.register_in(Format::Event, ALICE, "a", None).unwrap();
        hub.close_token(ALICE, "a");
        let socket = FakeSocket::with_room(1000);
        let mut stream = registration.attach_framed(Box::new(socket.clone()), framing);
        assert_eq!(stream.ended().await, EndReason::TokenDeleted);
        assert_eq!(&*socket.written(), end);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pong_acknowledges_what_was_written_before_its_ping_and_nothing_else() {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    let config = HubConfig { stall_timeout: Duration::from_mins(5), ..HubConfig::default() };
    let hub = Hub::with_parts(config, parts);
    backlog.store(ALICE, event(7));
    // Takes the first message, and no ping after it.
    let socket = FakeSocket::with_room("id: 7\ndata: {}\n\n".len());
    let mut registration = hub.register_in(Format::Event, ALICE, "a", Some(MessageId(6))).unwrap();
    registration.ask_for_ids_in_pings();
    assert_eq!(registration.begins_after(), MessageId(6));
    let mut stream = registration.attach(socket.clone());
    stays_open(&mut stream, Duration::from_secs(1)).await;
    for early in ["7", "6"] {
        assert_eq!(stream.on_pong_with(early.as_bytes()), None, "no ping has carried {early}");
    }
    stays_open(&mut stream, Duration::from_secs(45)).await;
    hub.notify(ALICE, &[event(9)]);
    socket.add_room(1000);
    stays_open(&mut stream, Duration::from_secs(1)).await;
    let expected = b"id: 7\ndata: {}\n\n\x89\x017id: 9\ndata: {}\n\n";
    assert_eq!(*socket.written(), expected[..], "the ping carries what was written before it");
    for wrong in ["9", "", "x", "-1", "18446744073709551616"] {
        assert_eq!(stream.on_pong_with(wrong.as_bytes()), None, "{wrong}");
    }
    assert_eq!(stream.on_pong_with(b"7"), Some(MessageId(7)));
    assert_eq!(stream.on_pong_with(b"7"), None, "it is no news");
    stays_open(&mut stream, Duration::from_secs(45)).await;
    assert_eq!(stream.on_pong_with(b"9"), Some(MessageId(9)));
    assert_eq!(stream.on_pong_with(b"7"), None, "a late pong takes nothing back");
}

#[tokio::test(start_paused = true)]
async fn pongs_acknowledge_nothing_on_a_stream_that_did_not_ask_for_ids() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(1000);
    let mut stream = hub.register_in(Format::Event, ALICE, "a", None).unwrap().attach(socket.clone());
    hub.notify(ALICE, &[event(9)]);
    stays_open(&mut stream, Duration::from_secs(46)).await;
    assert_eq!(*socket.written(), b"id: 9\ndata: {}\n\n\x89\x00"[..]);
    assert_eq!(stream.on_pong_with(b"9"), None);
}
