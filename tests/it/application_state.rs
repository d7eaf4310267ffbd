//! `/shardcast/application` and `/shardcast/read`.

use serde_json::json;

use crate::harness::TestServer;
use crate::listener::push;
use crate::stream_events::{call, done};

#[tokio::test]
async fn unread_messages_are_counted_until_they_are_marked_as_read() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let id = ann.application.id;
    let state = |unread: u64, read: u64, newest: u64| json!([{ "id": id, "unread": unread, "readUpTo": read, "newest": newest, "keepDays": 0, "keepNewest": 0 }]);
    let list = async || done(&server, &ann, "GET", "/shardcast/application", json!(null)).await.json();
    assert_eq!(list().await, state(0, 0, 0));
    push(&server, &bob, "bobs").await;
    let first = push(&server, &ann, "first").await["id"].as_u64().unwrap();
    let second = push(&server, &ann, "second").await["id"].as_u64().unwrap();
    assert_eq!(list().await, state(2, 0, second));
    let marked = done(&server, &ann, "POST", "/shardcast/read", json!({ "upTo": first })).await;
    assert_eq!(marked.body, "");
    assert_eq!(list().await, state(1, first, second));
    done(&server, &ann, "POST", "/shardcast/read", json!({ "upTo": second, "appid": id })).await;
    assert_eq!(list().await, state(0, second, second));
}

#[tokio::test]
async fn how_long_messages_are_kept_is_set_within_limits() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let path = format!("/shardcast/application/{}", ann.application.id);
    let put = async |body| call(&server, &ann, "PUT", &path, body).await;
    let set = put(json!({ "keepDays": 36_500, "keepNewest": 1_000_000_000 })).await.json();
    assert_eq!((&set["keepDays"], &set["keepNewest"]), (&json!(36_500), &json!(1_000_000_000)));
    let set = put(json!({ "keepNewest": 5 })).await.json();
    assert_eq!((&set["keepDays"], &set["keepNewest"]), (&json!(0), &json!(5)), "what is left out is 0");
    for (body, text) in [
        (json!({ "keepDays": 36_501 }), "Field 'keepDays' must be less or equal to 36500"),
        (json!({ "keepNewest": 1_000_000_001 }), "Field 'keepNewest' must be less or equal to 1000000000"),
    ] {
        let answer = put(body).await;
        assert_eq!((answer.status, &answer.json()["errorDescription"]), (400, &json!(text)));
    }
    assert_eq!(put(json!({ "keepDays": -1 })).await.status, 400);
    assert_eq!(call(&server, &bob, "PUT", &path, json!({ "keepDays": 1 })).await.status, 404);
    let list = done(&server, &ann, "GET", "/shardcast/application", json!(null)).await.json();
    assert_eq!(list[0]["keepNewest"], 5, "what was refused changes nothing");
}

#[tokio::test]
async fn messages_of_others_are_not_marked_as_read() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let sent = push(&server, &ann, "first").await;
    let foreign = json!({ "upTo": sent["id"], "appid": ann.application.id });
    assert_eq!(call(&server, &bob, "POST", "/shardcast/read", foreign).await.status, 404);
    done(&server, &bob, "POST", "/shardcast/read", json!({ "upTo": sent["id"] })).await;
    let list = done(&server, &ann, "GET", "/shardcast/application", json!(null)).await.json();
    assert_eq!(list[0]["unread"], 1);
    assert_eq!(call(&server, &ann, "POST", "/shardcast/read", json!({})).await.status, 400);
}
