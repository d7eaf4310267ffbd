//! `/stream?events=true`: what happens to messages and applications.

use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

use crate::event_stream::Events;
use crate::harness::{Answer, Person, TestServer};
use crate::listener::{Listener, push};

/// Makes a request of a person's client, with a body in JSON.
pub(crate) async fn call(
    server: &TestServer,
    person: &Person,
    method: &str,
    target: &str,
    body: Value,
) -> Answer {
    let headers = [("X-Gotify-Key", person.client.token.as_str()), ("Content-Type", "application/json")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    server.send(method, target, &headers, &body.to_string()).await
}

/// As [`call`], of a request that is granted.
pub(crate) async fn done(
    server: &TestServer,
    person: &Person,
    method: &str,
    target: &str,
    body: Value,
) -> Answer {
    let answer = call(server, person, method, target, body).await;
    assert_eq!(answer.status, 200, "{method} {target}: {answer:?}");
    answer
}

/// Streams of a person: two that ask for events, and one that does not.
struct Streams {
    web_socket: Listener,
    events: Events,
    plain: Listener,
}

impl Streams {
    async fn open(server: &TestServer, person: &Person) -> Self {
        Self {
            web_socket: Listener::open(server, person, "&events=true").await,
            events: Events::open(server, person, "&events=true", None).await,
            plain: Listener::open(server, person, "").await,
        }
    }

    /// Waits for an event as the next thing that comes, in both forms.
    async fn expect(&mut self, event: Value) {
        assert_eq!(self.web_socket.message().await, event);
        assert_eq!(self.events.event().await, event);
    }

    /// Publishes a message, which all streams get next.
    async fn publish(&mut self, server: &TestServer, person: &Person, text: &str) -> u64 {
        let sent = push(server, person, text).await;
        assert_eq!(self.web_socket.message().await, sent);
        assert_eq!(self.events.message().await, sent);
        assert_eq!(self.plain.message().await, sent, "nothing else has come");
        sent["id"].as_u64().unwrap()
    }
}

#[tokio::test]
async fn what_happens_to_messages_is_announced() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut streams = Streams::open(&server, &ann).await;
    let app = ann.application.id;
    let of_app = format!("/application/{app}/message");

    push(&server, &bob, "bobs").await;
    done(&server, &bob, "DELETE", "/message", json!(null)).await;
    let first = streams.publish(&server, &ann, "first").await;
    done(&server, &ann, "DELETE", &format!("/message/{first}"), json!(null)).await;
    streams.expect(json!({ "event": "deleted", "ids": [first] })).await;
    assert_eq!(call(&server, &ann, "DELETE", &format!("/message/{first}"), json!(null)).await.status, 404);

    let second = streams.publish(&server, &ann, "second").await;
    done(&server, &ann, "DELETE", &of_app, json!(null)).await;
    streams.expect(json!({ "event": "deleted", "appid": app, "upTo": second })).await;

    let third = streams.publish(&server, &ann, "third").await;
    let read = async |body: Value| done(&server, &ann, "POST", "/shardcast/read", body).await;
    read(json!({ "upTo": third, "appid": app })).await;
    streams.expect(json!({ "event": "read", "appid": app, "upTo": third })).await;
    // Nothing changes any more.
    read(json!({ "upTo": third - 1 })).await;
    read(json!({ "upTo": third + 9 })).await;
    let fourth = streams.publish(&server, &ann, "fourth").await;
    read(json!({ "upTo": fourth + 9 })).await;
    streams.expect(json!({ "event": "read", "upTo": fourth })).await;

    done(&server, &ann, "DELETE", "/message", json!(null)).await;
    streams.expect(json!({ "event": "deleted", "upTo": fourth })).await;
    streams.publish(&server, &ann, "fifth").await;
}

#[tokio::test]
async fn what_happens_to_applications_is_announced() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut streams = Streams::open(&server, &ann).await;
    let changed = || json!({ "event": "applications" });

    let made = done(&server, &ann, "POST", "/application", json!({ "name": "door" })).await.json();
    streams.expect(changed()).await;
    let path = format!("/application/{}", made["id"]);
    done(&server, &ann, "PUT", &path, json!({ "name": "gate", "sortKey": "zz" })).await;
    streams.expect(changed()).await;
    let security = json!({ "regenerateToken": true });
    done(&server, &ann, "PUT", &format!("{path}/security"), security).await;
    streams.expect(changed()).await;
    done(&server, &ann, "PUT", &format!("/shardcast{path}"), json!({ "keepDays": 3 })).await;
    streams.expect(changed()).await;
    done(&server, &ann, "DELETE", &path, json!(null)).await;
    let deleted = json!({ "event": "deleted", "appid": made["id"], "upTo": 9_007_199_254_740_991_u64 });
    streams.expect(deleted).await;
    streams.expect(changed()).await;
    streams.publish(&server, &ann, "last").await;
}

#[tokio::test]
async fn a_stream_that_comes_back_learns_that_it_has_missed_events() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let first = push(&server, &ann, "first").await;
    let second = push(&server, &ann, "second").await;
    let query = format!("&events=true&since={}", first["id"]);
    let mut back = Listener::open(&server, &ann, &query).await;
    assert_eq!(back.message().await, second);
    assert_eq!(back.message().await, json!({ "event": "missed" }));
    let mut back = Events::open(&server, &ann, &query, None).await;
    assert_eq!(back.message().await, second);
    assert_eq!(back.event().await, json!({ "event": "missed" }));
}

#[tokio::test]
async fn a_wrong_request_for_events_is_refused() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for (query, text) in [
        ("events=1", "Field 'events' must be true or false, not \"1\""),
        #[cfg(feature = "protobuf")]
        ("events=true&format=protobuf", "Field 'events' must be false for Protocol Buffers, not \"true\""),
    ] {
        let url = format!("ws://{}/stream?token={}&{query}", server.address, ann.client.token);
        let Err(Error::Http(response)) = connect_async(url).await else { panic!("`{query}` was taken") };
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!((response.status().as_u16(), &body["errorDescription"]), (400, &json!(text)));
    }
    assert_eq!(server.hub.stream_count(), 0);
}
