//! An open `GET /stream`.

use std::fmt::Write;
use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::Request;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Error};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::api::{AGENT, KEY};
use super::connection::{Transport, connect};
use super::{Account, RequestError};
use crate::api::stream::SINCE_UNDERSTOOD;
use crate::hub::EndReason;
use crate::model::Message;

/// How long a server may take to answer the handshake. Ours waits up to 5 s for its database.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server may say nothing before it is asked for a sign of life, and then before it counts as gone. Servers
/// send a ping every 45 s unless they are configured otherwise.
const SILENCE: Duration = Duration::from_mins(1);

/// The largest message that is taken.
const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// Which messages are wanted.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// Those of these applications; of all if it is empty.
    pub(super) applications: Vec<u64>,
    pub(super) min_priority: Option<i64>,
}

impl Filter {
    /// Answers whether a message is wanted. Gotify sends all of them, whatever it is asked for.
    pub(super) fn takes(&self, message: &Message) -> bool {
        let application = message.application_id.0;
        (self.applications.is_empty() || self.applications.contains(&application))
            && self.min_priority.is_none_or(|least| message.priority >= least)
    }
}

/// Messages as they are stored.
pub(super) struct MessageStream {
    socket: WebSocketStream<Box<dyn Transport>>,
    /// Whether it began with what was stored after the message that it was asked to begin after. Gotify's do not.
    pub(super) resumes: bool,
}

/// Why a stream has ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("the server closed the stream{0}")]
    Closed(String),
    #[error("the server does not bring as many messages as were missed")]
    TooFarBehind,
    // The library's text has its cause in it.
    #[error("the connection was lost: {0}")]
    Lost(Box<Error>),
    #[error("the server has sent nothing for {} seconds", SILENCE.as_secs() * 2)]
    Silent,
}

/// What a stream brings.
pub(super) enum Received {
    Message(Box<Message>),
    /// A text that is no message.
    Unknown(serde_json::Error),
}

impl MessageStream {
    /// Opens a stream that begins after the message with that id, where the server knows how to do so.
    pub(super) async fn open(account: &Account, since: u64, filter: &Filter) -> Result<Self, RequestError> {
        let server = || account.url.to_string();
        let transport = connect(&account.url)
            .await
            .map_err(|source| RequestError::Connect { server: server(), source })?;
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(MAX_MESSAGE_BYTES);
        config.max_frame_size = Some(MAX_MESSAGE_BYTES);
        let shaking = client_async_with_config(request(account, since, filter), transport, Some(config));
        match timeout(PATIENCE, shaking).await {
            Err(_) => Err(RequestError::TimedOut { server: server(), patience: PATIENCE }),
            Ok(Ok((socket, answer))) => {
                Ok(Self { socket, resumes: answer.headers().contains_key(SINCE_UNDERSTOOD) })
            }
            Ok(Err(Error::Http(answer))) => {
                let (head, body) = answer.into_parts();
                Err(RequestError::refused(
                    &account.url,
                    head.status,
                    &head.headers,
                    &body.unwrap_or_default(),
                ))
            }
            Ok(Err(Error::Io(source))) => Err(RequestError::Connect { server: server(), source }),
            Ok(Err(Error::Protocol(ProtocolError::HandshakeIncomplete))) => {
                Err(RequestError::Connect { server: server(), source: io::ErrorKind::UnexpectedEof.into() })
            }
            Ok(Err(reason)) => Err(RequestError::NotWebSocket { server: server(), reason: Box::new(reason) }),
        }
    }

    /// Waits for a message. Cancel safe.
    pub(super) async fn next(&mut self) -> Result<Received, StreamError> {
        let mut was_asked = false;
        loop {
            let Ok(frame) = timeout(SILENCE, self.socket.next()).await else {
                if was_asked {
                    return Err(StreamError::Silent);
                }
                was_asked = true;
                let asked = self.socket.send(tungstenite::Message::Ping(Bytes::new())).await;
                asked.map_err(|error| StreamError::Lost(Box::new(error)))?;
                continue;
            };
            was_asked = false;
            match frame {
                None => return Err(StreamError::Closed(String::new())),
                Some(Err(error)) => return Err(StreamError::Lost(Box::new(error))),
                Some(Ok(tungstenite::Message::Text(text))) => {
                    let read = serde_json::from_str(&text);
                    return Ok(
                        read.map_or_else(Received::Unknown, |message| Received::Message(Box::new(message)))
                    );
                }
                Some(Ok(tungstenite::Message::Close(Some(frame))))
                    if EndReason::TooFarBehind.close_code() == Some(frame.code.into()) =>
                {
                    return Err(StreamError::TooFarBehind);
                }
                Some(Ok(tungstenite::Message::Close(Some(frame)))) => {
                    let reason: String = frame.reason.chars().flat_map(char::escape_debug).collect();
                    let code = u16::from(frame.code);
                    return Err(StreamError::Closed(format!(": {reason} ({code})")));
                }
                // The library answers pings itself.
                Some(Ok(_)) => {}
            }
        }
    }
}

fn request(account: &Account, since: u64, filter: &Filter) -> Request<()> {
    let mut path = account.url.path(&format!("/stream?since={since}"));
    for id in &filter.applications {
        write!(path, "&application={id}").expect("a text takes everything");
    }
    if let Some(least) = filter.min_priority {
        write!(path, "&minpriority={least}").expect("a text takes everything");
    }
    let scheme = if account.url.is_secure { "wss" } else { "ws" };
    Request::get(format!("{scheme}://{}{path}", account.url.authority))
        .header(HOST, &account.url.authority)
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, generate_key())
        .header(KEY, account.token.clone())
        .body(())
        .expect("parts of a URL, numbers and constants")
}
