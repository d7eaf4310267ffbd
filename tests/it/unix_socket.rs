//! Listening on a Unix socket.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use rustix::process::Signal;
use serde_json::Value;
use shardcast::server::{Address, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::event_stream::RawEvents;
use crate::harness::TestServer;
use crate::program::Program;

async fn ask(path: &Path, request: &str) -> String {
    let mut socket = UnixStream::connect(path).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

fn request(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: push\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}

async fn start() -> (TestServer, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.sock");
    let on_socket = |config: &mut ServerConfig| config.listen_address = format!("unix:{}", path.display());
    let server = TestServer::start_listening(|_| {}, on_socket).await;
    assert_eq!(server.server.endpoints()[0].address, Address::Unix(path.clone()));
    (server, path, folder)
}

#[tokio::test]
async fn messages_are_sent_and_streamed_over_a_unix_socket() {
    let (server, path, _folder) = start().await;
    let ann = server.person("ann").await;
    let socket = UnixStream::connect(&path).await.unwrap();
    let url = format!("ws://push/stream?token={}", ann.client.token);
    let (mut stream, _) = client_async(url, socket).await.unwrap();
    // Far more than the socket takes before it is read: the stream falls behind and catches up.
    let count = 300;
    let text = "x".repeat(3000);
    for at in 0..count {
        let target = format!("/message?token={}&message={at}-{text}", ann.application.token);
        assert!(ask(&path, &request("POST", &target)).await.starts_with("HTTP/1.1 200 "));
    }
    for at in 0..count {
        let Message::Text(message) = stream.next().await.unwrap().unwrap() else { panic!("no message") };
        assert!(message.contains(&format!("\"{at}-xxx")), "{at}: {message}");
    }
    server.hub.close_token(shardcast::hub::UserId(ann.user.id.0), &ann.client.token);
    let Message::Close(Some(frame)) = stream.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1008);
}

#[tokio::test]
async fn events_are_resumed_and_streamed_over_a_unix_socket() {
    let (server, path, _folder) = start().await;
    let ann = server.person("ann").await;
    let publish = async |text: &str| -> Value {
        let target = format!("/message?token={}&message={text}", ann.application.token);
        let answer = ask(&path, &request("POST", &target)).await;
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let seen = publish("seen").await;
    let missed = publish("missed").await;
    let socket = UnixStream::connect(&path).await.unwrap();
    let mut events = RawEvents::open(socket, &ann, seen["id"].as_u64().unwrap()).await;
    events.expect_message(&missed).await;
    events.expect_message(&publish("live").await).await;
    server.hub.close_token(shardcast::hub::UserId(ann.user.id.0), &ann.client.token);
    events.expect_end("token deleted").await;
}

#[test]
fn the_program_listens_on_a_socket_that_anybody_may_use_and_removes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("push.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let address = format!("unix:{}", path.display());
    let server = Program::new(&[]).variable("GOTIFY_SERVER_LISTENADDR", &address).serve();
    assert_eq!(server.address, address);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    let healthy = Program::new(&["healthcheck"]).variable("GOTIFY_SERVER_LISTENADDR", &address).run();
    assert_eq!(healthy.code, Some(0), "{}", healthy.stderr);

    let taken = Program::new(&[]).variable("GOTIFY_SERVER_LISTENADDR", &address).run();
    assert_eq!(taken.code, Some(1));
    assert!(
        taken.stderr.contains(&format!("failed to listen for HTTP at `{address}`: ")),
        "{}",
        taken.stderr
    );

    server.signal(Signal::TERM);
    let (code, log) = server.wait();
    assert_eq!(code, Some(0), "{log}");
    assert!(!path.exists());
}
