//! `/stream`, with a real WebSocket client.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::Value;
use shardcast::hub::EndReason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message, protocol::frame::coding::CloseCode};

use crate::harness::TestServer;
use crate::listener::{Listener, PATIENCE, push};

#[tokio::test]
async fn a_message_comes_as_it_was_answered_and_to_its_user_alone() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let (mut first, mut second) =
        (Listener::open(&server, &ann, "").await, Listener::open(&server, &ann, "").await);
    let mut foreign = Listener::open(&server, &bob, "").await;

    let answered = push(&server, &ann, "hello").await;
    assert_eq!(first.message().await, answered);
    assert_eq!(second.message().await, answered);
    let own = push(&server, &bob, "bobs").await;
    assert_eq!(foreign.message().await, own);
}

#[tokio::test]
async fn every_place_of_a_token_opens_a_stream() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let basic = base64_of(&format!("ann:{}", ann.password));
    for (name, value) in [
        ("X-Gotify-Key", ann.client.token.clone()),
        ("Authorization", format!("Bearer {}", ann.client.token)),
        ("Cookie", format!("gotify-client-token={}", ann.client.token)),
        ("Authorization", format!("Basic {basic}")),
    ] {
        let mut headers: Vec<_> =
            upgrade.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        headers.push((name.to_owned(), value));
        let status = server.send_upgrade("/stream", &headers).await;
        assert_eq!(status, 101, "{name}");
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(text)
}

#[tokio::test]
async fn who_may_not_listen_is_told_before_the_upgrade() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for token in ["", "Cnobody", ann.application.token.as_str()] {
        let url = format!("ws://{}/stream?token={token}", server.address);
        let Err(Error::Http(response)) = connect_async(url).await else { panic!("admitted with {token:?}") };
        assert_eq!(response.status(), 401);
        let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
        assert_eq!(body["errorCode"], 401);
    }
}

#[tokio::test]
async fn a_request_that_is_no_handshake_gets_a_400_in_gotifys_form() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let answer = server.send("GET", &format!("/stream?token={}", ann.client.token), &[], "").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let object = answer.body.strip_prefix("Bad Request\n").expect("the reason phrase comes first");
    assert_eq!(serde_json::from_str::<Value>(object).unwrap()["errorCode"], 400);
}

#[tokio::test]
async fn since_brings_what_was_missed_and_then_what_comes() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(push(&server, &ann, &number.to_string()).await["id"].as_u64().unwrap());
    }
    let mut listener = Listener::open(&server, &ann, &format!("&since={}", ids[99])).await;
    let publisher = async {
        for number in 300..400 {
            push(&server, &ann, &number.to_string()).await;
        }
    };
    let reader = async {
        for number in 100..400 {
            assert_eq!(listener.message().await["message"], number.to_string());
        }
    };
    tokio::join!(publisher, reader);

    let url = format!("ws://{}/stream?token={}&since=x", server.address, ann.client.token);
    let Err(Error::Http(response)) = connect_async(url).await else { panic!("`since=x` was taken") };
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn since_brings_messages_of_every_size_in_order() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let sizes = [1, 300_000, 10, 100_000, 100_000, 100_000, 6_000, 2_000_000, 2_000_000, 5];
    let headers = [("X-Gotify-Key", ann.application.token.as_str()), ("Content-Type", "application/json")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    for size in sizes {
        let body = format!(r#"{{"message":"{}"}}"#, "x".repeat(size));
        assert_eq!(server.send("POST", "/message", &headers, &body).await.status, 200);
    }
    let mut listener = Listener::open(&server, &ann, "&since=0").await;
    for (place, size) in sizes.into_iter().enumerate() {
        let message = listener.message().await;
        assert_eq!(message["message"].as_str().unwrap().len(), size, "message {place}");
    }
}

#[tokio::test]
async fn deleting_a_client_closes_its_streams() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listener = Listener::open(&server, &ann, "").await;
    let key = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    let answer = server.send("DELETE", &format!("/client/{}", ann.client.id), &key, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(listener.close_code().await, 1008);
    let url = format!("ws://{}/stream?token={}", server.address, ann.client.token);
    assert!(connect_async(url).await.is_err());
}

#[tokio::test]
async fn pings_are_answered_and_small_frames_ignored() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listener = Listener::open(&server, &ann, "").await;
    listener.0.send(Message::text("x".repeat(64))).await.unwrap();
    listener.0.send(Message::Ping(b"are you there"[..].into())).await.unwrap();
    assert_eq!(listener.next().await, Message::Pong(b"are you there"[..].into()));
    let answered = push(&server, &ann, "still").await;
    assert_eq!(listener.message().await, answered);
    listener.0.close(None).await.unwrap();
    assert!(matches!(listener.next().await, Message::Close(_)));
}

