#!/usr/bin/env bash
# A WebSocket client may offer subprotocols, and a server may choose none: RFC 6455, section 4.1, then goes on without
# one. tungstenite's client ends the handshake instead. So a client on it can't offer a subprotocol to find out what a
# server is able to do.
#
#   tungstenite 0.30.0: "WebSocket protocol error: SubProtocol error: Server sent no subprotocol"
#
# `tail` therefore learns from a header of the handshake whether a server resumes streams (src/cli/remote).
#
# Needs cargo. Ends with 0 if tungstenite still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "offer"
version = "0.0.0"
edition = "2021"

[dependencies]
tungstenite = "=0.30.0"

[workspace]
TOML
cat >src/main.rs <<'RUST'
use std::net::{TcpListener, TcpStream};
use tungstenite::client::IntoClientRequest;

/// Shakes hands with a server that knows no subprotocols.
fn shake(offer: Option<&str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().expect("the client connects");
        tungstenite::accept(socket).map(drop).map_err(drop)
    });
    let mut request = format!("ws://{address}/").into_client_request().expect("it is a URL");
    if let Some(offer) = offer {
        request.headers_mut().insert("Sec-WebSocket-Protocol", offer.parse().expect("it is a header's value"));
    }
    let socket = TcpStream::connect(address).expect("the server listens");
    let answer = match tungstenite::client(request, socket) {
        Ok(_) => "open".to_owned(),
        Err(error) => error.to_string(),
    };
    server.join().expect("the server ends").ok();
    answer
}

fn main() {
    println!("offers nothing: {}", shake(None));
    println!("offers one: {}", shake(Some("example")));
}
RUST
cargo run --quiet >seen
cat seen
diff seen - <<'SEEN'
offers nothing: open
offers one: WebSocket protocol error: SubProtocol error: Server sent no subprotocol
SEEN
echo "as it was seen"
