#!/usr/bin/env bash
# In sqlx-postgres a socket that was once set stays in force. A later `host("db.example")` sets the host, and the
# connection still goes to the socket. So does a URL that names a folder and then a host, of which libpq takes the
# last. There is no method that takes the socket away again.
#
#   sqlx-postgres 0.9.0: `socket("/run/postgresql").host("db.example")` has both; the same for `?host=…&host=…`
#
# Of a setting that is there twice the server gives the driver the last one alone
# (`src/store/postgres/connection.rs`, whose tests have such strings).
#
# Needs cargo. Ends with 0 if the crate still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "socket"
version = "0.0.0"
edition = "2021"

[workspace]

[dependencies]
sqlx-postgres = { version = "=0.9.0", default-features = false }
TOML
cat >src/main.rs <<'RUST'
use sqlx_postgres::PgConnectOptions;

fn main() {
    let read = |url: &str| url.parse::<PgConnectOptions>().expect("it is a URL");
    for (name, options) in [
        ("methods", PgConnectOptions::new_without_pgpass().socket("/run/postgresql").host("db.example")),
        ("a URL", read("postgres:///app?host=/run/postgresql&host=db.example")),
        ("the host alone", read("postgres:///app?host=db.example")),
    ] {
        println!("{name}: host {}, socket {:?}", options.get_host(), options.get_socket());
    }
}
RUST

cargo run --quiet >seen
cat seen
diff seen - <<'SEEN'
methods: host db.example, socket Some("/run/postgresql")
a URL: host db.example, socket Some("/run/postgresql")
the host alone: host db.example, socket None
SEEN
echo "as it was seen"
