//! `/stream?application=` and `/stream?minpriority=`, over both protocols.

use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

use crate::event_stream::Events;
use crate::harness::{Person, TestServer};
use crate::listener::{Listener, push};

/// Makes another application of a person.
async fn application(server: &TestServer, person: &Person, name: &str) -> Value {
    let key = [("X-Gotify-Key".to_owned(), person.client.token.clone())];
    let answer = server.send("POST", &format!("/application?name={name}"), &key, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// Sends a message with a priority.
async fn send(server: &TestServer, token: &str, text: &str, priority: i64) {
    let headers = [("X-Gotify-Key", token), ("Content-Type", "application/json")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = json!({ "message": text, "priority": priority }).to_string();
    let answer = server.send("POST", "/message", &headers, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn only_what_a_client_asks_for_comes_live_and_from_the_backlog() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let (backup, door) =
        (application(&server, &ann, "backup").await, application(&server, &ann, "door").await);
    let token = |application: &Value| application["token"].as_str().unwrap().to_owned();
    let (of_two, urgent) = (
        format!("&application={}&application={}", backup["id"], ann.application.id),
        format!("&minpriority=5&application={}", backup["id"]),
    );

    let mut streams = Vec::new();
    let mut events = None;
    for round in ["old", "new"] {
        if round == "new" {
            streams.push((Listener::open(&server, &ann, &format!("{of_two}&since=0")).await, "two"));
            streams.push((Listener::open(&server, &ann, &format!("{urgent}&since=0")).await, "urgent"));
            events = Some(Events::open(&server, &ann, &format!("{urgent}&since=0"), None).await);
        }
        for number in 0..200 {
            let (sender, priority) = match number % 4 {
                0 => (token(&backup), 5),
                1 => (token(&door), 9),
                2 => (ann.application.token.clone(), 0),
                _ => (token(&backup), 4),
            };
            send(&server, &sender, &format!("{round} {number}"), priority).await;
        }
    }
    let expected = |is_wanted: fn(u32) -> bool| -> Vec<String> {
        let wanted = || (0..200).filter(|&number| is_wanted(number));
        ["old", "new"]
            .iter()
            .flat_map(|round| wanted().map(move |number| format!("{round} {number}")))
            .collect()
    };
    for (stream, kind) in &mut streams {
        for text in expected(if *kind == "two" { |n| n % 4 != 1 } else { |n| n % 4 == 0 }) {
            assert_eq!(stream.message().await["message"], text, "{kind}");
        }
    }
    let events = events.as_mut().unwrap();
    for text in expected(|n| n % 4 == 0) {
        assert_eq!(events.message().await["message"], text);
    }
}

#[tokio::test]
async fn what_a_client_does_not_ask_for_does_not_put_it_too_far_behind() {
    let server = TestServer::start_with(|config| config.stream.max_resume_messages = 3).await;
    let ann = server.person("ann").await;
    let noisy = application(&server, &ann, "noisy").await;
    let seen = push(&server, &ann, "seen").await["id"].as_u64().unwrap();
    for number in 0..20 {
        send(&server, noisy["token"].as_str().unwrap(), &format!("noise {number}"), 1).await;
    }
    let quiet = format!("&application={}", ann.application.id);
    for filter in ["&minpriority=5", &quiet, &format!("{quiet}&minpriority=5")] {
        send(&server, &ann.application.token, "urgent", 9).await;
        let mut listener = Listener::open(&server, &ann, &format!("{filter}&since={seen}")).await;
        assert_eq!(listener.message().await["message"], "urgent", "{filter}");
        let mut events = Events::open(&server, &ann, filter, Some(seen)).await;
        assert_eq!(events.message().await["message"], "urgent", "{filter}");
    }
    // What it asks for counts.
    send(&server, &ann.application.token, "urgent", 9).await;
    let mut events = Events::open(&server, &ann, "&minpriority=5", Some(seen)).await;
    assert!(events.end().await.starts_with("too far behind"));
}

#[tokio::test]
async fn an_application_of_another_user_brings_nothing() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    push(&server, &bob, "old").await;
    let (foreign, own) = (bob.application.id, ann.application.id);
    let mut both =
        Listener::open(&server, &ann, &format!("&since=0&application={foreign}&application={own}")).await;
    push(&server, &bob, "new").await;
    let sent = push(&server, &ann, "anns").await;
    assert_eq!(both.message().await, sent);
}

#[tokio::test]
async fn a_filter_that_is_wrong_is_named_before_the_upgrade() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for (query, text) in [
        (
            "application=x",
            "Field 'application' must be a whole number from 0 to 18446744073709551615, not \"x\"",
        ),
        ("minpriority=", "Field 'minpriority' must be a whole number or left out, not \"\""),
    ] {
        let target = format!("/stream?token={}&{query}", ann.client.token);
        let url = format!("ws://{}{target}", server.address);
        let Err(Error::Http(response)) = connect_async(url).await else { panic!("`{query}` was taken") };
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!((response.status().as_u16(), &body["errorDescription"]), (400, &json!(text)));

        let accept = [("Accept".to_owned(), "text/event-stream".to_owned())];
        let answer = server.send("GET", &target, &accept, "").await;
        assert_eq!((answer.status, &answer.json()["errorDescription"]), (400, &json!(text)));
    }
    assert_eq!(server.hub.stream_count(), 0);
}
