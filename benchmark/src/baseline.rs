//! The baseline, a server to measure beside: one thread, one epoll, and one write of the same bytes to each stream. It has
//! no tokens, no store and no queue, so that what it costs is what the kernel costs.
//!
//! Any GET with a WebSocket key becomes a stream; the body of any POST goes to all streams as a text frame. There
//! are no tokens, there is no store, and nothing is queued but what a full socket forces. What it costs is what the
//! kernel costs.

mod connection;
mod server;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

pub(crate) use server::serve;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Returns a server's text frame around a payload.
pub(crate) fn frame(payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(0x81);
    if payload.len() < 126 {
        bytes.push(u8::try_from(payload.len()).expect("below 126"));
    } else if let Ok(length) = u16::try_from(payload.len()) {
        bytes.push(126);
        bytes.extend_from_slice(&length.to_be_bytes());
    } else {
        bytes.push(127);
        bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// Returns the answer to a handshake with the given key.
pub(crate) fn switching_protocols(key: &str) -> String {
    let accept = STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}
