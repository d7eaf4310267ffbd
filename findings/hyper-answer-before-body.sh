#!/usr/bin/env bash
# A server on hyper answers a request before the request's body has come, for example with 401. hyper then closes the
# connection, but its answer does not say `Connection: close`. RFC 9112, section 9.6, wants a server that closes to say
# so. A client that keeps connections, such as Python's http.client, sends its next request into the closed one.
#
#   hyper 1.12.0 (hyper-util 0.1.21): 401 without a `Connection` header, then the end of the stream
#
# If the body comes before the answer, the connection stays open, as it should.
# So whoever refuses requests early has to read the rest of a small body, or to announce the end: src/server/requests.rs
# does, and tests/it/keep_alive.rs holds it to that.
#
# Needs cargo and python3. Ends with 0 if hyper still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
server=''
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "refuse"
version = "0.0.0"
edition = "2021"

[dependencies]
http-body-util = "=0.1.5"
hyper = { version = "=1.12.0", features = ["http1", "server"] }
hyper-util = { version = "=0.1.21", features = ["tokio"] }
tokio = { version = "=1.54.1", features = ["macros", "net", "rt"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use http_body_util::Full;
use hyper::{Request, Response, body::{Bytes, Incoming}, server::conn::http1, service::service_fn};

async fn refuse(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    Ok(Response::builder().status(401).body(Full::new(Bytes::from_static(b"no"))).expect("it is valid"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (socket, _) = listener.accept().await?;
        let io = hyper_util::rt::TokioIo::new(socket);
        let _ = http1::Builder::new().serve_connection(io, service_fn(refuse)).await;
    }
}
RUST
cargo build --quiet
target/debug/refuse >port &
server=$!
for _ in $(seq 50); do [[ -s port ]] && break; sleep 0.1; done

python3 - "$(<port)" >seen <<'PYTHON'
import socket, sys

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"

def ask(first, then):
    """Sends one part, reads the answer, sends the other part and one more request; says what came."""
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as peer:
        peer.sendall(first)
        answer = b""
        while b"\r\n\r\nno" not in answer:
            answer += peer.recv(4096)
        try:
            peer.sendall(then + HEAD + b"12345")
            more = peer.recv(4096)
        except ConnectionError:
            more = b""
    says_so = b"\r\nconnection: close" in answer.lower()
    return f"{answer[9:12].decode()}, says close: {says_so}, answers the next request: {bool(more)}"

print("body before the answer:", ask(HEAD + b"12345", b""))
print("body after the answer: ", ask(HEAD, b"12345"))
PYTHON
cat seen
diff seen - <<'SEEN'
body before the answer: 401, says close: False, answers the next request: True
body after the answer:  401, says close: False, answers the next request: False
SEEN
echo "as it was seen"
