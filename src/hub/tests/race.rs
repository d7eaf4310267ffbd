//! Register, notify, close and drop from many threads at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::fake::{FakeBacklog, FakeSocket, frame};
use crate::hub::{ConnectionId, EndReason, Hub, HubConfig, HubParts, MessageId, Observer, UserId};

const USERS: u64 = 4;
const MESSAGES: u64 = 3000;

#[derive(Default)]
struct Balance {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

impl Observer for Balance {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    fn on_end(&self, _: UserId, _: ConnectionId, _: EndReason) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Joins, reads for a while, leaves or is closed; whatever it saw is without gap.
async fn visitor(hub: Hub, backlog: FakeBacklog, number: u64, last: Arc<[AtomicU64]>, hears_all: bool) {
    let user = UserId(number % USERS);
    let before = last[usize::try_from(number % USERS).unwrap()].load(Ordering::Acquire);
    let since = number.is_multiple_of(3).then_some(MessageId(before));
    let mut registration = hub.register(user, &(number % 5).to_string(), since).unwrap();
    if hears_all && registration.needs_head() {
        let head = last[usize::try_from(number % USERS).unwrap()].load(Ordering::Acquire);
        registration.start_after(MessageId(head));
    }
    let socket = FakeSocket::with_room(50);
    let mut stream = registration.attach(socket.clone());
    let reader = tokio::spawn({
        let socket = socket.clone();
        async move {
            for _ in 0..50 {
                socket.add_room(200);
                tokio::task::yield_now().await;
            }
            socket.add_room(1 << 30);
        }
    });
    let _ended = tokio::time::timeout(Duration::from_millis(number % 40), stream.ended()).await;
    drop(stream);
    reader.await.unwrap();
    let seen = socket.seen().ids;
    let all = backlog.ids(user);
    if let Some(&first) = seen.first() {
        let from = all.iter().position(|&id| id == first).unwrap();
        assert!(all[from..].starts_with(&seen), "a gap or a duplicate in {seen:?}");
        if since.is_some() {
            assert!(all[..from].iter().all(|&id| id <= before), "the first after {before} is not {first}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_register_notify_close_and_drop_leave_nothing_behind() {
    for hears_all in [false, true] {
        register_notify_close_and_drop(hears_all).await;
    }
}

async fn register_notify_close_and_drop(hears_all: bool) {
    let backlog = FakeBacklog::default();
    let balance = Arc::new(Balance::default());
    let parts = HubParts {
        backlog: Some(Arc::new(backlog.clone())),
        observer: Some(Arc::clone(&balance) as Arc<dyn Observer>),
        ..HubParts::default()
    };
    let hub = Hub::with_parts(HubConfig { shard_count: 2, hears_all, ..HubConfig::default() }, parts);
    let last: Arc<[AtomicU64]> = (0..USERS).map(|_| AtomicU64::new(0)).collect();
    let done = Arc::new(AtomicBool::new(false));
    let witness_socket = FakeSocket::with_room(1 << 30);
    let mut witness = hub.register(UserId(0), "witness", None).unwrap();
    if hears_all {
        witness.start_after(MessageId(0));
    }
    let mut witness = witness.attach(witness_socket.clone());
    let witness = tokio::spawn(async move { witness.ended().await });

    // Ids ascend over all users, and are stored before they are published, one publisher at a time.
    let order = Arc::new(Mutex::new(0));
    let publishers: Vec<_> = (0..2_u64)
        .map(|_| {
            let (hub, backlog, order) = (hub.clone(), backlog.clone(), Arc::clone(&order));
            let last = Arc::clone(&last);
            tokio::task::spawn_blocking(move || {
                loop {
                    let mut id = order.lock();
                    if *id == MESSAGES {
                        return;
                    }
                    *id += 1;
                    let user = *id % USERS;
                    backlog.store(UserId(user), frame(*id, 7));
                    last[usize::try_from(user).unwrap()].store(*id, Ordering::Release);
                    hub.notify(UserId(user), &[frame(*id, 7)]);
                }
            })
        })
        .collect();
    let closer = tokio::spawn({
        let (hub, done) = (hub.clone(), Arc::clone(&done));
        async move {
            let mut turn = 0_u64;
            while !done.load(Ordering::Relaxed) {
                turn += 1;
                hub.close_token(UserId(turn % USERS), &(turn % 5).to_string());
                tokio::task::yield_now().await;
            }
        }
    });
    let visitors: Vec<_> = (0..400)
        .map(|number| {
            tokio::spawn(visitor(hub.clone(), backlog.clone(), number, Arc::clone(&last), hears_all))
        })
        .collect();
    for visitor in visitors {
        visitor.await.unwrap();
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    closer.await.unwrap();

    let expected = backlog.ids(UserId(0));
    tokio::time::timeout(Duration::from_secs(30), async {
        while witness_socket.seen().ids.len() < expected.len() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the stream that stays gets every message");
    assert_eq!(witness_socket.seen().ids, expected);
    witness.abort();
    assert!(witness.await.unwrap_err().is_cancelled());
    assert_eq!(hub.stream_count(), 0);
    assert_eq!(hub.user_count(), 0);
    assert_eq!(balance.begun.load(Ordering::Relaxed), balance.ended.load(Ordering::Relaxed));
}

/// Closes all while a stream is being registered, and has come by where that stream is not yet.
#[derive(Default)]
struct Closer(std::sync::OnceLock<Hub>);

impl Observer for Closer {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        let hub = self.0.get().expect("it was given the hub");
        hub.0.shared.draining.store(true, Ordering::Release);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_registers_while_all_are_closed_is_closed_too() {
    let closer = Arc::new(Closer::default());
    let parts = HubParts::default().with_observer(Arc::clone(&closer) as _);
    let hub = Hub::with_parts(HubConfig::default(), parts);
    closer.0.set(hub.clone()).unwrap();
    // It was admitted before the hub began to drain.
    let registration = hub.register(UserId(1), "a", None).unwrap();
    let socket = FakeSocket::with_room(1000);
    let mut stream = registration.attach(socket.clone());
    let ended = tokio::time::timeout(Duration::from_secs(30), stream.ended()).await;
    assert_eq!((ended, socket.seen().close_code), (Ok(EndReason::Shutdown), Some(1012)));
    assert_eq!(hub.register(UserId(1), "a", None).unwrap_err(), crate::hub::RegisterError::Draining);
}
