//! What streams hold of the backlog is bounded in bytes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{sleep, timeout};

use super::fake::FakeSocket;
use crate::hub::{
    Backlog, BacklogFuture, BacklogPage, EndReason, Format, Frame, Hub, HubConfig, HubParts, MessageId,
    UserId,
};

const MESSAGE_BYTES: usize = 1 << 20;
const MESSAGES: u64 = 4;
const STREAMS: u64 = 16;

/// Has large messages, and counts how many bytes of them are alive.
#[derive(Clone, Default)]
struct Large {
    alive: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Counted {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.alive.fetch_sub(self.bytes.len(), Ordering::Relaxed);
    }
}

impl Large {
    fn counted(&self, bytes: usize) -> Counted {
        let alive = self.alive.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(alive, Ordering::Relaxed);
        Counted { bytes: vec![b'x'; bytes], alive: Arc::clone(&self.alive) }
    }
}

impl Backlog for Large {
    fn read(
        &self,
        _: UserId,
        after: MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_> {
        Box::pin(async move {
            let count = usize::min(limit, max_bytes / MESSAGE_BYTES);
            // What a database has of a message until it is encoded. Others ask meanwhile.
            let _copies = self.counted(3 * count * MESSAGE_BYTES);
            tokio::task::yield_now().await;
            let ids = (after.0 + 1..=MESSAGES).take(count);
            let frames: Vec<_> = ids
                .map(|id| {
                    let bytes = Bytes::from_owner(self.counted(MESSAGE_BYTES));
                    Frame::unencoded(MessageId(id)).with(format, bytes)
                })
                .collect();
            let complete = after.0 + frames.len() as u64 >= MESSAGES;
            let needed_bytes = if frames.is_empty() && !complete { MESSAGE_BYTES } else { 0 };
            Ok(BacklogPage { frames, needed_bytes, complete })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn streams_behind_over_large_messages_hold_no_more_than_the_budget() {
    const BUDGET: usize = 10 * MESSAGE_BYTES;
    let backlog = Large::default();
    let config = HubConfig { backlog_bytes: BUDGET, ..HubConfig::default() };
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    let hub = Hub::with_parts(config, parts);
    let sockets: Vec<_> = (0..STREAMS).map(|_| FakeSocket::with_room(1000)).collect();
    for (user, socket) in (0..).zip(&sockets) {
        let mut stream = hub.register(UserId(user), "a", Some(MessageId(0))).unwrap().attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
    }
    // All of them read slowly: half-written messages and what is read for more of them share the budget.
    for _ in 0..400 {
        sleep(Duration::from_secs(1)).await;
        for socket in &sockets {
            socket.add_room(20_000);
        }
    }
    let most = backlog.most.load(Ordering::Relaxed);
    assert!(most <= BUDGET, "{most} bytes");
    assert!(most > BUDGET / 2, "only {most} bytes: it is read one by one");
    let whole = usize::try_from(MESSAGES).unwrap() * MESSAGE_BYTES;
    let taken: Vec<_> = sockets.iter().map(FakeSocket::taken_bytes).collect();
    assert!(taken.iter().filter(|&&taken| taken >= whole).count() >= 4, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_the_budget_is_read_alone() {
    let backlog = Large::default();
    let config = HubConfig { backlog_bytes: MESSAGE_BYTES / 2, ..HubConfig::default() };
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    let hub = Hub::with_parts(config, parts);
    let sockets = [FakeSocket::with_room(usize::MAX), FakeSocket::with_room(usize::MAX)];
    for socket in &sockets {
        let mut stream = hub.register(UserId(1), "a", Some(MessageId(0))).unwrap().attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
    }
    timeout(Duration::from_secs(30), async {
        let whole = usize::try_from(MESSAGES).unwrap() * MESSAGE_BYTES;
        while sockets.iter().any(|socket| socket.taken_bytes() < whole) {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("both get all");
    assert!(backlog.most.load(Ordering::Relaxed) <= 5 * MESSAGE_BYTES);
    assert_eq!(
        (backlog.alive.load(Ordering::Relaxed), hub.end_counts()),
        (0, Vec::<(EndReason, u64)>::new())
    );
}

/// Has one message per user: a large one, or a small one for [`SMALL`]. [`HOARDER`] has many large ones.
struct Mixed;

const SMALL: UserId = UserId(100);
const HOARDER: UserId = UserId(101);
const LARGE_BYTES: usize = 4 * MESSAGE_BYTES;

impl Backlog for Mixed {
    fn read(
        &self,
        user: UserId,
        after: MessageId,
        format: Format,
        _: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let bytes = if user == SMALL { 1000 } else { LARGE_BYTES };
            if after.0 > 0 && user != HOARDER {
                return Ok(BacklogPage { complete: true, ..BacklogPage::default() });
            }
            if bytes > max_bytes {
                return Ok(BacklogPage { needed_bytes: bytes, ..BacklogPage::default() });
            }
            let id = MessageId(after.0 + 1);
            let frame = Frame::unencoded(id).with(format, Bytes::from(vec![b'x'; bytes]));
            Ok(BacklogPage { frames: vec![frame], complete: user != HOARDER, ..BacklogPage::default() })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_wait_for_room_for_large_messages_do_not_hold_up_a_stream_that_needs_little() {
    let config = HubConfig { backlog_bytes: 4 * LARGE_BYTES, ..HubConfig::default() };
    let hub = Hub::with_parts(config, HubParts { backlog: Some(Arc::new(Mixed)), ..HubParts::default() });
    let join = |user: UserId, room: usize| {
        let socket = FakeSocket::with_room(room);
        let mut stream = hub.register(user, "a", Some(MessageId(0))).unwrap().attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
        socket
    };
    // It holds a message that it takes slowly, so that there is no room to read another large one.
    let slow = join(UserId(0), 1000);
    sleep(Duration::from_secs(1)).await;
    let waiting: Vec<_> = (1..=20).map(|user| join(UserId(user), usize::MAX)).collect();
    sleep(Duration::from_secs(1)).await;
    let small = join(SMALL, usize::MAX);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(small.taken_bytes(), 1000);
    assert_eq!(waiting.iter().map(FakeSocket::taken_bytes).sum::<usize>(), 0);

    slow.add_room(usize::MAX);
    sleep(Duration::from_secs(1)).await;
    for socket in &waiting {
        assert_eq!(socket.taken_bytes(), LARGE_BYTES);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_streams_of_one_user_do_not_hold_up_those_of_others() {
    let parts = HubParts { backlog: Some(Arc::new(Mixed)), ..HubParts::default() };
    let hub = Hub::with_parts(HubConfig::default(), parts);
    let join = |user: UserId, since: u64, room: usize| {
        let socket = FakeSocket::with_room(room);
        let mut stream = hub.register(user, "a", Some(MessageId(since))).unwrap().attach(socket.clone());
        tokio::spawn(async move { stream.ended().await });
        socket
    };
    let slow: Vec<_> = (0..20).map(|since| join(HOARDER, since, 1000)).collect();
    // Longer than what needs little may overtake what needs much.
    for _ in 0..15 {
        sleep(Duration::from_secs(1)).await;
        for socket in &slow {
            socket.add_room(16_384);
        }
    }
    let (small, large) = (join(SMALL, 0, usize::MAX), join(UserId(1), 0, usize::MAX));
    sleep(Duration::from_secs(1)).await;
    assert_eq!((small.taken_bytes(), large.taken_bytes()), (1000, LARGE_BYTES));
}
