#!/usr/bin/env bash
# In sqlx 0.9.0, `PgListener::try_recv` returns `Ok(None)` when its connection was lost. Before it does, it connects and
# listens again. A caller that waits in a `select!` and does something else with the listener meanwhile drops that call:
# the other one, `listen` for instance, connects and listens again in its place, and returns `Ok`. So the caller does not
# learn that the connection was lost, and that notifications may be missing.
#
#   seen with sqlx-postgres 0.9.0: with the default nothing tells of the loss; with `eager_reconnect(false)` the first
#   `try_recv` after it returns `Ok(None)`
#
# So whoever must know of every loss should call `eager_reconnect(false)`. src/cluster/postgres.rs does.
#
# Needs cargo and PostgreSQL's programs. Ends with 0 if it still is so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin | sort -V | tail -1)
# PostgreSQL does not run as root.
as=()
[[ $(id -u) != 0 ]] || as=(runuser -u nobody --)
# shellcheck disable=SC2329 # the trap calls it
end() {
    [[ ! -d $folder/data ]] || "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap end EXIT
chmod 755 "$folder"
cd "$folder"

mkdir -p listener/src
cat >listener/Cargo.toml <<'TOML'
[package]
name = "listener"
version = "0.0.0"
edition = "2024"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["postgres", "runtime-tokio"] }
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "sync", "time"] }

[workspace]
TOML
cat >listener/src/main.rs <<'RUST'
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Says whether the listener tells of the loss of its connection.
async fn tells(port: u16, eager: bool) -> Result<bool, sqlx::Error> {
    let proxy = TcpListener::bind("127.0.0.1:0").await?;
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(proxy.local_addr()?.port());
    let cut = Arc::new(Notify::new());
    let cuts = Arc::clone(&cut);
    tokio::spawn(async move {
        for number in 0.. {
            let (mut client, _) = proxy.accept().await.expect("a connection");
            let cuts = Arc::clone(&cuts);
            tokio::spawn(async move {
                if number > 0 {
                    // A server that has to start again is slow at first.
                    sleep(Duration::from_millis(500)).await;
                }
                let mut server = TcpStream::connect(("127.0.0.1", port)).await.expect("PostgreSQL");
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    () = cuts.notified(), if number == 0 => {}
                }
            });
        }
    });
    let options = options.username("postgres").database("postgres");
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(eager);
    listener.listen("first").await?;
    cut.notify_one();
    // Something else is to be done while it waits.
    tokio::select! {
        lost = listener.try_recv() => return Ok(lost?.is_none()),
        () = sleep(Duration::from_millis(250)) => {}
    }
    listener.listen("second").await?;
    Ok(timeout(Duration::from_secs(2), listener.try_recv()).await.is_ok())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port");
    let (eager, other) = (tells(port, true).await?, tells(port, false).await?);
    println!("tells of the loss: {eager} by default, {other} with eager_reconnect(false)");
    std::process::exit(i32::from(eager || !other));
}
RUST
cargo build --quiet --manifest-path listener/Cargo.toml --target-dir listener/target

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir data sockets
[[ ${#as[@]} == 0 ]] || chown nobody data sockets
"${as[@]}" "$bin/initdb" -D "$folder/data" -A trust -U postgres >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
    -o "-h 127.0.0.1 -p $port -k $folder/sockets -c fsync=off" start >/dev/null
listener/target/debug/listener "$port" || {
    echo "it has changed"
    exit 1
}
echo "as it was seen"
