//! A real WebSocket client on the stream, and what it waits for.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::{Person, TestServer};

/// Far more than anything here takes: it ends a test that would hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A client on the stream.
pub(crate) struct Listener(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Listener {
    pub(crate) async fn open(server: &TestServer, person: &Person, query: &str) -> Self {
        Self::at(&server.address.to_string(), &person.client.token, query).await
    }

    /// Listens at any server.
    pub(crate) async fn at(address: &str, token: &str, query: &str) -> Self {
        let url = format!("ws://{address}/stream?token={token}{query}");
        Self(connect_async(url).await.unwrap().0)
    }

    /// Waits for a frame.
    pub(crate) async fn next(&mut self) -> Message {
        tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame comes").unwrap().unwrap()
    }

    /// Waits for a message, past pings.
    pub(crate) async fn message(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => {
                    assert!(text.ends_with('\n'), "a frame ends with a line feed: {text:?}");
                    return serde_json::from_str(&text).unwrap();
                }
                Message::Ping(_) => {}
                other => panic!("expected a message, not {other:?}"),
            }
        }
    }

    /// Waits for the close frame, past everything else; 1005 if it carries no code.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.map_or(1005, |frame| frame.code.into());
            }
        }
    }
}

/// Sends a message and returns what was answered.
pub(crate) async fn push(server: &TestServer, person: &Person, text: &str) -> Value {
    let key = [("X-Gotify-Key".to_owned(), person.application.token.clone())];
    let answer = server.send("POST", &format!("/message?message={text}"), &key, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}
