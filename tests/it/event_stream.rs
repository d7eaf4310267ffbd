//! `/stream` as Server-Sent Events, with a real HTTP client.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use shardcast::hub::EndReason;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::harness::{Person, TestServer, http};
use crate::listener::{PATIENCE, push};

/// A client that reads events.
pub(crate) struct Events {
    response: Response,
    read: Vec<u8>,
}

/// An event stream over a connection of any kind, with what frames it in HTTP.
pub(crate) struct RawEvents<S> {
    socket: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawEvents<S> {
    /// Asks for the events of a person after the last one that was seen.
    pub(crate) async fn open(mut socket: S, person: &Person, last: u64) -> Self {
        let request = format!(
            "GET /stream?token={} HTTP/1.1\r\nHost: push\r\nAccept: text/event-stream\r\nLast-Event-ID: {last}\r\n\r\n",
            person.client.token
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self { socket, read: Vec::new() };
        let head = events.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        events
    }

    /// Waits for a text, and returns what came up to its end.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = self.read.windows(text.len()).position(|part| part == text.as_bytes()) {
                let rest = self.read.split_off(at + text.len());
                return String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
            }
            let mut piece = [0; 8192];
            let read =
                timeout(PATIENCE, self.socket.read(&mut piece)).await.expect("something comes").unwrap();
            assert!(read > 0, "it ends before `{text}`: {}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&piece[..read]);
        }
    }

    /// Waits for a message that was published, as it was answered to its sender.
    pub(crate) async fn expect_message(&mut self, sent: &Value) {
        self.until(&format!("id: {}\ndata: ", sent["id"])).await;
        let data = self.until("\n\n").await;
        assert_eq!(&serde_json::from_str::<Value>(&data).unwrap(), sent);
    }

    /// Waits for the end, which must be said and be the end of the response, and for nothing else before it.
    pub(crate) async fn expect_end(&mut self, reason: &str) {
        let end = self.until(&format!("event: end\ndata: {reason}\n\n")).await;
        assert!(!end.contains("id: "), "{end}");
        // The last chunk (RFC 9112, section 7.1).
        self.until("\r\n0\r\n\r\n").await;
    }
}

/// One event, as `EventSource` takes it apart.
#[derive(Debug, Default, PartialEq)]
struct Event {
    id: Option<u64>,
    kind: Option<String>,
    data: Option<String>,
}

impl Events {
    pub(crate) async fn open(server: &TestServer, person: &Person, query: &str, last: Option<u64>) -> Self {
        let url = format!("http://{}/stream?token={}{query}", server.address, person.client.token);
        let mut request = http().get(url).header("Accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!((header("cache-control"), header("x-accel-buffering")), ("no-store".into(), "no".into()));
        Self { response, read: Vec::new() }
    }

    /// Waits for the next block that is no comment; none at the end of the answer.
    async fn next_block(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let rest = self.read.split_off(end + 2);
                let block = String::from_utf8(std::mem::replace(&mut self.read, rest)).unwrap();
                let mut event = Event::default();
                for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with(':')) {
                    match line.split_once(": ").unwrap() {
                        ("id", id) => event.id = Some(id.parse().unwrap()),
                        ("event", kind) => event.kind = Some(kind.to_owned()),
                        ("data", data) => event.data = Some(data.to_owned()),
                        other => panic!("{other:?}"),
                    }
                }
                if event != Event::default() {
                    return Some(event);
                }
                continue;
            }
            let part = timeout(PATIENCE, self.response.chunk()).await.expect("something comes").unwrap();
            self.read.extend(part?);
        }
    }

    /// Waits for a message, past what only names a position.
    pub(crate) async fn message(&mut self) -> Value {
        loop {
            let event = self.next_block().await.expect("a message comes");
            if let Some(data) = event.data {
                assert_eq!(event.kind, None, "{data}");
                let message: Value = serde_json::from_str(&data).unwrap();
                assert_eq!(message["id"].as_u64(), event.id);
                return message;
            }
        }
    }

    /// Waits for an event that is no message, and returns it.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let event = self.next_block().await.expect("an event comes");
            if let Some(kind) = event.kind {
                assert_eq!(event.id, None, "a client comes back for what follows on a message");
                let data: Value = serde_json::from_str(&event.data.unwrap()).unwrap();
                assert_eq!(data["event"], kind);
                return data;
            }
        }
    }

    /// Waits for the end of the answer, and returns what was said to be its reason.
    pub(crate) async fn end(&mut self) -> String {
        let mut last = Event::default();
        while let Some(event) = self.next_block().await {
            last = event;
        }
        assert_eq!((last.id, last.kind.as_deref()), (None, Some("end")));
        last.data.unwrap()
    }
}

