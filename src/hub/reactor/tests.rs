//! Reactors under a hub, with real sockets.

use std::{
    future::poll_fn,
    io::Write as _,
    num::NonZeroUsize,
    sync::atomic::AtomicBool,
    task::Poll,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    time::{sleep, timeout},
};

use super::*;
use crate::hub::{
    ConnectionId, Frame, Hub, HubConfig, HubParts, MessageId, Observer, Stream, UserId,
    tests::fake::FakeBacklog,
};

const ALICE: UserId = UserId(1);

/// Notes how streams end, and what panics.
#[derive(Default)]
struct Noted {
    ends: Mutex<Vec<EndReason>>,
    panics: Mutex<Vec<&'static str>>,
}

impl Observer for Noted {
    fn on_end(&self, _: UserId, _: ConnectionId, reason: EndReason) {
        self.ends.lock().push(reason);
    }

    fn on_panic(&self, part: &'static str) {
        self.panics.lock().push(part);
    }
}

/// A hub with one reactor.
fn hub(parts: HubParts) -> (Hub, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let config = HubConfig { lanes: NonZeroUsize::new(1), ..HubConfig::default() };
    (Hub::with_parts(config, HubParts { observer: Some(Arc::clone(&noted) as _), ..parts }), noted)
}

/// Opens a stream that does this with what its peer sends; returns the peer.
fn open(hub: &Hub, on_bytes: impl FnMut(&mut Stream, &[u8]) + Send + 'static) -> UnixStream {
    let (socket, peer) = UnixStream::pair().unwrap();
    let registration = hub.register(ALICE, "token", None).unwrap();
    registration.run(socket, |mut stream| async move { stream.serve(on_bytes).await });
    peer
}

fn ignore(_: &mut Stream, _: &[u8]) {}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

