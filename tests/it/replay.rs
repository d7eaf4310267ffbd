//! Clients made for Gotify that get again what they have not acknowledged, where that is switched on.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Person, TestServer};
use crate::listener::{Listener, PATIENCE, push};

/// A server that pings every second.
async fn server() -> TestServer {
    TestServer::start_with(|config| config.stream.ping_period = Duration::from_secs(1)).await
}

async fn set_replay(server: &TestServer, person: &Person, replay: &Value) -> Value {
    let key = [
        ("X-Gotify-Key".to_owned(), person.client.token.clone()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    let body = json!({"name": "phone", "replay": replay}).to_string();
    server.send("PUT", &format!("/client/{}", person.client.id), &key, &body).await.json()
}

/// Reads, as any client does, until a ping carries this id. The library answers it with the same id.
async fn wait_for_ping(listener: &mut Listener, id: &Value) {
    let expected = id.to_string();
    while !matches!(listener.next().await, Message::Ping(payload) if *payload == *expected.as_bytes()) {}
    listener.0.flush().await.unwrap();
}

/// Waits until the database knows that the client has everything up to this message.
async fn wait_for_acknowledgment(server: &TestServer, person: &Person, id: &Value) {
    let known = async {
        let id = id.as_u64();
        while server.store.database().acknowledged(person.client.id).await.unwrap().map(|id| id.0) != id {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.expect("it is written");
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_has_not_acknowledged() {
    let server = server().await;
    let ann = server.person("ann").await;
    push(&server, &ann, "before").await;
    assert_eq!(set_replay(&server, &ann, &json!(true)).await["replay"], true);

    let mut first = Listener::open(&server, &ann, "").await;
    let seen = push(&server, &ann, "seen").await;
    assert_eq!(first.message().await, seen, "a first stream begins with what is new");
    wait_for_ping(&mut first, &seen["id"]).await;
    wait_for_acknowledgment(&server, &ann, &seen["id"]).await;
    // It comes, and is not acknowledged; the connection ends without a word.
    let on_its_way = push(&server, &ann, "on-its-way").await;
    assert_eq!(first.message().await, on_its_way);
    drop(first);
    let missed = push(&server, &ann, "missed").await;

    let mut second = Listener::open(&server, &ann, "").await;
    for expected in [&on_its_way, &missed, &push(&server, &ann, "live").await] {
        assert_eq!(&second.message().await, expected);
    }
    drop(second);
    // It is taken at its word if it knows `since`.
    let mut third = Listener::open(&server, &ann, &format!("&since={}", missed["id"])).await;
    assert_eq!(third.message().await["message"], "live");
}

#[tokio::test]
async fn a_client_that_never_answers_is_owed_everything_since_its_first_stream() {
    let server = server().await;
    let ann = server.person("ann").await;
    let before = push(&server, &ann, "before").await;
    set_replay(&server, &ann, &json!(true)).await;
    drop(Listener::open(&server, &ann, "").await);
    wait_for_acknowledgment(&server, &ann, &before["id"]).await;
    let missed = push(&server, &ann, "missed").await;
    for _ in 0..2 {
        assert_eq!(Listener::open(&server, &ann, "").await.message().await, missed);
    }
}

#[tokio::test]
async fn replay_is_off_unless_it_is_switched_on_and_switched_off_it_is_forgotten() {
    let server = server().await;
    let ann = server.person("ann").await;
    let open_and_miss = async || {
        let mut listener = Listener::open(&server, &ann, "").await;
        let seen = push(&server, &ann, "seen").await;
        assert_eq!(listener.message().await, seen);
        let Some(Ok(Message::Ping(payload))) = listener.0.next().await else { panic!("a ping comes") };
        drop(listener);
        (payload, push(&server, &ann, "missed").await)
    };
    let (payload, _) = open_and_miss().await;
    assert!(payload.is_empty(), "{payload:?}");

    set_replay(&server, &ann, &json!(true)).await;
    let (payload, _) = open_and_miss().await;
    assert!(!payload.is_empty());
    set_replay(&server, &ann, &json!(false)).await;
    let mut listener = Listener::open(&server, &ann, "").await;
    let live = push(&server, &ann, "live").await;
    assert_eq!(listener.message().await, live);
}

#[tokio::test]
async fn a_client_with_replay_that_has_missed_too_much_begins_with_what_is_new() {
    let server = TestServer::start_with(|config| {
        config.stream.replay = true;
        config.stream.max_resume_messages = 3;
    })
    .await;
    let ann = server.person("ann").await;
    let before = push(&server, &ann, "before").await;
    drop(Listener::open(&server, &ann, "").await);
    wait_for_acknowledgment(&server, &ann, &before["id"]).await;
    let mut missed = Vec::new();
    for number in 0..3 {
        missed.push(push(&server, &ann, &format!("missed{number}")).await);
    }
    let mut near = Listener::open(&server, &ann, "").await;
    for message in &missed {
        assert_eq!(&near.message().await, message);
    }
    drop(near);
    push(&server, &ann, "one-too-many").await;
    let mut far = Listener::open(&server, &ann, "").await;
    let live = push(&server, &ann, "live").await;
    assert_eq!(far.message().await, live);
}

#[tokio::test]
async fn a_wrong_value_is_refused() {
    let server = server().await;
    let ann = server.person("ann").await;
    let answer = set_replay(&server, &ann, &json!("yes")).await;
    let expected = "field 'replay' has an invalid value";
    let description = answer["errorDescription"].as_str().unwrap();
    assert!(
        description.contains("replay") && description.contains("true or false"),
        "{description} {expected}"
    );
}
