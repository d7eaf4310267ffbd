#!/usr/bin/env bash
# `http::Uri` takes a port that no address has: `http://localhost:99999` parses without an error. It says then that it
# has no port, so a program that falls back to the port of the scheme talks to another server than the one that was
# named, and nobody is told.
#
#   http 1.5.0: the authority is `localhost:99999`, and `port_u16()` is None
#
# `send` and `tail` refuse such a URL (src/cli/remote/server_url.rs).
#
# Needs cargo. Ends with 0 if http still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "ports"
version = "0.0.0"
edition = "2021"

[dependencies]
http = "=1.5.0"

[workspace]
TOML
cat >src/main.rs <<'RUST'
fn main() {
    for text in ["http://localhost:65535", "http://localhost:65536", "http://localhost:99999", "http://localhost:port"] {
        match text.parse::<http::Uri>() {
            Ok(uri) => println!("{text}: authority {:?}, port {:?}", uri.authority().map(|a| a.as_str()), uri.port_u16()),
            Err(_) => println!("{text}: an error"),
        }
    }
}
RUST
cargo run --quiet >seen
cat seen
diff seen - <<'SEEN'
http://localhost:65535: authority Some("localhost:65535"), port Some(65535)
http://localhost:65536: authority Some("localhost:65536"), port None
http://localhost:99999: authority Some("localhost:99999"), port None
http://localhost:port: authority Some("localhost:port"), port None
SEEN
echo "as it was seen"
