#!/usr/bin/env bash
# SQLite compiles a prepared statement again at its next run whenever the value of its LIMIT was bound, even to the same
# value, because that number counts for the plan. In an expression, or with SQLITE_ENABLE_QPSG, it does not count, and the
# statement is compiled once.
#
#   rusqlite 0.39.0, libsqlite3-sys 0.37.0 (SQLite 3.51.3), a prepared statement that is run ten times
#   LIMIT ?: compiled again ten times
#   WHERE x < ?, LIMIT 5: never; LIMIT ? + 0: never
#   with LIBSQLITE3_FLAGS=-DSQLITE_ENABLE_QPSG=1: never
#
# Pages of messages are such statements: the server's build sets the flag in `.cargo/config.toml`.
#
# Needs cargo and a C compiler. Ends with 0 if they still behave so, and with 1 if that has changed.
set -euo pipefail
unset LIBSQLITE3_FLAGS CARGO_TARGET_DIR

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "limits"
version = "0.0.0"
edition = "2021"

[workspace]

[dependencies]
rusqlite = { version = "=0.39.0", features = ["bundled"] }
libsqlite3-sys = "=0.37.0"
TOML
cat >src/main.rs <<'RUST'
use rusqlite::{Connection, StatementStatus};

fn main() {
    let connection = Connection::open_in_memory().expect("it opens");
    connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)").expect("the table is made");
    for condition in ["LIMIT ?1", "WHERE x < ?1 LIMIT 5", "LIMIT ?1 + 0"] {
        let mut statement = connection.prepare(&format!("SELECT x FROM t {condition}")).expect("it is right");
        for _ in 0..10 {
            let rows = statement.query_map([5], |row| row.get::<_, i64>(0)).expect("it runs");
            assert_eq!(rows.count(), 2);
        }
        println!("{condition}: {}", statement.get_status(StatementStatus::RePrepare));
    }
}
RUST

cargo build --quiet
target/debug/limits >seen
echo "with the flag" >>seen
LIBSQLITE3_FLAGS=-DSQLITE_ENABLE_QPSG=1 cargo build --quiet
target/debug/limits >>seen
cat seen
diff seen - <<'SEEN'
LIMIT ?1: 10
WHERE x < ?1 LIMIT 5: 0
LIMIT ?1 + 0: 0
with the flag
LIMIT ?1: 0
WHERE x < ?1 LIMIT 5: 0
LIMIT ?1 + 0: 0
SEEN
echo "as it was seen"
