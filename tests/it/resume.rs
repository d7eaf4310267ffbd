//! Streams that begin with what their client has missed, and when that is too much.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::event_stream::Events;
use crate::harness::TestServer;
use crate::listener::{Listener, push};

#[tokio::test]
async fn a_client_that_has_missed_too_many_messages_pages_and_then_resumes() {
    let server = TestServer::start_with(|config| config.stream.max_resume_messages = 5).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let seen = push(&server, &ann, "seen").await["id"].as_u64().unwrap();
    let mut missed = Vec::new();
    for number in 0..5 {
        push(&server, &bob, "another").await;
        missed.push(push(&server, &ann, &format!("missed{number}")).await);
    }
    let since = format!("&since={seen}");
    let mut near = Listener::open(&server, &ann, &since).await;
    for message in &missed {
        assert_eq!(&near.message().await, message, "messages of others do not count");
    }

    missed.push(push(&server, &ann, "one-too-many").await);
    let mut far = Listener::open(&server, &ann, &since).await;
    let Message::Close(Some(frame)) = far.next().await else { panic!("nothing else comes") };
    assert_eq!(u16::from(frame.code), 4001);
    let expected =
        "too far behind: page through GET /message?after=ID, then open a stream after the last message";
    assert_eq!(frame.reason, expected);
    let mut events = Events::open(&server, &ann, "", Some(seen)).await;
    assert_eq!(events.end().await, expected);

    let key = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    let page = server.send("GET", &format!("/message?after={seen}"), &key, "").await.json();
    assert_eq!(page["messages"], Value::Array(missed));
    let mut resumed = Listener::open(&server, &ann, &format!("&since={}", page["paging"]["after"])).await;
    let live = push(&server, &ann, "live").await;
    assert_eq!(resumed.message().await, live);
}
