//! A WebSocket endpoint that sends every message back: the server's own stream session with another inbox.
//!
//! `cargo run --release --example echo [PORT]` listens on 127.0.0.1. The Autobahn test suite runs against it, so it
//! also answers whether the session keeps the protocol (RFC 6455).
//!
//! Memory a client is bounded by what one message may be: as long as a client does not take its answers, the
//! session reads nothing more from it, and after ten seconds the hub closes it as a slow consumer.

use std::{env, error::Error, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use shardcast::{
    api::stream::{ClientFrame, FrameRate, Inbox, Opcode, SessionLimits, Upgrade},
    hub::{EndReason, Hub, HubConfig, Stream, UserId, put_header},
    server::{Server, ServerConfig},
};

/// The largest message, and the largest frame of one.
const MESSAGE_BYTES_MAX: usize = 32 << 20;

const FIN: u8 = 0x80;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::new(HubConfig::default());
    let router = Router::new().route("/", get(open)).with_state(hub.clone());

    let port = env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let config = ServerConfig::default().with_listen_address("127.0.0.1").with_port(port);
    let mut server = Server::bind(config, router, hub).await?;
    #[expect(clippy::print_stdout, reason = "whoever started it wants to know the port")]
    {
        println!("echoing on ws://{}", server.local_addr());
    }

    tokio::signal::ctrl_c().await?;
    server.shutdown();
    server.join().await;
    Ok(())
}

/// Answers a handshake; from then on the connection belongs to a session.
async fn open(State(hub): State<Hub>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match Upgrade::from_parts(&mut parts) {
        Ok(upgrade) => upgrade,
        Err(error) => return error.into_response(),
    };
    let Ok(registration) = hub.register(UserId(1), "echo", None) else {
        return axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut limits = SessionLimits::default();
    limits.read_buffer_bytes = 64 << 10;
    limits.max_frame_bytes = MESSAGE_BYTES_MAX;
    limits.frame_rate = FrameRate::UNLIMITED;
    upgrade.run(registration, Echo::default(), Arc::new(limits))
}

/// One client's half-sent message.
#[derive(Debug, Default)]
struct Echo {
    is_text: bool,
    message: Vec<u8>,
    /// How much of a text is known to be UTF-8: all but the start of a character that a fragment may end with.
    checked: usize,
}

impl Inbox for Echo {
    fn on_data(&mut self, frame: ClientFrame, stream: &mut Stream) -> Result<(), EndReason> {
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
        if self.is_text {
            self.check_text(frame.fin)?;
        }
        if frame.fin {
            self.answer(stream);
        }
        Ok(())
    }
}

impl Echo {
    /// Refuses a text as soon as what has come of it can't become UTF-8 any more.
    fn check_text(&mut self, is_whole: bool) -> Result<(), EndReason> {
        if let Err(error) = std::str::from_utf8(&self.message[self.checked..]) {
            let may_go_on = error.error_len().is_none() && !is_whole;
            if !may_go_on {
                return Err(EndReason::InvalidPayload);
            }
            self.checked += error.valid_up_to();
        } else {
            self.checked = self.message.len();
        }
        Ok(())
    }

    /// Sends the message back in one frame, and begins anew.
    fn answer(&mut self, stream: &mut Stream) {
        let Self { is_text, message, .. } = std::mem::take(self);
        let mut frame = Vec::with_capacity(message.len() + 10);
        put_header(&mut frame, FIN | if is_text { TEXT } else { BINARY }, message.len());
        frame.extend_from_slice(&message);
        stream.reply(&frame);
    }
}
