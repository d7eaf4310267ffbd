//! One behavior a test.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::sleep};

use super::fake::{FakeBacklog, FakeSocket, frame};
use crate::hub::{
    ConnectionId, EndReason, Format, Hub, HubConfig, HubParts, MessageId, Observer, RegisterError, UserId,
    connection::Connection, user::User,
};

const ALICE: UserId = UserId(1);
const BOB: UserId = UserId(2);
const PLENTY: usize = 1 << 20;

fn hub() -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(HubConfig { shard_count: 4, ..HubConfig::default() }, parts), backlog)
}

/// Registers a stream and drives it in a task that returns its end.
fn join(hub: &Hub, user: UserId, token: &str, socket: &FakeSocket) -> JoinHandle<EndReason> {
    let mut stream = hub.register(user, token, None).unwrap().attach(socket.clone());
    tokio::spawn(async move { stream.ended().await })
}

/// Lets every task run until nothing is left to do.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_reaches_every_stream_of_its_user_and_nobody_else() {
    let (hub, _) = hub();
    let sockets: Vec<_> = (0..3).map(|_| FakeSocket::with_room(PLENTY)).collect();
    let _tasks = [
        join(&hub, ALICE, "a", &sockets[0]),
        join(&hub, ALICE, "b", &sockets[1]),
        join(&hub, BOB, "c", &sockets[2]),
    ];
    hub.notify(ALICE, &[frame(1, 5), frame(2, 5)]);
    settle().await;
    assert_eq!(sockets[0].seen().ids, [1, 2]);
    assert_eq!(sockets[1].seen().ids, [1, 2]);
    assert!(sockets[2].seen().ids.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_stream_gets_its_own_format_and_reads_what_lacks_it_from_the_backlog() {
    let (hub, backlog) = hub();
    // In the second format the ids are 100 higher, so that they can be told apart.
    let both = |id| frame(id, 0).with(Format::Binary, frame(id + 100, 0).slice(Format::Text).to_vec());
    let (text, binary) = (FakeSocket::with_room(PLENTY), FakeSocket::with_room(PLENTY));
    let _text = join(&hub, ALICE, "a", &text);
    assert!(!hub.formats(ALICE).contains(Format::Binary));
    let mut stream = hub.register_in(Format::Binary, ALICE, "b", None).unwrap().attach(binary.clone());
    let second = tokio::spawn(async move { stream.ended().await });
    assert!(hub.formats(ALICE).contains(Format::Text) && hub.formats(ALICE).contains(Format::Binary));
    hub.notify(ALICE, &[both(1), both(2)]);
    settle().await;
    assert_eq!((text.seen().ids, binary.seen().ids), (vec![1, 2], vec![101, 102]));

    // As if it had been encoded before the second stream came.
    backlog.store(ALICE, both(3));
    hub.notify(ALICE, &[frame(3, 0)]);
    settle().await;
    hub.notify(ALICE, &[both(4)]);
    settle().await;
    assert_eq!((text.seen().ids, binary.seen().ids), (vec![1, 2, 3, 4], vec![101, 102, 103, 104]));
    second.abort();
    settle().await;
    assert!(!hub.formats(ALICE).contains(Format::Binary));
}

#[tokio::test(start_paused = true)]
async fn what_is_published_between_registration_and_socket_is_not_missed() {
    let (hub, backlog) = hub();
    let registration = hub.register(ALICE, "a", None).unwrap();
    for id in 5..40 {
        backlog.store(ALICE, frame(id, 0));
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = registration.attach(socket.clone());
    tokio::spawn(async move { stream.ended().await });
    settle().await;
    assert_eq!(socket.seen().ids, (5..40).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_burst_costs_a_stream_one_write() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let _task = join(&hub, ALICE, "a", &socket);
    for id in 1..=100 {
        hub.notify(ALICE, &[frame(id, 9)]);
    }
    settle().await;
    assert_eq!(socket.seen().ids.len(), 100);
    assert_eq!(socket.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_bytes_one_by_one_gets_everything_in_order() {
    let (hub, backlog) = hub();
    let socket = FakeSocket::with_room(0);
    let _task = join(&hub, ALICE, "a", &socket);
    let ids: Vec<u64> = (1..=30).collect();
    for &id in &ids {
        backlog.store(ALICE, frame(id, 3));
        hub.notify(ALICE, &[frame(id, 3)]);
        settle().await;
    }
    for _ in 0..30 * 14 {
        socket.add_room(1);
        settle().await;
    }
    assert_eq!(socket.seen().ids, ids);
}

#[tokio::test(start_paused = true)]
async fn since_brings_all_stored_messages_and_goes_live_without_gap_or_duplicate() {
    let (hub, backlog) = hub();
    for id in 1..=500 {
        backlog.store(ALICE, frame(id, 1));
    }
    let socket = FakeSocket::with_room(100);
    let mut stream = hub.register(ALICE, "a", Some(MessageId(200))).unwrap().attach(socket.clone());
    tokio::spawn(async move { stream.ended().await });
    for id in 501..=800 {
        backlog.store(ALICE, frame(id, 1));
        hub.notify(ALICE, &[frame(id, 1)]);
        socket.add_room(25);
        tokio::task::yield_now().await;
    }
    socket.add_room(PLENTY);
    settle().await;
    assert_eq!(socket.seen().ids, (201..=800).collect::<Vec<_>>());
    let writes = socket.writes();
    hub.notify(ALICE, &[frame(801, 1)]);
    settle().await;
    assert_eq!(socket.seen().ids.last(), Some(&801));
    assert_eq!(socket.writes(), writes + 1, "it is live: the pass itself writes");
}

#[tokio::test(start_paused = true)]
async fn messages_deleted_from_the_backlog_do_not_hold_a_stream_up() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(0);
    let _task = join(&hub, ALICE, "a", &socket);
    // Too many for the ring, and the backlog has none of them.
    for id in 1..=30 {
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    socket.add_room(PLENTY);
    settle().await;
    hub.notify(ALICE, &[frame(31, 0)]);
    settle().await;
    assert_eq!(socket.seen().ids.last(), Some(&31));
}

#[tokio::test(start_paused = true)]
async fn more_than_waits_for_a_pass_is_read_from_the_backlog() {
    let (hub, backlog) = hub();
    let socket = FakeSocket::with_room(usize::MAX);
    let _task = join(&hub, ALICE, "a", &socket);
    let frames: Vec<_> = (1..=5000).map(|id| frame(id, 0)).collect();
    for frame in &frames {
        backlog.store(ALICE, frame.clone());
    }
    hub.notify(ALICE, &frames);
    settle().await;
    assert_eq!(socket.seen().ids, (1..=5000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_progress_is_closed_as_a_slow_consumer() {
    let (hub, _) = hub();
    let (stuck, reading) = (FakeSocket::with_room(8), FakeSocket::with_room(PLENTY));
    let task = join(&hub, ALICE, "a", &stuck);
    let _other = join(&hub, ALICE, "b", &reading);
    hub.notify(ALICE, &[frame(1, 20)]);
    sleep(Duration::from_secs(9)).await;
    assert!(!task.is_finished());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
    assert_eq!(hub.end_counts(), [(EndReason::SlowConsumer, 1)]);
    assert_eq!((hub.stream_count(), reading.seen().ids.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_that_reads_again_in_time_gets_the_rest_and_the_close_frame() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(8);
    let task = join(&hub, ALICE, "a", &socket);
    hub.notify(ALICE, &[frame(1, 20)]);
    sleep(Duration::from_millis(11_500)).await;
    socket.add_room(PLENTY);
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
    let seen = socket.seen();
    assert_eq!((seen.ids, seen.close_code), (vec![1], Some(1008)));
}

#[tokio::test(start_paused = true)]
async fn a_stream_too_many_messages_behind_is_closed() {
    let config = HubConfig { max_lag: 100, ..HubConfig::default() };
    let backlog = FakeBacklog::default();
    let hub =
        Hub::with_parts(config, HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() });
    let socket = FakeSocket::with_room(1);
    let task = join(&hub, ALICE, "a", &socket);
    for id in 1..=110 {
        backlog.store(ALICE, frame(id, 0));
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
        assert!(hub.end_counts().is_empty());
        if id <= 100 {
            assert!(!task.is_finished());
        }
    }
    sleep(Duration::from_secs(3)).await;
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
}

#[tokio::test(start_paused = true)]
async fn pings_come_about_every_period_and_a_missing_pong_closes() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let task = join(&hub, ALICE, "a", &socket);
    sleep(Duration::from_secs(46)).await;
    assert_eq!(socket.seen().pings, 1);
    sleep(Duration::from_secs(12)).await;
    assert!(!task.is_finished());
    sleep(Duration::from_secs(6)).await;
    assert_eq!(task.await.unwrap(), EndReason::NoPong);
    assert_eq!(socket.seen().close_code, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_answers_pings_stays() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    for _ in 0..20 {
        assert!(tokio::time::timeout(Duration::from_secs(30), stream.ended()).await.is_err());
        stream.on_pong();
    }
    let pings = socket.seen().pings;
    assert!((12..=14).contains(&pings), "{pings} pings in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn closing_a_token_closes_its_streams_alone() {
    let (hub, _) = hub();
    let sockets: Vec<_> = (0..4).map(|_| FakeSocket::with_room(PLENTY)).collect();
    let first = join(&hub, ALICE, "a", &sockets[0]);
    let second = join(&hub, ALICE, "a", &sockets[1]);
    let other_token = join(&hub, ALICE, "b", &sockets[2]);
    let other_user = join(&hub, BOB, "a", &sockets[3]);
    assert_eq!(hub.close_token(ALICE, "a"), 2);
    assert_eq!(
        (first.await.unwrap(), second.await.unwrap()),
        (EndReason::TokenDeleted, EndReason::TokenDeleted)
    );
    assert_eq!(sockets[0].seen().close_code, Some(1008));
    assert_eq!(hub.close_user(ALICE), 1);
    assert_eq!(other_token.await.unwrap(), EndReason::UserDeleted);
    assert!(!other_user.is_finished());
    assert_eq!((hub.stream_count(), hub.user_count()), (1, 1));
    assert_eq!(hub.stream_counts_by_shard().iter().sum::<usize>(), 1);
}

#[tokio::test(start_paused = true)]
async fn closing_all_admits_nobody_and_counts_who_is_left_at_the_deadline() {
    let (hub, _) = hub();
    let (reading, stuck) = (FakeSocket::with_room(PLENTY), FakeSocket::with_room(0));
    let task = join(&hub, ALICE, "a", &reading);
    // Nobody drives this one.
    let forgotten = hub.register(BOB, "b", None).unwrap().attach(stuck);
    let left = hub.close_all(Duration::from_millis(100), Duration::from_secs(5)).await;
    assert_eq!(left, 1);
    assert_eq!(task.await.unwrap(), EndReason::Shutdown);
    assert_eq!(reading.seen().close_code, Some(1012));
    assert_eq!(hub.register(ALICE, "a", None).unwrap_err(), RegisterError::Draining);
    drop(forgotten);
    assert_eq!(hub.close_all(Duration::ZERO, Duration::from_secs(5)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn closing_all_is_spread_over_the_window_also_under_one_token() {
    let (hub, _) = hub();
    let sockets: Vec<_> = (0..100).map(|_| FakeSocket::with_room(PLENTY)).collect();
    for socket in &sockets {
        let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
    }
    let closing = tokio::spawn({
        let hub = hub.clone();
        async move { hub.close_all(Duration::from_secs(4), Duration::from_secs(10)).await }
    });
    sleep(Duration::from_millis(1500)).await;
    let closed = sockets.iter().filter(|socket| socket.seen().close_code == Some(1012)).count();
    assert!((32..=64).contains(&closed), "{closed} of 100 are closed after three eighths of the window");
    assert_eq!(closing.await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_backlog_a_stream_further_behind_than_the_ring_is_closed() {
    let hub = Hub::new(HubConfig::default());
    let (near, far) = (FakeSocket::with_room(1), FakeSocket::with_room(1));
    let _near = join(&hub, ALICE, "a", &near);
    for id in 1..=8 {
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    near.add_room(PLENTY);
    settle().await;
    assert_eq!(near.seen().ids, (1..=8).collect::<Vec<_>>());
    let task = join(&hub, ALICE, "b", &far);
    for id in 9..=40 {
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    far.add_room(PLENTY);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(task.await.unwrap(), EndReason::SlowConsumer);
}

#[tokio::test(start_paused = true)]
async fn a_reply_goes_out_between_frames_and_a_peer_that_never_reads_is_closed() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(15);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    hub.notify(ALICE, &[frame(1, 20)]);
    settle().await;
    stream.reply(&[0x89, 0]);
    assert!(!stream.has_replied());
    socket.add_room(PLENTY);
    assert!(tokio::time::timeout(Duration::from_secs(1), stream.ended()).await.is_err());
    let seen = socket.seen();
    assert!(stream.has_replied());
    assert_eq!((seen.ids, seen.pings), (vec![1], 1));

    let never_reads = FakeSocket::with_room(0);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(never_reads);
    stream.reply(&[0x89, 0]);
    assert_eq!(stream.ended().await, EndReason::SlowConsumer);
}

#[tokio::test(start_paused = true)]
async fn a_peers_close_is_answered_once_and_then_it_is_for_the_peer_to_hang_up() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    stream.on_peer_close(Some(1001));
    stream.on_peer_close(Some(1002));
    assert!(tokio::time::timeout(Duration::from_millis(1), stream.ended()).await.is_err());
    assert_eq!((socket.seen().close_code, socket.is_shut()), (Some(1001), true));
    stream.on_peer_gone();
    assert_eq!(stream.ended().await, EndReason::PeerClosed(Some(1001)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_broke_the_protocol_is_told_why_and_that_nothing_more_comes() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    stream.close(EndReason::ProtocolError);
    // Without a word from the peer it ends all the same.
    assert_eq!(stream.ended().await, EndReason::ProtocolError);
    assert_eq!((socket.seen().close_code, socket.is_shut()), (Some(1002), true));
}

#[tokio::test(start_paused = true)]
async fn a_close_of_the_servers_own_waits_for_the_answer() {
    let (hub, _) = hub();
    let socket = FakeSocket::with_room(PLENTY);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    stream.close(EndReason::Internal);
    assert!(tokio::time::timeout(Duration::from_millis(1), stream.ended()).await.is_err());
    assert_eq!((socket.seen().close_code, socket.is_shut()), (Some(1011), false));
    stream.on_peer_close(Some(1011));
    assert_eq!(stream.ended().await, EndReason::Internal);
}

#[derive(Default)]
struct Record(Mutex<Vec<(ConnectionId, Option<EndReason>)>>);

impl Observer for Record {
    fn on_register(&self, _: UserId, connection: ConnectionId) {
        self.0.lock().push((connection, None));
    }

    fn on_end(&self, _: UserId, connection: ConnectionId, reason: EndReason) {
        self.0.lock().push((connection, Some(reason)));
    }
}

#[tokio::test(start_paused = true)]
async fn each_registration_ends_exactly_once() {
    let record = Arc::new(Record::default());
    let hub = Hub::with_parts(
        HubConfig::default(),
        HubParts { observer: Some(Arc::clone(&record) as Arc<dyn Observer>), ..HubParts::default() },
    );
    let given_up = hub.register(ALICE, "a", None).unwrap();
    let first = given_up.id();
    drop(given_up);
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(FakeSocket::with_room(PLENTY));
    let second = stream.id();
    stream.on_peer_close(Some(1000));
    assert_eq!(stream.ended().await, EndReason::PeerClosed(Some(1000)));
    stream.close(EndReason::Internal);
    drop(stream);
    assert_eq!(
        *record.0.lock(),
        [
            (first, None),
            (first, Some(EndReason::Dropped)),
            (second, None),
            (second, Some(EndReason::PeerClosed(Some(1000)))),
        ]
    );
}

/// An idle stream is little more than this.
#[test]
fn what_the_hub_holds_for_a_stream_is_small() {
    let (stream, user) = (size_of::<Connection>(), size_of::<User>());
    assert!(stream <= 208, "a stream has {stream} bytes");
    assert!(user <= 80, "a user has {user} bytes");
}
