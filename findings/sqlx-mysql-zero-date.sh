#!/usr/bin/env bash
# MariaDB and MySQL take 0000-00-00 as a date that is no date, and Go's driver for them writes its zero time so. With a
# prepared statement sqlx reads it as NULL: Option<NaiveDateTime> gives None, although the column is NOT NULL and
# `IS NULL` is false for the row. With a plain statement the same read is an error.
#
#   sqlx 0.9.0 with MariaDB 10.11: None if prepared, ColumnDecode (OutOfRange) if not
#
# The server tells the two apart, and stores and returns the zero date as Gotify does (src/store/mysql/dialect.rs).
#
# Needs cargo and Debian's mariadb-server. Ends with 0 if sqlx still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
server=
cleanup() {
    if [[ -n $server ]]; then kill "$server"; wait "$server" || true; fi
    rm -rf "$folder"
}
trap cleanup EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "zero"
version = "0.0.0"
edition = "2021"

[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["runtime-tokio", "mysql", "chrono"] }
tokio = { version = "1", features = ["macros", "rt", "net", "time"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
use sqlx::types::chrono::NaiveDateTime;
use sqlx::{Connection, Executor, Row};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = sqlx::mysql::MySqlConnectOptions::new().socket(std::env::args().nth(1).unwrap()).username("root");
    let mut connection = sqlx::MySqlConnection::connect_with(&options).await.unwrap();
    connection.execute("SET sql_mode = ''").await.unwrap();
    connection.execute("CREATE DATABASE zero").await.unwrap();
    connection.execute("CREATE TABLE zero.dates (at datetime NOT NULL)").await.unwrap();
    connection.execute("INSERT INTO zero.dates VALUES ('0000-00-00')").await.unwrap();
    let select = "SELECT at, at IS NULL FROM zero.dates";
    let row = connection.fetch_one(sqlx::query(select)).await.unwrap();
    println!("prepared: {:?}", row.try_get::<Option<NaiveDateTime>, _>(0));
    println!("IS NULL: {}", row.try_get_unchecked::<i64, _>(1).unwrap());
    let row = connection.fetch_one(select).await.unwrap();
    println!("plain: {:?}", row.try_get::<Option<NaiveDateTime>, _>(0));
}
RUST
cargo build --quiet
mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db \
    --user="$(id -un)" >/dev/null 2>&1
mariadbd --no-defaults --datadir="$folder/data" --socket="$folder/socket" --skip-networking --user="$(id -un)" \
    >log 2>&1 &
server=$!
for _ in $(seq 300); do
    if [[ -S $folder/socket ]]; then break; fi
    sleep 0.1
done
target/debug/zero "$folder/socket" | tee seen
diff seen - <<'SEEN'
prepared: Ok(None)
IS NULL: 0
plain: Err(ColumnDecode { index: "0", source: ParseError(OutOfRange) })
SEEN
echo "as it was seen"
