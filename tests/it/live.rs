//! `/shardcast/live`: what a node does right now.

use std::time::Duration;

use base64::prelude::*;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use tokio::time::sleep;

use crate::harness::TestServer;
use crate::listener::{Listener, PATIENCE, push};

/// Asks as the administrator.
pub(crate) async fn of(server: &TestServer) -> Value {
    let admin = ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode("admin:admin")));
    let answer = server.send("GET", "/shardcast/live", &[admin], "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Asks until the answer is right.
async fn until(server: &TestServer, what: &str, is_right: impl Fn(&Value) -> bool) {
    let mut last = Value::Null;
    let found = async {
        while !is_right(&last) {
            sleep(Duration::from_millis(10)).await;
            last = of(server).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    assert!(found.is_ok(), "never: {what}: {}", of(server).await);
}

#[tokio::test]
async fn streams_are_shown_by_user_and_shard_and_messages_are_counted() {
    let server = TestServer::start_with(|config| config.stream.shard_count = 4).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let quiet = of(&server).await;
    assert_eq!(quiet["streams"], json!({ "total": 0, "shards": [0, 0, 0, 0], "users": [] }));
    assert_eq!(quiet["messages"], json!({ "stored": 0, "delivered": 0, "waiting": 0 }));
    assert_eq!(quiet["database"], json!({ "kind": "sqlite", "health": "green" }));
    assert_eq!(quiet["backplane"], json!({ "kind": "none", "connected": null }));
    assert_eq!(quiet["nodes"], json!([{ "name": "", "self": true, "lastHeardSeconds": 0 }]));
    let time = chrono::DateTime::parse_from_rfc3339(quiet["time"].as_str().unwrap());
    assert!(time.is_ok(), "{}", quiet["time"]);

    let mut of_bob = [Listener::open(&server, &bob, "").await, Listener::open(&server, &bob, "").await];
    let mut of_ann = Listener::open(&server, &ann, "").await;
    for text in ["one", "two", "three"] {
        push(&server, &bob, text).await;
        for listener in &mut of_bob {
            listener.message().await;
        }
    }
    push(&server, &ann, "for-ann").await;
    of_ann.message().await;
    until(&server, "seven messages were delivered", |live| live["messages"]["delivered"] == 7).await;
    let live = of(&server).await;
    assert_eq!(live["messages"], json!({ "stored": 4, "delivered": 7, "waiting": 0 }));
    assert_eq!(
        live["streams"]["users"],
        json!([
            { "id": bob.user.id, "name": "bob", "streams": 2 },
            { "id": ann.user.id, "name": "ann", "streams": 1 },
        ])
    );
    let shards = live["streams"]["shards"].as_array().unwrap();
    let in_shards: u64 = shards.iter().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((&live["streams"]["total"], in_shards, shards.len()), (&json!(3), 3, 4));

    drop(of_bob);
    until(&server, "one stream is left", |live| live["streams"]["total"] == 1).await;
    assert_eq!(of(&server).await["slowConsumers"], 0, "clients that go are not slow");
}

#[tokio::test]
async fn a_database_that_can_not_store_now_is_shown_as_red() {
    let server = TestServer::start().await;
    let options = SqliteConnectOptions::new().filename(&server.database);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    until(&server, "it is red", |live| live["database"]["health"] == "red").await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    until(&server, "it is green", |live| live["database"]["health"] == "green").await;
}
