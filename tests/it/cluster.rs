//! Two nodes over one PostgreSQL, with each kind of backplane between them.

use std::sync::Arc;
use std::time::Duration;

use shardcast::cluster::{Backplane, MemoryBackplane};
use shardcast::server::NodeParts;
use shardcast::store::{DatabaseConfig, Dialect, open};
use tokio::time::sleep;

use crate::event_stream::Events;
use crate::harness::{Person, TestServer};
use crate::listener::{Listener, PATIENCE, push};

/// Two nodes, `a` and `b`, and a user whom both know.
struct Pair {
    a: TestServer,
    b: TestServer,
    ann: Person,
}

impl Pair {
    async fn start(backplane: Arc<dyn Backplane>) -> Self {
        let config = DatabaseConfig::new(Dialect::Postgres, crate::databases::postgres().await);
        let node = async |name: &str| {
            let parts = NodeParts::default().with_backplane(Arc::clone(&backplane));
            TestServer::start_on(open(&config).await.unwrap(), parts, |config| {
                name.clone_into(&mut config.name);
            })
            .await
        };
        let (a, b) = (node("a").await, node("b").await);
        let ann = a.person("ann").await;
        let pair = Self { a, b, ann };
        pair.until_health("green").await;
        pair
    }

    /// Waits until both nodes say this of the backplane.
    async fn until_health(&self, expected: &str) {
        for node in [&self.a, &self.b] {
            let until = async {
                loop {
                    let health = node.send("GET", "/health", &[], "").await;
                    assert_eq!(health.status, 200);
                    if health.json()["backplane"] == expected {
                        return;
                    }
                    sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(PATIENCE, until).await.unwrap_or_else(|_| panic!("never {expected}"));
        }
    }
}

async fn what_one_node_stores_reaches_the_streams_of_both(backplane: Arc<dyn Backplane>) {
    let pair = Pair::start(backplane).await;
    let mut on_a = Listener::open(&pair.a, &pair.ann, "").await;
    let mut on_b = Listener::open(&pair.b, &pair.ann, "").await;
    for round in 0..20 {
        let node = if round % 3 == 0 { &pair.a } else { &pair.b };
        let answered = push(node, &pair.ann, &format!("message-{round}")).await;
        assert_eq!(on_a.message().await, answered);
        assert_eq!(on_b.message().await, answered);
    }
    let many = async |node: &TestServer| {
        for number in 0..50 {
            push(node, &pair.ann, &number.to_string()).await;
        }
    };
    tokio::join!(many(&pair.a), many(&pair.b));
    for listener in [&mut on_a, &mut on_b] {
        let mut last = 0;
        for _ in 0..100 {
            let id = listener.message().await["id"].as_u64().unwrap();
            assert!(id > last, "{id} after {last}");
            last = id;
        }
    }
}

/// How many messages each node takes while clients come and go.
const MESSAGES: usize = 60;

/// How many messages a client reads before it goes to the other node.
const MESSAGES_PER_STREAM: usize = 7;

async fn a_client_that_changes_between_nodes_gets_each_message_once(backplane: Arc<dyn Backplane>) {
    let pair = Pair::start(backplane).await;
    let first = push(&pair.a, &pair.ann, "first").await["id"].as_u64().unwrap();
    let send = async |node: &TestServer| {
        let mut sent = Vec::new();
        for number in 0..MESSAGES {
            sent.push(push(node, &pair.ann, &number.to_string()).await["id"].as_u64().unwrap());
        }
        sent
    };
    let node = |stream: usize| if stream.is_multiple_of(2) { &pair.a } else { &pair.b };
    let by_websocket = async {
        let mut ids = vec![first];
        for stream in 0.. {
            let since = format!("&since={}", ids[ids.len() - 1]);
            let mut listener = Listener::open(node(stream), &pair.ann, &since).await;
            for _ in 0..MESSAGES_PER_STREAM {
                ids.push(listener.message().await["id"].as_u64().unwrap());
                if ids.len() > 2 * MESSAGES {
                    return ids;
                }
            }
        }
        ids
    };
    let by_events = async {
        let mut ids = vec![first];
        for stream in 1.. {
            let mut events = Events::open(node(stream), &pair.ann, "", ids.last().copied()).await;
            for _ in 0..MESSAGES_PER_STREAM {
                ids.push(events.message().await["id"].as_u64().unwrap());
                if ids.len() > 2 * MESSAGES {
                    return ids;
                }
            }
        }
        ids
    };
    let (on_a, on_b, by_websocket, by_events) =
        tokio::join!(send(&pair.a), send(&pair.b), by_websocket, by_events);
    let mut all = [vec![first], on_a, on_b].concat();
    all.sort_unstable();
    assert_eq!(by_websocket, all);
    assert_eq!(by_events, all);
}

async fn what_one_node_revokes_ends_the_streams_of_both(backplane: Arc<dyn Backplane>) {
    let pair = Pair::start(backplane).await;
    let mut on_b = Listener::open(&pair.b, &pair.ann, "").await;
    let key = [("X-Gotify-Key".to_owned(), pair.ann.client.token.clone())];
    let answer = pair.b.send("GET", "/current/user", &key, "").await;
    assert_eq!(answer.status, 200);
    let answer = pair.a.send("DELETE", &format!("/client/{}", pair.ann.client.id), &key, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(on_b.close_code().await, 1008);
    let answer = pair.b.send("GET", "/current/user", &key, "").await;
    assert_eq!(answer.status, 401);
}

macro_rules! with {
    ($kind:ident, $cfg:ident, $make:expr) => {
        mod $kind {
            #[tokio::test]
            #[cfg_attr(not(all(test_postgres, $cfg)), ignore = "`.ci/servers.py` starts the servers")]
            async fn what_one_node_stores_reaches_the_streams_of_both() {
                super::what_one_node_stores_reaches_the_streams_of_both($make).await;
            }

            #[tokio::test]
            #[cfg_attr(not(all(test_postgres, $cfg)), ignore = "`.ci/servers.py` starts the servers")]
            async fn what_one_node_revokes_ends_the_streams_of_both() {
                super::what_one_node_revokes_ends_the_streams_of_both($make).await;
            }

            #[tokio::test]
            #[cfg_attr(not(all(test_postgres, $cfg)), ignore = "`.ci/servers.py` starts the servers")]
            async fn a_client_that_changes_between_nodes_gets_each_message_once() {
                super::a_client_that_changes_between_nodes_gets_each_message_once($make).await;
            }
        }
    };
}

/// Where a server is, and a prefix that no other test has.
fn place(variable: &str) -> (String, String) {
    let url = std::env::var(variable).expect("`.ci/servers.py` starts a server and sets this");
    (url, format!("test_{:016x}", rand::random::<u64>()))
}

#[cfg(feature = "redis")]
fn redis() -> Arc<dyn Backplane> {
    let (url, prefix) = place("SHARDCAST_TEST_REDIS");
    Arc::new(shardcast::cluster::RedisBackplane::new(&url, &prefix).unwrap())
}

#[cfg(feature = "nats")]
fn nats() -> Arc<dyn Backplane> {
    let (url, prefix) = place("SHARDCAST_TEST_NATS");
    Arc::new(shardcast::cluster::NatsBackplane::new(&url, &prefix).unwrap())
}

fn postgres() -> Arc<dyn Backplane> {
    let (url, prefix) = place("SHARDCAST_TEST_POSTGRES");
    Arc::new(shardcast::cluster::PostgresBackplane::new(&url, &prefix).unwrap())
}

#[cfg(feature = "redis")]
with!(over_redis, test_redis, super::redis());
#[cfg(feature = "nats")]
with!(over_nats, test_nats, super::nats());
with!(over_postgres, test_postgres, super::postgres());

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts the servers")]
async fn while_the_backplane_is_away_messages_cross_later_and_health_says_so() {
    let backplane = MemoryBackplane::default();
    let pair = Pair::start(Arc::new(backplane.clone())).await;
    let mut on_b = Listener::open(&pair.b, &pair.ann, "").await;
    backplane.set_away(true);
    pair.until_health("degraded").await;
    // On its own node a message comes at once, on the other with the next comparison of heads.
    let mut on_a = Listener::open(&pair.a, &pair.ann, "").await;
    for round in 0..3 {
        let answered = push(&pair.a, &pair.ann, &round.to_string()).await;
        assert_eq!(on_a.message().await, answered);
        assert_eq!(on_b.message().await, answered);
    }
    backplane.set_away(false);
    pair.until_health("green").await;
    let answered = push(&pair.a, &pair.ann, "back").await;
    assert_eq!(on_b.message().await, answered);
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts the servers")]
async fn each_node_shows_administrators_the_other_one_and_the_backplane() {
    let backplane = MemoryBackplane::default();
    let pair = Pair::start(Arc::new(backplane.clone())).await;
    for (node, name, other) in [(&pair.a, "a", "b"), (&pair.b, "b", "a")] {
        let until = async {
            loop {
                let live = crate::live::of(node).await;
                if live["nodes"].as_array().unwrap().len() == 2 {
                    return live;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let live = tokio::time::timeout(PATIENCE, until).await.expect("the nodes hear each other");
        assert_eq!(live["node"], name);
        assert_eq!(live["database"], serde_json::json!({ "kind": "postgres", "health": "green" }));
        assert_eq!(live["backplane"], serde_json::json!({ "kind": "memory", "connected": true }));
        let nodes = [0, 1].map(|at| (live["nodes"][at]["name"].clone(), live["nodes"][at]["self"].clone()));
        assert_eq!(nodes, [(name.into(), true.into()), (other.into(), false.into())]);
        assert!(live["nodes"][1]["lastHeardSeconds"].as_u64().unwrap() < 60);
    }
    backplane.set_away(true);
    pair.until_health("degraded").await;
    assert_eq!(crate::live::of(&pair.a).await["backplane"]["connected"], false);
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts the servers")]
async fn every_answer_says_which_node_it_is_from() {
    let pair = Pair::start(Arc::new(MemoryBackplane::default())).await;
    for (node, name) in [(&pair.a, "a"), (&pair.b, "b")] {
        let answer = node.send("GET", "/version", &[], "").await;
        assert_eq!(answer.header("x-shardcast-node"), Some(name));
        assert_eq!(answer.json()["node"], name);
    }
}
