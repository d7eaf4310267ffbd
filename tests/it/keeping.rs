//! Messages that take the place of older ones, and messages that are not kept.

use std::time::Duration;

use serde_json::{Value, json};

use crate::event_stream::Events;
use crate::harness::{Answer, Person, TestServer};
use crate::listener::{Listener, PATIENCE, push};
use crate::stream_events::done;

/// Sends a message with these extras.
async fn send(server: &TestServer, person: &Person, text: &str, extras: Value) -> Answer {
    let headers = [("X-Gotify-Key", person.application.token.as_str()), ("Content-Type", "application/json")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = json!({ "message": text, "extras": extras });
    server.send("POST", "/message", &headers, &body.to_string()).await
}

/// Returns the texts of a person's messages, newest first.
async fn texts(server: &TestServer, person: &Person) -> Vec<String> {
    let list = done(server, person, "GET", "/message", json!(null)).await.json();
    let messages = list["messages"].as_array().unwrap();
    messages.iter().map(|message| message["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_message_takes_the_place_of_the_one_with_its_key() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut events = Events::open(&server, &ann, "&events=true", None).await;
    let mut plain = Listener::open(&server, &ann, "").await;
    let key = json!({ "shardcast::replace": { "key": "backup" } });
    let sent = async |text: &str| send(&server, &ann, text, key.clone()).await.json();
    let first = sent("first").await;
    assert_eq!(first["extras"], key);
    push(&server, &ann, "between").await;
    let second = sent("second").await;
    assert_eq!(texts(&server, &ann).await, ["second", "between"]);
    for text in ["first", "between", "second"] {
        assert_eq!(events.message().await["message"], text);
        assert_eq!(plain.message().await["message"], text);
    }
    let replaced = json!({ "event": "replaced", "id": second["id"], "ids": [first["id"]] });
    assert_eq!(events.event().await, replaced);
    // Who comes later gets what is there.
    let mut later = Listener::open(&server, &ann, "&since=0").await;
    for text in ["between", "second"] {
        assert_eq!(later.message().await["message"], text);
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for (extra, shown) in [
        (json!({ "key": "" }), "{\"key\":\"\"}"),
        (json!({ "key": 7 }), "{\"key\":7}"),
        (json!("backup"), "\"backup\""),
    ] {
        let answer = send(&server, &ann, "x", json!({ "shardcast::replace": extra })).await;
        let text = format!(
            "Field 'extras' has a wrong entry: 'shardcast::replace' must be an object with a text of 1 to 180 \
             characters as 'key', not {shown}"
        );
        assert_eq!((answer.status, &answer.json()["errorDescription"]), (400, &json!(text)));
    }
    assert!(texts(&server, &ann).await.is_empty());
}

#[tokio::test]
async fn messages_that_are_sent_at_once_with_one_key_leave_one() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let key = json!({ "shardcast::replace": { "key": "backup" } });
    let texts_sent: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    let all = texts_sent.iter().map(|text| send(&server, &ann, text, key.clone()));
    let answers = futures_util::future::join_all(all).await;
    let newest = answers.iter().map(Answer::json).max_by_key(|sent| sent["id"].as_u64()).unwrap();
    assert_eq!(texts(&server, &ann).await, [newest["message"].as_str().unwrap()]);
}

#[tokio::test]
async fn only_the_newest_messages_are_kept_when_a_rule_says_so() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut sent = Vec::new();
    for number in 1..=5 {
        sent.push(push(&server, &ann, &number.to_string()).await["id"].as_u64().unwrap());
    }
    let mut events = Events::open(&server, &ann, "&events=true", None).await;
    let path = format!("/shardcast/application/{}", ann.application.id);
    done(&server, &ann, "PUT", &path, json!({ "keepNewest": 2 })).await;
    let deleted = |up_to: u64| json!({ "event": "deleted", "appid": ann.application.id, "upTo": up_to });
    let mut expected = vec![json!({ "event": "applications" }), deleted(sent[2])];
    // Both come at about the same time.
    for _ in 0..2 {
        let event = events.event().await;
        expected.retain(|expected| *expected != event);
    }
    assert!(expected.is_empty(), "{expected:?}");
    assert_eq!(texts(&server, &ann).await, ["5", "4"]);

    push(&server, &ann, "6").await;
    assert_eq!(tokio::time::timeout(PATIENCE, events.event()).await.unwrap(), deleted(sent[3]));
    assert_eq!(texts(&server, &ann).await, ["6", "5"]);
}

#[tokio::test]
async fn messages_are_deleted_when_they_are_too_old() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let now = chrono::Local::now().fixed_offset();
    let message = |text: &str, days: u64| shardcast::store::NewMessage {
        user_id: ann.user.id,
        application_id: ann.application.id,
        message: text.to_owned(),
        title: String::new(),
        priority: 0,
        extras: None,
        date: now - Duration::from_hours(24 * days),
    };
    for (text, days) in [("old", 9), ("older", 30), ("new", 6)] {
        server.store.publish(message(text, days)).await.unwrap();
    }
    let mut events = Events::open(&server, &ann, "&events=true", None).await;
    let path = format!("/shardcast/application/{}", ann.application.id);
    done(&server, &ann, "PUT", &path, json!({ "keepDays": 7 })).await;
    while events.event().await["event"] != "deleted" {}
    assert_eq!(texts(&server, &ann).await, ["new"]);
}
