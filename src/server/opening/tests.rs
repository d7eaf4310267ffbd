//! Connections on a free port, whose clients write bytes.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hyper::StatusCode;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::*;
use crate::api::stream;
use crate::server::tests::listens_no_more;
use crate::server::{Drained, Server, ServerConfig};

/// Only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

const HANDSHAKE: &[u8] =
    b"GET /stream HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

async fn start(router: Router, change: impl FnOnce(&mut ServerConfig)) -> Server {
    let mut config = ServerConfig {
        listen_address: "127.0.0.1".to_owned(),
        stream_path: Some(stream::PATH.to_owned()),
        ..ServerConfig::default()
    };
    change(&mut config);
    Server::bind(config, router, ()).await.unwrap()
}

async fn send(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut socket = TcpStream::connect(server.local_addr()).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    socket
}

async fn read_to_end(mut socket: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await.expect("a close in time");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_task_of_a_connection_stays_small() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let http = Arc::new(Http::new(&ServerConfig::default(), Router::new()));
    let size = size_of_val(&http.serve(stream, address, Connections::new()));
    assert!(size <= 400, "{size} bytes");
}

#[tokio::test]
async fn a_usual_handshake_that_comes_first_takes_the_short_way_alone() {
    let takes_it =
        |request: Request| async move { request.extensions().get::<Handover>().is_some().to_string() };
    let server = start(Router::new().route(stream::PATH, get(takes_it)), |_| {}).await;
    let last = String::from_utf8(HANDSHAKE.to_vec()).unwrap().replace("upgrade\r\n", "upgrade, close\r\n");
    let answer = read_to_end(send(&server, last.as_bytes()).await).await;
    assert!(answer.ends_with("\r\n\r\ntrue"), "{answer}");
    let both = read_to_end(send(&server, &[HANDSHAKE, last.as_bytes()].concat()).await).await;
    assert!(both.contains("\r\n\r\ntrueHTTP/1.1 200 ") && both.ends_with("\r\n\r\nfalse"), "{both}");
    let old = read_to_end(send(&server, last.replace("HTTP/1.1", "HTTP/1.0").as_bytes()).await).await;
    assert!(old.ends_with("\r\n\r\nfalse"), "{old}");
}

#[tokio::test]
async fn a_handshake_that_stops_coming_is_answered_408_and_silence_is_not() {
    let server = start(Router::new(), |config| config.header_timeout = Duration::from_millis(50)).await;
    let silent = send(&server, b"").await;
    let slow = send(&server, &HANDSHAKE[..HANDSHAKE.len() - 1]).await;
    assert_eq!(read_to_end(silent).await, "");
    assert!(read_to_end(slow).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn an_answer_that_is_under_way_when_the_server_ends_still_comes_and_says_so() {
    let (started, finish) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let handler = {
        let (started, finish) = (Arc::clone(&started), Arc::clone(&finish));
        move || async move {
            started.add_permits(1);
            finish.acquire().await.unwrap().forget();
            (StatusCode::SERVICE_UNAVAILABLE, "later")
        }
    };
    let mut server = start(Router::new().route(stream::PATH, get(handler)), |_| {}).await;
    let socket = send(&server, HANDSHAKE).await;
    started.acquire().await.unwrap().forget();
    server.shutdown();
    // The listener is gone once the drain has begun; only then may the request end.
    listens_no_more(server.local_addr()).await;
    finish.add_permits(1);
    let answer = read_to_end(socket).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("later"), "{answer}");
    let ended = timeout(PATIENCE, server.join()).await.expect("the server ends in time");
    assert_eq!(ended, Drained { unfinished: 0 });
}

#[tokio::test]
async fn a_handshake_that_does_not_end_in_time_is_cut_off() {
    let started = Arc::new(Semaphore::new(0));
    let handler = {
        let started = Arc::clone(&started);
        move || {
            started.add_permits(1);
            std::future::pending::<()>()
        }
    };
    let router = Router::new().route(stream::PATH, get(handler));
    let short = |config: &mut ServerConfig| config.shutdown_grace = Duration::from_millis(50);
    let mut server = start(router, short).await;
    let socket = send(&server, HANDSHAKE).await;
    started.acquire().await.unwrap().forget();
    server.shutdown();
    let ended = timeout(PATIENCE, server.join()).await.expect("the server ends in time");
    assert_eq!(ended, Drained { unfinished: 1 });
    assert_eq!(read_to_end(socket).await, "");
}

#[tokio::test]
async fn a_handler_that_promises_a_stream_without_one_ends_the_connection() {
    let promise = || async { StatusCode::SWITCHING_PROTOCOLS };
    let server = start(Router::new().route(stream::PATH, get(promise)), |_| {}).await;
    let answer = read_to_end(send(&server, HANDSHAKE).await).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
}
