//! Messages in Protocol Buffers: the generated code, streams, publishing.

use std::path::Path;

use prost::Message as _;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::harness::{Person, TestServer, http};
use crate::listener::{Listener, push};

#[allow(
    clippy::allow_attributes,
    clippy::pedantic,
    unreachable_pub,
    missing_docs,
    reason = "it is generated"
)]
mod generated {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/gotify.v1.rs"));
}

/// Makes the code anew. With `UPDATE_GENERATED` set it also takes the old one's place.
#[test]
fn the_generated_code_is_that_of_the_proto() {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let folder = tempfile::tempdir().unwrap();
    let files = protox::compile([proto.join("gotify/v1/message.proto")], [&proto]).unwrap();
    prost_build::Config::new().out_dir(folder.path()).compile_fds(files).unwrap();
    let made = std::fs::read_to_string(folder.path().join("gotify.v1.rs")).unwrap();
    let file = proto.join("gotify.v1.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let kept = std::fs::read_to_string(file).unwrap();
    assert!(kept == made, "set UPDATE_GENERATED=1 and run this test again, to write proto/gotify.v1.rs");
}

/// Opens a stream that offers a subprotocol, if any, and returns it with the one that was agreed on.
async fn stream(
    server: &TestServer,
    person: &Person,
    query: &str,
    subprotocol: Option<&str>,
) -> (Listener, Option<String>) {
    let url = format!("ws://{}/stream?token={}{query}", server.address, person.client.token);
    let mut request = url.into_client_request().unwrap();
    if let Some(subprotocol) = subprotocol {
        request.headers_mut().insert("sec-websocket-protocol", subprotocol.parse().unwrap());
    }
    let (stream, answer) = connect_async(request).await.unwrap();
    let agreed = answer.headers().get("sec-websocket-protocol");
    (Listener(stream), agreed.map(|agreed| agreed.to_str().unwrap().to_owned()))
}

/// Waits for a binary frame.
async fn binary(listener: &mut Listener) -> generated::Message {
    loop {
        match listener.next().await {
            Message::Binary(bytes) => return generated::Message::decode(bytes).unwrap(),
            Message::Ping(_) => {}
            other => panic!("expected a binary frame, not {other:?}"),
        }
    }
}

fn assert_same(message: &generated::Message, json: &Value) {
    assert_eq!(message.id, json["id"]);
    assert_eq!(message.appid, json["appid"]);
    assert_eq!(message.message, json["message"].as_str().unwrap());
    assert_eq!(message.title, json["title"].as_str().unwrap());
    assert_eq!(message.priority, json["priority"].as_i64());
    let extras: Option<Value> = serde_json::from_slice(&message.extras).ok();
    assert_eq!(extras.as_ref(), json.get("extras"));
    let date = message.date.unwrap();
    let east = chrono::FixedOffset::east_opt(message.date_offset_minutes * 60).unwrap();
    let utc = chrono::DateTime::from_timestamp(date.seconds, date.nanos.cast_unsigned()).unwrap();
    let expected = chrono::DateTime::parse_from_rfc3339(json["date"].as_str().unwrap()).unwrap();
    assert_eq!(utc.with_timezone(&east), expected);
    assert_eq!(east, *expected.offset());
}

#[tokio::test]
async fn both_formats_bring_the_same_messages_side_by_side_and_from_the_backlog() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let missed = push(&server, &ann, "missed").await;
    let (mut by_subprotocol, agreed) = stream(&server, &ann, "", Some("chat, gotify.v1.protobuf")).await;
    assert_eq!(agreed.as_deref(), Some("gotify.v1.protobuf"));
    let (mut by_query, agreed) = stream(&server, &ann, "&format=protobuf&since=0", None).await;
    assert_eq!(agreed, None);
    let mut json = Listener::open(&server, &ann, "&format=json&since=0").await;
    assert_same(&binary(&mut by_query).await, &missed);
    assert_eq!(json.message().await, missed);
    for text in ["one", "two", "three"] {
        let answered = push(&server, &ann, text).await;
        assert_same(&binary(&mut by_subprotocol).await, &answered);
        assert_same(&binary(&mut by_query).await, &answered);
        assert_eq!(json.message().await, answered);
    }
}

#[tokio::test]
async fn an_unknown_format_is_refused_by_name() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let url = format!("ws://{}/stream?token={}&format=xml", server.address, ann.client.token);
    let Err(Error::Http(response)) = connect_async(url).await else { panic!("it was admitted") };
    assert_eq!(response.status(), 400);
    let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
    assert_eq!(body["errorDescription"], "Field 'format' must be json or protobuf");
}

#[tokio::test]
async fn a_message_is_published_and_answered_in_either_format() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut json = Listener::open(&server, &ann, "").await;
    let sent = generated::Message {
        message: "häßlich & schön".to_owned(),
        extras: serde_json::to_vec(&json!({ "client::display": { "contentType": "text/markdown" } }))
            .unwrap(),
        // Set by the server, whatever a client says.
        id: 99,
        appid: 99,
        ..generated::Message::default()
    };
    let post = |accept: &str| {
        http()
            .post(format!("http://{}/message", server.address))
            .header("X-Gotify-Key", &ann.application.token)
            .header("Content-Type", "application/x-protobuf")
            .header("Accept", accept)
            .body(sent.encode_to_vec())
            .send()
    };

    let answer = post("*/*").await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let stored: Value = answer.json().await.unwrap();
    assert_eq!((&stored["message"], &stored["title"]), (&json!("häßlich & schön"), &json!("ci")));
    assert_eq!(stored["priority"], 4, "the application's default");
    assert_eq!(stored["appid"], ann.application.id.0);
    assert_eq!(json.message().await, stored);

    let answer = post("application/x-protobuf").await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    let answered = generated::Message::decode(answer.bytes().await.unwrap()).unwrap();
    assert_same(&answered, &json.message().await);
}

#[tokio::test]
async fn a_wrong_body_is_refused_with_gotifys_error_object() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for (body, expected) in [
        (&b"\x0a\x7fcut off"[..], "invalid Protobuf: "),
        (b"\x22\x05title", "Field 'message' is required"),
        (b"\x0a\x02hi\x42\x02[]", "Field 'extras' must be a JSON object: "),
    ] {
        let answer = http()
            .post(format!("http://{}/message?message=not+looked+at", server.address))
            .header("X-Gotify-Key", &ann.application.token)
            .header("Content-Type", "application/x-protobuf")
            .header("Accept", "application/x-protobuf")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 400);
        let error: Value = answer.json().await.unwrap();
        assert!(error["errorDescription"].as_str().unwrap().starts_with(expected), "{error}");
    }
}
