//! The echo in Shardcast's own server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use prost::Message;
use shardcast::{
    api::stream::{ClientFrame, FrameRate, Inbox, Opcode, SessionLimits, Upgrade},
    external::axum::{
        Router,
        extract::{Request, State},
        http::StatusCode,
        response::{IntoResponse, Response},
        routing::get,
    },
    hub::{EndReason, Hub, HubConfig, HubParts, Stream, UserId, put_header},
    server::{Server, ServerConfig},
};

use super::{asked_to_end, message::WebsocketMessage, metrics::Metrics};
use crate::report::terminal;

/// The largest message.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
const READ_BUFFER_BYTES: usize = 8192;
const FIN_BINARY: u8 = 0x82;

/// Serves until the process is asked to end, then closes all connections.
pub(super) async fn serve(address: SocketAddr) -> Result<()> {
    let metrics = Arc::new(Metrics::default());
    let mut parts = HubParts::default();
    parts.observer = Some(Arc::<Metrics>::clone(&metrics));
    let hub = Hub::with_parts(HubConfig::default(), parts);
    let mut limits = SessionLimits::default();
    limits.read_buffer_bytes = READ_BUFFER_BYTES;
    limits.max_frame_bytes = MESSAGE_BYTES_MAX;
    limits.frame_rate = FrameRate::UNLIMITED;
    let state = Shared { hub: hub.clone(), metrics, limits: Arc::new(limits), opened: Arc::default() };
    let router = Router::new()
        .route("/", get(|| async { "An echo of WebSocket messages at /ws.\n" }))
        .route("/ws", get(open))
        .route("/metrics", get(exposition))
        .with_state(state);

    let mut config = ServerConfig::default();
    config.listen_address = address.ip().to_string();
    config.port = address.port();
    let mut server = Server::bind(config, router, hub).await.context("failed to start the echo")?;
    terminal::line(&format!("listening on {}", server.local_addr()));
    asked_to_end().await?;
    server.shutdown();
    server.join().await;
    Ok(())
}

#[derive(Debug, Clone)]
struct Shared {
    hub: Hub,
    metrics: Arc<Metrics>,
    limits: Arc<SessionLimits>,
    /// Every connection is a user of its own, since nothing is sent to more than one.
    opened: Arc<AtomicU32>,
}

async fn exposition(State(shared): State<Shared>) -> Response {
    ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], shared.metrics.exposition())
        .into_response()
}

/// Answers a handshake; from then on the connection belongs to a session.
async fn open(State(shared): State<Shared>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match Upgrade::from_parts(&mut parts) {
        Ok(upgrade) => upgrade,
        Err(error) => return error.into_response(),
    };
    let number = shared.opened.fetch_add(1, Ordering::Relaxed);
    let Ok(registration) = shared.hub.register(UserId(number.into()), &number.to_string(), None) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let client = Client { metrics: shared.metrics, is_text: false, message: Vec::new() };
    upgrade.run(registration, client, shared.limits)
}

/// One client's half-sent message.
#[derive(Debug)]
struct Client {
    metrics: Arc<Metrics>,
    is_text: bool,
    message: Vec<u8>,
}

impl Inbox for Client {
    fn on_data(&mut self, frame: ClientFrame, stream: &mut Stream) -> Result<(), EndReason> {
        let begun = Instant::now();
        if frame.opcode != Opcode::Continuation {
            self.is_text = frame.opcode == Opcode::Text;
        }
        if self.message.len() + frame.payload.len() > MESSAGE_BYTES_MAX {
            return Err(EndReason::TooLarge);
        }
        if self.message.is_empty() {
            self.message = frame.payload;
        } else {
            self.message.extend_from_slice(&frame.payload);
        }
        if frame.fin {
            let message = std::mem::take(&mut self.message);
            self.on_message(&message, begun, stream);
        }
        Ok(())
    }
}

impl Client {
    /// Sends a binary message back as it came. Text is counted and not answered; what is no message is counted, and
    /// the connection stays.
    fn on_message(&self, message: &[u8], begun: Instant, stream: &mut Stream) {
        self.metrics.on_received();
        if self.is_text {
            return;
        }
        if WebsocketMessage::decode(message).is_err() {
            self.metrics.on_message_error();
            return;
        }
        let mut frame = Vec::with_capacity(message.len() + 10);
        put_header(&mut frame, FIN_BINARY, message.len());
        frame.extend_from_slice(message);
        stream.reply(&frame);
        self.metrics.on_sent(begun.elapsed());
    }
}
