//! A database that can't be written, and clients that do not read.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use shardcast::api::stream::{FrameRate, Ignore, SessionLimits, Upgrade};
use shardcast::hub::{EndReason, Hub, HubParts, UserId};
use shardcast::server::{Server, ServerConfig};
use sqlx::{Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Person, TestServer};
use crate::listener::{Listener, PATIENCE, push};

/// Takes the database's write lock, as a backup or another Gotify would.
pub(crate) async fn lock(server: &TestServer) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(&server.database);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute("BEGIN IMMEDIATE").await.unwrap();
    connection
}

async fn listed(server: &TestServer, person: &Person) -> Vec<Value> {
    let key = [("X-Gotify-Key".to_owned(), person.client.token.clone())];
    let answer = server.send("GET", "/message", &key, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["messages"].as_array().unwrap().clone()
}

#[tokio::test]
async fn while_somebody_else_holds_the_database_reading_and_streams_go_on() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut listener = Listener::open(&server, &ann, "").await;
    let before = push(&server, &ann, "before").await;
    assert_eq!(listener.message().await, before);

    let other = lock(&server).await;
    let key = [("X-Gotify-Key".to_owned(), ann.application.token.clone())];
    let post = server.send("POST", "/message?message=refused", &key, "");
    let reading = async {
        assert_eq!(listed(&server, &ann).await, std::slice::from_ref(&before));
        let mut late = Listener::open(&server, &ann, "&since=0").await;
        assert_eq!(late.message().await, before);
        late
    };
    let (answer, mut late) = tokio::join!(post, reading);
    let unavailable = json!({
        "error": "Service Unavailable",
        "errorCode": 503,
        "errorDescription": "the database is unavailable, try again later",
    });
    assert_eq!((answer.status, answer.json()), (503, unavailable));

    drop(other);
    let after = loop {
        // The lock goes with its connection, which is closed on a thread of its own.
        let answer = server.send("POST", "/message?message=after", &key, "").await;
        if answer.status == 200 {
            break answer.json();
        }
        assert_eq!(answer.status, 503, "{answer:?}");
    };
    assert_eq!(listener.message().await, after);
    assert_eq!(late.message().await, after);
    assert_eq!(listed(&server, &ann).await, [after, before]);
}

/// Connects with as little room for what the server sends as the kernel gives.
async fn connect_narrow(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(address).await.unwrap()
}

/// Waits until a stream has ended for this reason.
async fn wait_for_end(hub: &Hub, reason: EndReason) {
    let ended = async {
        while !hub.end_counts().contains(&(reason, 1)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, ended).await;
    assert!(waited.is_ok(), "{:?} instead of {reason:?}", hub.end_counts());
}

#[tokio::test]
async fn a_client_that_never_reads_is_closed_and_counted_and_nobody_else_notices() {
    let server =
        TestServer::start_with(|config| config.stream.stall_timeout = Duration::from_millis(500)).await;
    let ann = server.person("ann").await;
    let narrow = connect_narrow(server.address).await;
    let never_reads = server.upgrade_on(narrow, &format!("/stream?token={}", ann.client.token)).await;
    let mut reads = Listener::open(&server, &ann, "").await;

    let key = [("X-Gotify-Key".to_owned(), ann.application.token.clone())];
    let form = ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    let headers = [&key[..], &[form]].concat();
    let body = format!("message={}", "x".repeat(100_000));
    let publisher = async {
        let mut sent = Vec::new();
        while sent.len() < 30 {
            let answer = server.send("POST", "/message", &headers, &body).await;
            assert_eq!(answer.status, 200);
            sent.push(answer.json()["id"].clone());
        }
        sent
    };
    let reader = async {
        let mut received = Vec::new();
        while received.len() < 30 {
            received.push(reads.message().await["id"].clone());
        }
        received
    };
    let (sent, received) = tokio::join!(publisher, reader);
    assert_eq!(received, sent);

    wait_for_end(&server.hub, EndReason::SlowConsumer).await;
    assert_eq!(server.hub.stream_count(), 1, "the one that reads stays");
    let last = push(&server, &ann, "last").await;
    assert_eq!(reads.message().await, last);
    drop(never_reads);
}

/// What may be on its way between two sockets of one machine, with room to spare.
const KERNEL_BUFFERS: usize = 16 << 20;

#[tokio::test]
async fn a_client_that_does_not_take_its_pongs_is_not_read_from_and_closed() {
    async fn open(State(hub): State<Hub>, request: Request) -> Response {
        let upgrade = Upgrade::from_parts(&mut request.into_parts().0).unwrap();
        let registration = hub.register(UserId(1), "token", None).unwrap();
        let mut limits = SessionLimits::default();
        limits.max_frame_bytes = 125;
        limits.frame_rate = FrameRate::UNLIMITED;
        upgrade.run(registration, Ignore, Arc::new(limits))
    }
    let mut config = shardcast::hub::HubConfig::default();
    config.stall_timeout = Duration::from_secs(1);
    let hub = Hub::with_parts(config, HubParts::default());
    let router = Router::new().route("/", get(open)).with_state(hub.clone());
    let mut config = ServerConfig::default();
    config.listen_address = "127.0.0.1".into();
    let server = Server::bind(config, router, hub.clone()).await.unwrap();

    let mut socket = connect_narrow(server.local_addr()).await;
    let handshake = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(handshake.as_bytes()).await.unwrap();
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    let pings = ping.repeat(500);
    let mut taken = 0;
    let flood = async {
        while let Ok(count) = socket.write(&pings[taken % ping.len()..]).await {
            taken += count;
            assert!(taken < KERNEL_BUFFERS, "the server reads on");
        }
    };
    tokio::time::timeout(PATIENCE, flood).await.expect("the server hangs up");
    wait_for_end(&hub, EndReason::SlowConsumer).await;
    assert_eq!(hub.stream_count(), 0);
}
