//! Events between nodes.

use std::time::Duration;

use tokio::time::sleep;

use super::world::{SimulatedDatabase, SimulatedNode};
use crate::cluster::MemoryBackplane;
use crate::hub::tests::fake::{FakeSocket, MISSED, event_bytes};
use crate::hub::{self, MessageId};
use crate::model::UserId;

const USER: UserId = UserId(1);

/// Two nodes over one backplane.
struct Pair {
    backplane: MemoryBackplane,
    a: SimulatedNode,
    b: SimulatedNode,
}

impl Pair {
    async fn start() -> Self {
        let (database, backplane) = (SimulatedDatabase::new(USER.0), MemoryBackplane::default());
        let start = |id| SimulatedNode::start(id, &database, &backplane, Duration::from_secs(2));
        let (a, b) = (start(1), start(2));
        // Both are connected, and have informed each other of it.
        sleep(Duration::from_secs(10)).await;
        Self { backplane, a, b }
    }
}

/// Opens a stream that asks for events, and owns it in a task.
async fn open(node: &SimulatedNode, user: UserId) -> FakeSocket {
    let mut registration = node.hub.register(hub::UserId(user.0), "token", None).unwrap();
    node.cluster.listen(user).await;
    registration.start_after(MessageId(0));
    registration.ask_for_events(event_bytes(MISSED));
    let socket = FakeSocket::with_room(usize::MAX);
    let mut stream = registration.attach(socket.clone());
    tokio::spawn(async move { stream.ended().await });
    socket
}

/// Returns the events that a stream has got.
fn events(socket: &FakeSocket) -> Vec<u64> {
    socket.seen().events.into_iter().map(|(_, number)| number).collect()
}

#[tokio::test(start_paused = true)]
async fn an_event_reaches_the_users_streams_on_other_nodes_once() {
    let pair = Pair::start().await;
    let (on_a, on_b) = (open(&pair.a, USER).await, open(&pair.b, USER).await);
    let foreign = open(&pair.b, UserId(2)).await;
    for number in [7, 8] {
        pair.a.cluster.announce_event(USER, "read", &event_bytes(number));
    }
    sleep(Duration::from_secs(5)).await;
    assert_eq!(events(&on_b), [7, 8]);
    // The node that announces it has brought it to its own streams.
    assert_eq!((events(&on_a), events(&foreign)), (vec![], vec![]));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_too_large_is_missed() {
    let pair = Pair::start().await;
    let on_b = open(&pair.b, USER).await;
    pair.a.cluster.announce_event(USER, "deleted", &vec![b'.'; 5000]);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(events(&on_b), [MISSED]);
}

#[tokio::test(start_paused = true)]
async fn events_are_missed_by_all_streams_when_the_backplane_was_away() {
    let pair = Pair::start().await;
    let sockets = [open(&pair.a, USER).await, open(&pair.b, USER).await];
    pair.backplane.set_away(true);
    sleep(Duration::from_secs(10)).await;
    pair.a.cluster.announce_event(USER, "read", &event_bytes(7));
    pair.backplane.set_away(false);
    sleep(Duration::from_secs(10)).await;
    for socket in &sockets {
        let events = events(socket);
        assert!(!events.is_empty() && events.iter().all(|event| *event == MISSED), "{events:?}");
    }
    pair.a.cluster.announce_event(USER, "read", &event_bytes(8));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(events(&sockets[1]).last(), Some(&8));
}

#[tokio::test(start_paused = true)]
async fn events_that_there_was_no_room_for_are_missed_on_other_nodes() {
    let pair = Pair::start().await;
    let on_b = open(&pair.b, USER).await;
    // Nothing is published while this runs.
    for number in 0..20_000 {
        pair.a.cluster.announce_event(UserId(3), "read", &event_bytes(number));
    }
    sleep(Duration::from_secs(10)).await;
    assert_eq!(events(&on_b), [MISSED]);
}
