#!/usr/bin/env bash
# sqlx 0.9.0 does not set TCP_NODELAY on its connections to PostgreSQL, as libpq does. It sends the end of a
# `COPY ... FROM STDIN` (CopyDone, 5 bytes) in a write of its own. The kernel holds that back while a small segment is
# not acknowledged (Nagle's algorithm), and the server acknowledges the last segment of the data late, because it has
# nothing to say. So a COPY over TCP may wait about 40 ms, however little there is to do; over a Unix socket it does not.
#
#   seen on loopback, PostgreSQL 15, 20 COPY of 3 000 rows (0.8 MB): up to 43 ms each over TCP, up to 7 ms over the Unix
#   socket; a program that copied in batches of 1 MB waited 42 ms for most of them
#
# The times are shown and not judged: what is judged is the socket option, and that the end comes in a write of its own.
# So whoever copies with sqlx over TCP should use few statements. src/store/postgres/bulk.rs does.
#
# Needs cargo, strace and PostgreSQL's programs. Ends with 0 if it still is so, and with 1 if it has changed.
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

mkdir -p copy/src
cat >copy/Cargo.toml <<'TOML'
[package]
name = "copy"
version = "0.0.0"
edition = "2024"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["postgres", "runtime-tokio"] }
tokio = { version = "1", features = ["macros", "rt"] }

[workspace]
TOML
cat >copy/src/main.rs <<'RUST'
use std::time::Instant;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let port = arguments[2].parse().expect("a port");
    let options = PgConnectOptions::new_without_pgpass().host(&arguments[1]).port(port).username("postgres");
    let mut connection = options.database("postgres").connect().await?;
    connection.execute("CREATE TABLE IF NOT EXISTS rows (text text)").await?;
    let row = "x".repeat(280);
    let mut milliseconds = Vec::new();
    for number in 0..20 {
        // Of different lengths, so that the last segment is not always the same.
        let rows = format!("{row}\n").repeat(3000 + number);
        let began = Instant::now();
        let mut copy = connection.copy_in_raw("COPY rows FROM STDIN").await?;
        copy.send(rows.as_bytes()).await?;
        copy.finish().await?;
        milliseconds.push(began.elapsed().as_millis());
    }
    milliseconds.sort_unstable();
    println!("{} to {} ms, median {}", milliseconds[0], milliseconds[19], milliseconds[10]);
    Ok(())
}
RUST
cargo build --quiet --release --manifest-path copy/Cargo.toml --target-dir copy/target

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir data sockets
[[ ${#as[@]} == 0 ]] || chown nobody data sockets
"${as[@]}" "$bin/initdb" -D "$folder/data" -A trust -U postgres >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/data/log" \
    -o "-h 127.0.0.1 -p $port -k $folder/sockets -c fsync=off" start >/dev/null

echo "over TCP: $(copy/target/release/copy 127.0.0.1 "$port")"
echo "over the Unix socket: $(copy/target/release/copy "$folder/sockets" "$port")"

strace -f -e trace=setsockopt,sendto,write -s 4 -o sqlx.txt copy/target/release/copy 127.0.0.1 "$port" >/dev/null
strace -f -e trace=setsockopt -o libpq.txt "$bin/psql" -h 127.0.0.1 -p "$port" -U postgres -Atc 'SELECT 1' >/dev/null
grep -c TCP_NODELAY libpq.txt | sed 's/^/libpq sets TCP_NODELAY, calls: /'
if grep -q TCP_NODELAY sqlx.txt; then
    echo "sqlx sets TCP_NODELAY now"
    exit 1
fi
alone=$(grep -c 'c\\0\\0\\0.*, 5,' sqlx.txt)
echo "sqlx does not; writes with CopyDone alone: $alone"
[[ $alone == 20 ]]
echo "as it was seen"
