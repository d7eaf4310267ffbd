//! What panics costs itself alone.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::sleep};

use super::fake::{FakeSocket, frame};
use crate::hub::{ConnectionId, EndReason, Hub, HubConfig, HubParts, Observer, PassReport, UserId};

const ALICE: UserId = UserId(1);
const PLENTY: usize = 1 << 20;

/// Counts panics, and panics itself wherever it may.
#[derive(Default)]
struct Panicking(Mutex<Vec<&'static str>>);

impl Observer for Panicking {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        panic!("the observer panics");
    }

    fn on_end(&self, _: UserId, _: ConnectionId, _: EndReason) {
        panic!("the observer panics");
    }

    fn on_pass(&self, _: UserId, _: PassReport) {
        panic!("the observer panics");
    }

    fn on_catch_up(&self, _: UserId, _: usize) {
        panic!("the observer panics");
    }

    fn on_panic(&self, part: &'static str) {
        self.0.lock().push(part);
        panic!("the observer panics");
    }
}

/// Only counts panics.
#[derive(Default)]
struct Counting(Mutex<Vec<&'static str>>);

impl Observer for Counting {
    fn on_panic(&self, part: &'static str) {
        self.0.lock().push(part);
    }
}

fn hub(observer: &Arc<impl Observer>) -> Hub {
    let observer: Arc<dyn Observer> = Arc::clone(observer) as _;
    Hub::with_parts(HubConfig::default(), HubParts { observer: Some(observer), ..HubParts::default() })
}

fn join(hub: &Hub, socket: &FakeSocket) -> JoinHandle<EndReason> {
    let mut stream = hub.register(ALICE, "a", None).unwrap().attach(socket.clone());
    tokio::spawn(async move { stream.ended().await })
}

async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_ends_nothing_and_each_panic_is_reported() {
    let observer = Arc::new(Panicking::default());
    let hub = hub(&observer);
    let socket = FakeSocket::with_room(PLENTY);
    let task = join(&hub, &socket);
    for id in 1..=3 {
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    sleep(Duration::from_secs(50)).await;
    let seen = socket.seen();
    assert_eq!((seen.ids, seen.pings), (vec![1, 2, 3], 1));
    hub.close_token(ALICE, "a");
    assert_eq!(task.await.unwrap(), EndReason::TokenDeleted);
    assert_eq!((hub.stream_count(), hub.user_count()), (0, 0));
    // Of the registration, three passes and the end.
    assert_eq!(*observer.0.lock(), ["observer"; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_panics_in_a_pass_costs_its_own_stream_alone() {
    let observer = Arc::new(Counting::default());
    let hub = hub(&observer);
    let sockets: Vec<_> = (0..5).map(|_| FakeSocket::with_room(PLENTY)).collect();
    let tasks: Vec<_> = sockets.iter().map(|socket| join(&hub, socket)).collect();
    sockets[2].break_down();
    for id in 1..=2 {
        hub.notify(ALICE, &[frame(id, 0)]);
        settle().await;
    }
    for (place, (socket, task)) in sockets.iter().zip(tasks).enumerate() {
        if place == 2 {
            assert_eq!(task.await.unwrap(), EndReason::Internal);
        } else {
            assert_eq!((socket.seen().ids, task.is_finished()), (vec![1, 2], false), "stream {place}");
        }
    }
    assert_eq!(*observer.0.lock(), ["stream"]);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_panics_in_the_sweep_costs_its_own_stream_alone() {
    let observer = Arc::new(Counting::default());
    let hub = hub(&observer);
    let sockets: Vec<_> = (0..3).map(|_| FakeSocket::with_room(PLENTY)).collect();
    let mut tasks: Vec<_> = sockets.iter().map(|socket| join(&hub, socket)).collect();
    sockets[1].break_down();
    sleep(Duration::from_secs(46)).await;
    assert_eq!(tasks.remove(1).await.unwrap(), EndReason::Internal);
    assert_eq!((sockets[0].seen().pings, sockets[2].seen().pings), (1, 1));
    assert_eq!(*observer.0.lock(), ["stream"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_own_task_panics_ends_by_an_error_of_ours() {
    let observer = Arc::new(Counting::default());
    let hub = hub(&observer);
    let socket = FakeSocket::with_room(0);
    let task = join(&hub, &socket);
    hub.notify(ALICE, &[frame(1, 0)]);
    settle().await;
    socket.break_down();
    socket.add_room(PLENTY);
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!((hub.end_counts(), hub.stream_count()), (vec![(EndReason::Internal, 1)], 0));
    assert_eq!(*observer.0.lock(), ["stream"]);
}