async fn until(condition: impl Fn() -> bool) {
    in_time(async {
        while !condition() {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn read(peer: &mut UnixStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    in_time(peer.read_exact(&mut bytes)).await.unwrap();
    bytes
}

#[tokio::test]
async fn a_stream_answers_its_peer_and_ends_when_that_hangs_up() {
    let (hub, noted) = hub(HubParts::default());
    let mut peer = open(&hub, Stream::reply);
    hub.notify(ALICE, &[Frame::new(MessageId(1), "hello")]);
    assert_eq!(read(&mut peer, 5).await, b"hello");
    for said in [b"one", b"two"] {
        peer.write_all(said).await.unwrap();
        assert_eq!(read(&mut peer, 3).await, said);
    }
    drop(peer);
    until(|| hub.stream_count() == 0).await;
    assert_eq!(*noted.ends.lock(), [EndReason::PeerGone]);
}

#[tokio::test]
async fn a_stream_whose_socket_was_full_brings_all_once_its_peer_reads() {
    const MESSAGES: u64 = 300;
    const BYTES: usize = 8192;
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    let (hub, _noted) = hub(parts);
    let mut peer = open(&hub, ignore);
    for id in 1..=MESSAGES {
        let frame = Frame::new(MessageId(id), vec![u8::try_from(id % 251).unwrap(); BYTES]);
        backlog.store(ALICE, frame.clone());
        hub.notify(ALICE, &[frame]);
        tokio::task::yield_now().await;
    }
    for id in 1..=MESSAGES {
        let frame = read(&mut peer, BYTES).await;
        assert!(frame.iter().all(|&byte| u64::from(byte) == id % 251), "message {id}");
    }
}

#[tokio::test]
async fn a_panic_ends_the_stream_that_it_happens_in_alone() {
    let (hub, noted) = hub(HubParts::default());
    let mut witness = open(&hub, ignore);
    let mut panicking = open(&hub, |_, _| panic!("the session panics"));
    panicking.write_all(b"go on").await.unwrap();
    until(|| hub.stream_count() == 1).await;
    assert_eq!((&**noted.ends.lock(), &**noted.panics.lock()), (&[EndReason::Internal][..], &["stream"][..]));
    hub.notify(ALICE, &[Frame::new(MessageId(1), "hello")]);
    assert_eq!(read(&mut witness, 5).await, b"hello");
    let mut next = open(&hub, Stream::reply);
    next.write_all(b"here").await.unwrap();
    assert_eq!(read(&mut next, 4).await, b"here");
}

#[tokio::test]
async fn all_that_are_woken_at_once_are_polled() {
    let (hub, noted) = hub(HubParts::default());
    let mut peers: Vec<_> = (0..100).map(|_| open(&hub, ignore)).collect();
    assert_eq!(hub.close_token(ALICE, "token"), 100);
    for peer in &mut peers {
        assert_eq!(read(peer, 1).await, [0x88], "a close frame");
    }
    drop(peers);
    until(|| hub.stream_count() == 0).await;
    assert!(noted.ends.lock().iter().all(|&reason| reason == EndReason::TokenDeleted));
}

#[tokio::test]
async fn a_peer_that_sends_without_end_does_not_keep_others_waiting() {
    let (hub, _noted) = hub(HubParts::default());
    let sender = open(&hub, ignore).into_std().unwrap();
    sender.set_nonblocking(false).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&is_over);
    let noise = thread::spawn(move || {
        let began_at = Instant::now();
        while !told.load(Ordering::Relaxed) && began_at.elapsed() < Duration::from_mins(1) {
            (&sender).write_all(&vec![0; 65_536]).unwrap();
        }
    });
    let mut peer = open(&hub, Stream::reply);
    for _ in 0..10 {
        peer.write_all(b"ping").await.unwrap();
        assert_eq!(read(&mut peer, 4).await, b"ping");
    }
    is_over.store(true, Ordering::Relaxed);
    noise.join().unwrap();
}

#[tokio::test]
async fn a_stream_and_its_thread_end_with_the_hub() {
    let (hub, noted) = hub(HubParts::default());
    let mut peer = open(&hub, ignore);
    let reactor = Arc::downgrade(&hub.0.shared.reactors.next().unwrap());
    let registration = hub.register(ALICE, "token", None).unwrap();
    drop(hub);
    assert_eq!(in_time(peer.read(&mut [0])).await.unwrap(), 0);
    until(|| reactor.upgrade().is_none()).await;
    // One that comes too late.
    let (socket, mut peer) = UnixStream::pair().unwrap();
    registration.run(socket, |mut stream| async move { stream.ended().await });
    assert_eq!(in_time(peer.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(*noted.ends.lock(), [EndReason::Dropped; 2]);
}

#[tokio::test]
async fn a_stream_that_is_woken_before_its_thread_knows_of_it_is_polled_again() {
    let (hub, _noted) = hub(HubParts::default());
    for _ in 0..100 {
        let (socket, mut peer) = UnixStream::pair().unwrap();
        let mut polls = 0;
        hub.register(ALICE, "token", None).unwrap().run(socket, |stream| {
            poll_fn(move |cx| {
                let _still_open = &stream;
                polls += 1;
                cx.waker().wake_by_ref();
                if polls < 3 { Poll::Pending } else { Poll::Ready(EndReason::PeerGone) }
            })
        });
        assert_eq!(in_time(peer.read(&mut [0])).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_task_runs_a_stream_if_there_can_be_no_thread() {
    let (hub, _noted) = hub(HubParts::default());
    hub.0.shared.reactors.end();
    let mut peer = open(&hub, Stream::reply);
    peer.write_all(b"ping").await.unwrap();
    assert_eq!(read(&mut peer, 4).await, b"ping");
}

#[tokio::test]
async fn a_reactor_that_has_failed_is_started_again() {
    let (hub, noted) = hub(HubParts::default());
    let mut first = open(&hub, ignore);
    hub.0.shared.reactors.next().unwrap().end();
    assert_eq!(in_time(first.read(&mut [0])).await.unwrap(), 0);
    assert_eq!(*noted.ends.lock(), [EndReason::Dropped]);
    let mut peer = open(&hub, Stream::reply);
    peer.write_all(b"ping").await.unwrap();
    assert_eq!(read(&mut peer, 4).await, b"ping");
}