#[tokio::test]
async fn a_client_that_is_closed_amid_its_sending_still_gets_the_close_frame() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let text_that_is_not_masked = [0x81, 0x00];
    let close_twice = [0x88, 0x80, 0, 0, 0, 0, 0x88, 0x80, 0, 0, 0, 0];
    let close_with_half_a_code = [0x88, 0x81, 0, 0, 0, 0, 3];
    for (sent, answer) in [
        (&text_that_is_not_masked[..], &b"\x88\x10\x03\xeaprotocol error"[..]),
        (&close_with_half_a_code, b"\x88\x10\x03\xeaprotocol error"),
        (&close_twice, b"\x88\x00"),
    ] {
        let mut socket = server.upgrade(&format!("/stream?token={}", ann.client.token)).await;
        // More than the server reads in one go: it must not close its socket while some of it is unread.
        let mut bytes = sent.to_vec();
        bytes.resize(100_000, 0x77);
        socket.write_all(&bytes).await.unwrap();
        let mut answered = Vec::new();
        tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answered)).await.expect("an end").unwrap();
        assert_eq!(answered, answer, "after {sent:x?}");
    }
}

#[tokio::test]
async fn control_frames_of_up_to_125_bytes_are_answered() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for length in [64_u8, 65, 125] {
        let mut socket = server.upgrade(&format!("/stream?token={}", ann.client.token)).await;
        let payload = vec![b'p'; length.into()];
        // Masked with zeros, so that the payload stays as it is.
        for opcode in [0x8a, 0x89] {
            socket.write_all(&[&[opcode, 0x80 | length, 0, 0, 0, 0], &payload[..]].concat()).await.unwrap();
        }
        let mut pong = vec![0; 2 + payload.len()];
        tokio::time::timeout(PATIENCE, socket.read_exact(&mut pong)).await.expect("a pong").unwrap();
        assert_eq!(pong, [&[0x8a, length], &payload[..]].concat());

        let close = [&[0x88, 0x80 | length, 0, 0, 0, 0, 0x03, 0xe8], &payload[2..]].concat();
        socket.write_all(&close).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("an end").unwrap();
        assert_eq!(answer, b"\x88\x02\x03\xe8", "a close frame of {length} bytes");
    }
}

#[tokio::test]
async fn a_frame_too_large_and_a_flood_are_closed() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut too_large = Listener::open(&server, &ann, "").await;
    too_large.0.send(Message::text("x".repeat(65))).await.unwrap();
    assert_eq!(too_large.close_code().await, u16::from(CloseCode::Size));

    for frame in [Message::Ping("p".into()), Message::Pong("p".into()), Message::text("t")] {
        let mut flood = Listener::open(&server, &ann, "").await;
        for _ in 0..200 {
            // The server may have closed already.
            let _ = flood.0.send(frame.clone()).await;
        }
        assert_eq!(flood.close_code().await, 1008, "{frame:?}");
    }
    tokio::time::timeout(PATIENCE, async {
        while server.hub.stream_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("all of them end");
    let ends = server.hub.end_counts();
    assert!(
        ends.contains(&(EndReason::TooLarge, 1)) && ends.contains(&(EndReason::TooManyFrames, 3)),
        "{ends:?}"
    );
}

#[tokio::test]
async fn a_shutdown_says_1012_to_every_stream() {
    let mut server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listeners = Vec::new();
    for _ in 0..20 {
        listeners.push(Listener::open(&server, &ann, "").await);
    }
    server.server.shutdown();
    for listener in &mut listeners {
        assert_eq!(listener.close_code().await, 1012);
        let _ = listener.0.close(None).await;
    }
    assert_eq!(server.server.join().await.unfinished, 0);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_unless_its_host_is_allowed() {
    let server = TestServer::start_with(|config| {
        config.stream.allowed_origins = vec![r"app\.example".to_owned()];
        config.cors.allow_origins = vec![r"https://(app|other)\.example.*".to_owned()];
    })
    .await;
    let ann = server.person("ann").await;
    let target = format!("/stream?token={}", ann.client.token);
    for (origin, status) in [
        (format!("http://{}", server.address), 101),
        ("https://app.example".to_owned(), 101),
        ("https://app.example.evil".to_owned(), 403),
        ("https://other.example".to_owned(), 403),
        ("http://app.example".to_owned(), 403),
    ] {
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Origin", &origin),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(server.send_upgrade(&target, &headers).await, status, "{origin}");
    }
}
