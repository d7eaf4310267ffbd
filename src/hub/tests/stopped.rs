//! A process that was stopped for a while, and goes on.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinHandle,
    time::{advance, sleep},
};

use super::fake::{FakeBacklog, FakeSocket, Mood, frame};
use crate::hub::{EndReason, Hub, HubConfig, HubParts, MessageId, UserId};

const ALICE: UserId = UserId(1);
const PLENTY: usize = 1 << 20;

fn hub(config: HubConfig) -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(config, parts), backlog)
}

fn join(hub: &Hub, since: Option<u64>, socket: &FakeSocket) -> JoinHandle<EndReason> {
    let mut stream = hub.register(ALICE, "a", since.map(MessageId)).unwrap().attach(socket.clone());
    tokio::spawn(async move { stream.ended().await })
}

/// The clock goes on, and no task has run meanwhile.
async fn stop(time: Duration) {
    advance(time).await;
    sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_count_against_those_who_answer_pings() {
    let (hub, _) = hub(HubConfig::default());
    let sockets = [FakeSocket::with_room(PLENTY), FakeSocket::with_room(PLENTY)];
    let streams = sockets.each_ref().map(|socket| join(&hub, None, socket));
    sleep(Duration::from_secs(9)).await;
    stop(Duration::from_mins(5)).await;
    assert!(streams.iter().all(|stream| !stream.is_finished()), "{:?}", hub.end_counts());
    let is_pinged = |socket: &FakeSocket| socket.seen().pings > 0;
    assert!(sockets.iter().all(is_pinged), "what lies between may have waited for one");
    // From here on it counts.
    sleep(Duration::from_mins(1)).await;
    assert_eq!(hub.end_counts(), [(EndReason::NoPong, 2)]);
    assert_eq!(sockets[0].seen().close_code, Some(1008));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_make_a_slow_consumer() {
    let (hub, _) = hub(HubConfig::default());
    let stuck = FakeSocket::with_room(3);
    let stream = join(&hub, None, &stuck);
    hub.notify(ALICE, &[frame(1, 0)]);
    sleep(Duration::from_secs(2)).await;
    stop(Duration::from_mins(5)).await;
    assert!(!stream.is_finished() && stuck.seen().close_code.is_none());
    stuck.add_room(PLENTY);
    sleep(Duration::from_secs(1)).await;
    assert_eq!((stuck.seen().ids, hub.end_counts()), (vec![1], Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_cut_a_close_short() {
    let (hub, _) = hub(HubConfig { close_timeout: Duration::from_secs(20), ..HubConfig::default() });
    let stuck = FakeSocket::with_room(0);
    let stream = join(&hub, None, &stuck);
    hub.close_token(ALICE, "a");
    sleep(Duration::from_secs(2)).await;
    stop(Duration::from_mins(5)).await;
    assert!(!stream.is_finished());
    sleep(Duration::from_secs(20)).await;
    assert!(stream.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_count_against_the_backlog() {
    let (hub, backlog) = hub(HubConfig::default());
    backlog.store(ALICE, frame(1, 0));
    backlog.set_mood(Mood::Hanging);
    let socket = FakeSocket::with_room(PLENTY);
    let _stream = join(&hub, Some(0), &socket);
    sleep(Duration::from_secs(2)).await;
    stop(Duration::from_mins(5)).await;
    backlog.set_mood(Mood::Well);
    sleep(Duration::from_secs(1)).await;
    assert_eq!((socket.seen().ids, hub.end_counts()), (vec![1], Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_count_against_a_stream_without_a_task() {
    let (hub, _) = hub(HubConfig::default());
    let (socket, mut peer) = UnixStream::pair().unwrap();
    hub.register(ALICE, "a", None)
        .unwrap()
        .run(socket, |mut stream| async move { stream.serve(|stream, _| stream.on_pong()).await });
    sleep(Duration::from_secs(9)).await;
    stop(Duration::from_mins(5)).await;
    let mut ping = [0; 2];
    peer.read_exact(&mut ping).await.unwrap();
    assert_eq!((ping, hub.stream_count()), ([0x89, 0], 1));
    peer.write_all(b"pong").await.unwrap();
    assert_eq!(hub.end_counts(), []);
}
