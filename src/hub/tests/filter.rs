//! Streams that ask for some messages alone.

use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};
use tokio::{task::JoinHandle, time::sleep};

use super::fake::{FakeBacklog, FakeSocket, frame};
use crate::hub::{ApplicationId, EndReason, Filter, Frame, Hub, HubConfig, HubParts, MessageId, UserId};

const ALICE: UserId = UserId(1);
const PLENTY: usize = 1 << 20;

fn hub(config: HubConfig) -> (Hub, FakeBacklog) {
    let backlog = FakeBacklog::default();
    let parts = HubParts { backlog: Some(Arc::new(backlog.clone())), ..HubParts::default() };
    (Hub::with_parts(config, parts), backlog)
}

/// A message of application 0, 1 or 2, whose priority is the id's last digit.
fn message(id: u64) -> Frame {
    frame(id, 3).with_subject(ApplicationId(id % 3), i64::try_from(id % 10).unwrap())
}

fn join(hub: &Hub, since: Option<u64>, filter: Filter, room: usize) -> (FakeSocket, JoinHandle<EndReason>) {
    let mut registration = hub.register(ALICE, "token", since.map(MessageId)).unwrap();
    registration.ask_for(filter);
    let socket = FakeSocket::with_room(room);
    let mut stream = registration.attach(socket.clone());
    (socket, tokio::spawn(async move { stream.ended().await }))
}

fn publish(hub: &Hub, backlog: &FakeBacklog, ids: impl IntoIterator<Item = u64>) {
    let frames: Vec<_> = ids.into_iter().map(message).collect();
    for frame in &frames {
        backlog.store(ALICE, frame.clone());
    }
    hub.notify(ALICE, &frames);
}

async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_gets_what_it_asks_for_and_others_get_everything() {
    let (hub, backlog) = hub(HubConfig::default());
    let of_one = Filter::default().with_applications([ApplicationId(1)]);
    let (some, _some) = join(&hub, None, of_one.with_min_priority(4), PLENTY);
    let (nothing, _nothing) = join(&hub, None, Filter::default().with_applications([]), PLENTY);
    let (all, _all) = join(&hub, None, Filter::default(), PLENTY);
    publish(&hub, &backlog, 1..=9);
    settle().await;
    publish(&hub, &backlog, [10, 11, 12]);
    settle().await;
    publish(&hub, &backlog, [13, 14]);
    settle().await;
    assert_eq!(some.seen().ids, [4, 7]);
    assert_eq!(all.seen().ids, (1..=14).collect::<Vec<_>>());
    assert_eq!((nothing.seen().ids.len(), nothing.writes()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_slow_for_what_it_does_not_ask_for() {
    let (hub, backlog) = hub(HubConfig { max_lag: 100, ..HubConfig::default() });
    let urgent = Filter::default().with_min_priority(9);
    // It takes nothing, and is given nothing.
    let (socket, task) = join(&hub, None, urgent, 0);
    for id in (1..=400).filter(|id| id % 10 != 9) {
        publish(&hub, &backlog, [id]);
        settle().await;
    }
    sleep(Duration::from_secs(30)).await;
    assert!(!task.is_finished());
    socket.add_room(PLENTY);
    publish(&hub, &backlog, [409]);
    settle().await;
    assert_eq!(socket.seen().ids, [409]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn from_ring_and_backlog_too_a_stream_gets_exactly_what_it_asks_for(
        bursts in vec((1..90_u64, 0..600_usize), 1..20),
        since in proptest::option::of(0..50_u64),
        applications in proptest::option::of(vec((0..3_u64).prop_map(ApplicationId), 0..3)),
        min_priority in proptest::option::of(0..12_i64),
        ring_messages in 0..20_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (hub, backlog) = hub(HubConfig { ring_messages, ..HubConfig::default() });
            let filter = Filter { applications, min_priority };
            publish(&hub, &backlog, 1..=40);
            let since = since.filter(|since| *since <= 40);
            let (socket, _task) = join(&hub, since, filter.clone(), 30);
            let mut last = 40;
            for (count, room) in bursts {
                publish(&hub, &backlog, last + 1..=last + count);
                last += count;
                socket.add_room(room);
                tokio::task::yield_now().await;
            }
            socket.add_room(PLENTY);
            settle().await;
            // Whoever registers before anything is known gets what comes from then on.
            let expected: Vec<_> =
                (since.unwrap_or(40) + 1..=last).filter(|&id| filter.asks_for(&message(id))).collect();
            assert_eq!(socket.seen().ids, expected);
        });
    }
}
