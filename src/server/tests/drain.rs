//! What clients that say or take nothing may keep a server from ending.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures_util::{StreamExt as _, stream};
use tokio::sync::Notify;

use super::*;

/// Nobody is cut off by a time-out that holds without a shutdown too.
fn config() -> ServerConfig {
    let never = PATIENCE * 10;
    ServerConfig {
        shutdown_grace: never,
        header_timeout: never,
        transfer_timeout: never,
        idle_timeout: never,
        ..super::config()
    }
}

#[tokio::test]
async fn a_header_that_has_begun_does_not_hold_a_shutdown_and_a_request_does() {
    let mut server = start(config()).await;
    let mut begun = Client::connect(&server).await;
    begun.send(b"GET / HTTP/1.1\r\nhost: te").await;
    let mut again = Client::connect(&server).await;
    again.send(GET).await;
    again.read_until("hello").await;
    again.send(b"GET / HTTP/1.1\r\nhost: te").await;
    let mut publishing = Client::connect(&server).await;
    publishing.send(b"POST /length HTTP/1.1\r\nhost: test\r\ncontent-length: 5\r\n\r\nfi").await;
    // Another connection's answer shows that the loop has turned and all of that been read.
    let mut other = Client::connect(&server).await;
    other.send(GET).await;
    other.read_until("hello").await;

    server.shutdown();
    assert_eq!(begun.read_to_end().await, "");
    assert_eq!(again.read_to_end().await, "");
    publishing.send(b"ver").await;
    let answer = publishing.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n5"), "{answer}");
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

/// Says when it is dropped.
struct Told(Arc<Notify>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn an_event_stream_ends_when_its_client_hangs_up() {
    let dropped = Arc::new(Notify::new());
    let told = Arc::clone(&dropped);
    let events = move || async move {
        let told = Told(told);
        let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b":\n\n")) });
        let rest = stream::once(async move {
            let _told = told;
            std::future::pending().await
        });
        ([("content-type", "text/event-stream")], Body::from_stream(first.chain(rest)))
    };
    let router = router().route("/events", get(events));
    let mut server = Server::bind(config(), router, ()).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.send(b"GET /events HTTP/1.1\r\nhost: test\r\n\r\n").await;
    client.read_until(":\n\n").await;
    assert!(timeout(Duration::from_millis(50), dropped.notified()).await.is_err());
    client.0.shutdown().await.unwrap();
    timeout(PATIENCE, dropped.notified()).await.unwrap();

    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}

#[tokio::test]
async fn an_event_stream_that_nobody_reads_does_not_hold_a_shutdown() {
    let events = || async {
        let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'\n'; 4096])));
        ([("content-type", "text/event-stream")], Body::from_stream(endless))
    };
    let router = router().route("/events", get(events));
    let mut server = Server::bind(config(), router, ()).await.unwrap();
    let mut client = Client::connect(&server).await;
    client.send(b"GET /events HTTP/1.1\r\nhost: test\r\n\r\n").await;
    client.read_until("\r\n\r\n").await;

    server.shutdown();
    assert_eq!(ended(&mut server).await, Drained { unfinished: 0 });
}
