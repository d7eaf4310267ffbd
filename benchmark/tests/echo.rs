//! The echo servers as a benchmark of another project would use them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const PATIENCE: Duration = Duration::from_secs(10);
/// A `WebsocketMessage` of "hi" from "client" to "server".
const HI: &[u8] = b"\x0a\x02hi\x12\x06client\x1a\x06server";

/// A server on a free port, which ends with the test.
struct Echo {
    process: Child,
    address: String,
}

impl Echo {
    fn start(options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_shardcast-bench"))
            .args(["echo", "127.0.0.1:0"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}"));
        Self { address: address.to_owned(), process }
    }

    async fn connect(&self) -> Client {
        Client(connect_async(format!("ws://{}/ws", self.address)).await.unwrap().0)
    }

    async fn get(&self, path: &str) -> String {
        let mut socket = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Waits until a metric without labels has this value.
    async fn await_metric(&self, name: &str, value: u64) {
        let line = format!("\n{name} {value}\n");
        let is_there = async {
            while !self.get("/metrics").await.contains(&line) {
                tokio::task::yield_now().await;
            }
        };
        let came = timeout(PATIENCE, is_there).await.is_ok();
        assert!(came, "{name} is not {value}: {}", self.get("/metrics").await);
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        timeout(PATIENCE, self.0.next()).await.expect("no answer").unwrap().unwrap()
    }

    async fn close(mut self) {
        self.0.close(None).await.unwrap();
        // The server's own close.
        while self.0.next().await.is_some_and(|message| message.is_ok()) {}
    }
}

#[tokio::test]
async fn a_binary_message_comes_back_as_it_was_at_both_servers() {
    for options in [&[][..], &["--plain"]] {
        let echo = Echo::start(options);
        let mut client = echo.connect().await;
        // The field that nobody knows must come back too.
        for bytes in [HI.to_vec(), [HI, b"\x22\x01x"].concat(), Vec::new()] {
            client.send(Message::binary(bytes.clone())).await;
            assert_eq!(client.next().await, Message::binary(bytes), "{options:?}");
        }
        client.close().await;
    }
}

#[tokio::test]
async fn text_is_counted_and_not_answered_and_bad_messages_leave_the_connection_open() {
    let echo = Echo::start(&[]);
    let mut client = echo.connect().await;
    client.send(Message::text("hello")).await;
    client.send(Message::binary(&b"\xff\xff"[..])).await;
    client.send(Message::binary(HI)).await;
    // The first answer is that to the last of them.
    assert_eq!(client.next().await, Message::binary(HI));
    echo.await_metric("websocket_messages_received_total", 3).await;
    echo.await_metric("websocket_messages_sent_total", 1).await;
    echo.await_metric("websocket_message_errors_total", 1).await;
    echo.await_metric("websocket_server_response_time_seconds_count", 1).await;
    echo.await_metric("websocket_active_connections", 1).await;
}

#[tokio::test]
async fn only_a_connection_that_does_not_close_well_is_an_error() {
    let echo = Echo::start(&[]);
    echo.connect().await.close().await;
    echo.await_metric("websocket_active_connections", 0).await;
    echo.await_metric("websocket_connection_errors_total", 0).await;
    drop(echo.connect().await);
    echo.await_metric("websocket_connection_errors_total", 1).await;
}

#[tokio::test]
async fn the_server_says_that_it_is_there_and_what_it_uses() {
    let echo = Echo::start(&[]);
    assert!(echo.get("/").await.starts_with("HTTP/1.1 200 OK"));
    let metrics = echo.get("/metrics").await;
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes"] {
        assert!(metrics.contains(&format!("\n{name} ")), "{metrics}");
    }
    assert!(echo.get("/elsewhere").await.starts_with("HTTP/1.1 404"));
}