#[tokio::test]
async fn messages_come_as_events_with_their_ids() {
    let server = TestServer::start().await;
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut events = Events::open(&server, &ann, "", None).await;
    push(&server, &bob, "bobs").await;
    for text in ["first", "second"] {
        let sent = push(&server, &ann, text).await;
        assert_eq!(events.message().await, sent);
    }
    assert_eq!(server.hub.stream_count(), 1);
}

#[tokio::test]
async fn a_client_that_comes_back_goes_on_after_its_last_event() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut sent = Vec::new();
    for text in ["1", "2", "3", "4"] {
        sent.push(push(&server, &ann, text).await);
    }
    let id = |place: usize| sent[place]["id"].as_u64().unwrap();
    let mut since = Events::open(&server, &ann, &format!("&since={}", id(0)), None).await;
    // The position is there before the first message.
    assert_eq!(since.next_block().await.unwrap(), Event { id: Some(id(0)), ..Event::default() });
    assert_eq!(since.message().await, sent[1]);
    let mut again = Events::open(&server, &ann, &format!("&since={}", id(0)), Some(id(2))).await;
    assert_eq!(again.message().await, sent[3]);
    let live = push(&server, &ann, "5").await;
    assert_eq!(again.message().await, live);
}

#[tokio::test]
async fn a_client_that_came_before_the_first_message_goes_on_from_there() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for _ in 0..2 {
        let mut events = Events::open(&server, &ann, "", None).await;
        let opening = Event { id: Some(0), ..Event::default() };
        assert_eq!(events.next_block().await, Some(opening), "a browser sends this when it comes back");
    }
    let missed = push(&server, &ann, "missed").await;
    let mut back = Events::open(&server, &ann, "", Some(0)).await;
    assert_eq!(back.message().await, missed);
}

#[tokio::test]
async fn a_revoked_stream_ends_and_the_next_request_makes_a_browser_stop() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut events = Events::open(&server, &ann, "", None).await;
    let key = [("X-Gotify-Key".to_owned(), ann.client.token.clone())];
    let answer = server.send("DELETE", &format!("/client/{}", ann.client.id), &key, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(events.end().await, "token deleted");
    assert_eq!(server.hub.end_counts(), [(EndReason::TokenDeleted, 1)]);

    // Any status but 200 makes an `EventSource` give up (HTML Standard, section 9.2.2).
    let accept = ("Accept".to_owned(), "text/event-stream".to_owned());
    let target = format!("/stream?token={}", ann.client.token);
    assert_eq!(server.send("GET", &target, &[accept], "").await.status, 401);
}

#[tokio::test]
async fn what_is_no_position_or_format_of_events_is_refused() {
    let server = TestServer::start().await;
    let ann = server.person("ann").await;
    for (query, last, named) in [
        ("&since=x", "", "'since'"),
        ("", "x", "'Last-Event-ID'"),
        ("&since=1", "-1", "'Last-Event-ID'"),
        ("&format=protobuf", "", "'format'"),
    ] {
        let headers = [("Accept", "text/event-stream"), ("Last-Event-ID", last)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let target = format!("/stream?token={}{query}", ann.client.token);
        let answer = server.send("GET", &target, &headers, "").await;
        assert_eq!(answer.status, 400, "{query} {last}");
        let description = answer.json()["errorDescription"].as_str().unwrap().to_owned();
        assert!(description.contains(named), "{description}");
    }
}

#[tokio::test]
async fn a_shutdown_ends_event_streams_well() {
    let mut server = TestServer::start().await;
    let ann = server.person("ann").await;
    let mut events = Events::open(&server, &ann, "", None).await;
    server.server.shutdown();
    assert_eq!(events.end().await, "service restart");
    drop(events);
    assert_eq!(server.server.join().await.unfinished, 0);
}

#[tokio::test]
async fn a_client_that_never_reads_its_events_is_a_slow_consumer() {
    let server =
        TestServer::start_with(|config| config.stream.stall_timeout = Duration::from_millis(500)).await;
    let ann = server.person("ann").await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    let mut never_reads = socket.connect(server.address).await.unwrap();
    let request = format!(
        "GET /stream?token={} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n",
        ann.client.token
    );
    never_reads.write_all(request.as_bytes()).await.unwrap();
    let headers = [("X-Gotify-Key", ann.application.token.as_str()), ("Content-Type", "application/json")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = format!(r#"{{"message":"{}"}}"#, "x".repeat(500_000));
    let ended = async {
        while !server.hub.end_counts().contains(&(EndReason::SlowConsumer, 1)) {
            assert_eq!(server.send("POST", "/message", &headers, &body).await.status, 200);
        }
    };
    timeout(PATIENCE, ended).await.expect("the stream is closed");
    drop(never_reads);
}
