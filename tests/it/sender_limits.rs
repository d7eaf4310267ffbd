//! Limits of what applications and users send. Time stands still and is advanced by hand.

use std::time::Duration;

use serde_json::json;
use shardcast::api::SenderLimits;
use shardcast::store::NewMessage;
use tokio::time::advance;

use crate::expiry::StandingTime;
use crate::harness::{Answer, Person, TestServer};

async fn limited(limits: SenderLimits) -> (TestServer, StandingTime) {
    let time = StandingTime::new();
    (TestServer::start_with(|config| config.api.sender_limits = limits).await, time)
}

async fn send(server: &TestServer, token: &str) -> Answer {
    let key = [("X-Gotify-Key".to_owned(), token.to_owned())];
    server.send("POST", "/message?title=t&message=123456789", &key, "").await
}

async fn assert_sent(server: &TestServer, token: &str) {
    let answer = send(server, token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn assert_refused(server: &TestServer, token: &str, seconds: u64, text: &str) {
    let answer = send(server, token).await;
    assert_eq!(answer.header("retry-after"), Some(&*seconds.to_string()), "{answer:?}");
    let expected = json!({
        "error": "Too Many Requests",
        "errorCode": 429,
        "errorDescription": format!("{text} try again in {seconds} s"),
    });
    assert_eq!((answer.status, answer.json()), (429, expected));
}

/// Makes another application of a person, and returns its token.
async fn another_application(server: &TestServer, person: &Person) -> String {
    let key = [("X-Gotify-Key".to_owned(), person.client.token.clone())];
    let made = server.send("POST", "/application?name=other", &key, "").await;
    made.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn messages_per_minute_are_limited_per_application_and_per_user() {
    let limits = SenderLimits::default().with_messages_per_application(2).with_messages_per_user(3);
    let (server, _time) = limited(limits).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let (first, second) = (&ann.application.token, another_application(&server, &ann).await);
    assert_sent(&server, first).await;
    assert_sent(&server, first).await;
    assert_refused(&server, first, 30, "the application may send 2 messages per minute,").await;
    assert_sent(&server, &second).await;
    assert_refused(&server, &second, 20, "the user may send 3 messages per minute,").await;
    assert_sent(&server, &bob.application.token).await;

    advance(Duration::from_secs(20)).await;
    assert_refused(&server, first, 10, "the application may send 2 messages per minute,").await;
    // What its user's limit has refused did not count as the application's.
    assert_sent(&server, &second).await;
    advance(Duration::from_secs(20)).await;
    assert_sent(&server, first).await;
}

#[tokio::test(start_paused = true)]
async fn stored_bytes_are_limited_and_there_is_room_again_after_deletions() {
    const FULL: &str = "the messages of the application may have 25 bytes in all; delete some, and";
    let limits = SenderLimits::default().with_stored_bytes_per_application(25).with_stored_bytes_per_user(34);
    let (server, _time) = limited(limits).await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let (first, second) = (&ann.application.token, another_application(&server, &ann).await);
    // One was there before the limit.
    let earlier = NewMessage {
        user_id: ann.user.id,
        application_id: ann.application.id,
        message: "123456789".to_owned(),
        title: "t".to_owned(),
        priority: 0,
        extras: None,
        date: chrono::Local::now().fixed_offset(),
    };
    server.store.publish(earlier).await.unwrap();
    assert_sent(&server, first).await;
    assert_refused(&server, first, 10, FULL).await;
    assert_sent(&server, &second).await;
    let user_is_full = "the messages of the user may have 34 bytes in all; delete some, and";
    assert_refused(&server, &second, 10, user_is_full).await;
    assert_sent(&server, &bob.application.token).await;

    let key = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    let path = format!("/application/{}/message", ann.application.id);
    assert_eq!(server.send("DELETE", &path, &key, "").await.status, 200);
    advance(Duration::from_secs(4)).await;
    assert_refused(&server, first, 6, FULL).await;
    advance(Duration::from_secs(6)).await;
    assert_sent(&server, first).await;
    assert_sent(&server, first).await;
    assert_refused(&server, first, 10, FULL).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_refused_for_its_bytes_does_not_count_as_one_of_the_minutes() {
    let limits =
        SenderLimits::default().with_messages_per_application(2).with_stored_bytes_per_application(10);
    let (server, _time) = limited(limits).await;
    let ann = server.person("ann").await;
    assert_sent(&server, &ann.application.token).await;
    for _ in 0..5 {
        let full = "the messages of the application may have 10 bytes in all; delete some, and";
        assert_refused(&server, &ann.application.token, 10, full).await;
    }
    let key = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    assert_eq!(server.send("DELETE", "/message", &key, "").await.status, 200);
    advance(Duration::from_secs(10)).await;
    assert_sent(&server, &ann.application.token).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_never_fits_is_too_large_and_not_to_be_sent_again() {
    for (of, limits) in [
        ("application", SenderLimits::default().with_stored_bytes_per_application(9)),
        ("user", SenderLimits::default().with_stored_bytes_per_user(9)),
    ] {
        let (server, _time) = limited(limits.with_messages_per_application(1)).await;
        let ann = server.person("ann").await;
        for _ in 0..3 {
            let answer = send(&server, &ann.application.token).await;
            let text = format!(
                "the message has 10 bytes in its text, title and extras, and the messages of the {of} may have 9 bytes in all"
            );
            let expected =
                json!({ "error": "Payload Too Large", "errorCode": 413, "errorDescription": text });
            assert_eq!((answer.status, answer.header("retry-after")), (413, None));
            assert_eq!(answer.json(), expected);
        }
        let key = [("X-Gotify-Key".to_owned(), ann.application.token.clone())];
        assert_eq!(server.send("POST", "/message?title=t&message=12345678", &key, "").await.status, 200);
    }
}

#[tokio::test]
async fn by_default_nothing_is_limited() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for _ in 0..100 {
        assert_sent(&server, &ann.application.token).await;
    }
}
