//! The live view: a WebSocket that gets the state each second.
//!
//! The first message of a client is `{"token":"…"}`; the answer says whether that is the orchestrator's token. Who has
//! none sees the same: the token is for starting load.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{Shared, rest::RestError};

/// How long the first message may take.
const FIRST: Duration = Duration::from_secs(10);
/// How long a client may take to read one state.
const WRITE: Duration = Duration::from_secs(10);
/// The largest message of a client.
const MESSAGE_BYTES_MAX: usize = 4096;
/// Watchers at once.
const WATCHERS_MAX: usize = 256;

#[derive(Debug, Deserialize)]
struct First {
    #[serde(default)]
    token: String,
}

/// Answers the handshake.
pub(super) async fn open(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN);
    if origin.is_some_and(|origin| !shared.access.allows(origin, headers.get(header::HOST))) {
        return RestError::new(StatusCode::FORBIDDEN, "pages of this origin may not watch").into_response();
    }
    let Some(accept) = accept_key(headers) else {
        return RestError::new(StatusCode::BAD_REQUEST, "this is a WebSocket, version 13").into_response();
    };
    if shared.live.receiver_count() >= WATCHERS_MAX {
        return RestError::new(StatusCode::SERVICE_UNAVAILABLE, "too many watch already").into_response();
    }
    let upgrade = hyper::upgrade::on(&mut request);
    // Ends with its client.
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            // A client that is gone again is none.
            let _ = watch(shared, upgraded).await;
        }
    });
    let answer = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Body::empty());
    answer.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn watch(shared: Arc<Shared>, upgraded: Upgraded) -> Result<(), Error> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    let Ok(Some(Ok(Message::Text(first)))) = timeout(FIRST, socket.next()).await else {
        return socket.close(None).await;
    };
    let token = serde_json::from_str::<First>(&first).map(|first| first.token).unwrap_or_default();
    let answer = json!({ "authorized": shared.access.knows(&token) });
    send(&mut socket, Message::text(answer.to_string())).await?;
    let mut live = shared.live.subscribe();
    live.mark_changed();
    loop {
        tokio::select! {
            changed = live.changed() => {
                if changed.is_err() {
                    return socket.close(None).await;
                }
                // What a slow client has not read is left out: it gets the newest state.
                let state = live.borrow_and_update().clone();
                if !state.is_empty() {
                    send(&mut socket, Message::Text(state)).await?;
                }
            }
            message = socket.next() => match message {
                // Pings are answered by the library.
                Some(Ok(message)) if !message.is_close() => {}
                _ => return Ok(()),
            },
        }
    }
}

async fn send(socket: &mut WebSocketStream<TokioIo<Upgraded>>, message: Message) -> Result<(), Error> {
    match timeout(WRITE, socket.send(message)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::ConnectionClosed),
    }
}

/// Returns the answer to a handshake, if it is one.
fn accept_key(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_upgrade = text(header::UPGRADE)?.eq_ignore_ascii_case("websocket");
    let is_version = text(header::SEC_WEBSOCKET_VERSION)? == "13";
    let key = text(header::SEC_WEBSOCKET_KEY)?;
    (is_upgrade && is_version).then(|| derive_accept_key(key.as_bytes()))
}
