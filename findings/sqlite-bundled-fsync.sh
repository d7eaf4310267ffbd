#!/usr/bin/env bash
# The SQLite that the crate libsqlite3-sys brings (feature `bundled`) syncs by fsync. Debian's library syncs the same commits
# by fdatasync, which does not wait for the file's times. SQLite takes fdatasync only where it is compiled with
# HAVE_FDATASYNC, which its own build sets on Linux and the crate's does not. On a file system with a journal, fsync is one
# more write of the disk for each commit.
#
#   rusqlite 0.39.0, libsqlite3-sys 0.37.0 (SQLite 3.51.3), ten commits: fsync alone
#   the same with LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC=1: ten times fdatasync and more
#   libsqlite3-0 3.40.1 of Debian 12, through Python's sqlite3: the same
#
# The server's build sets the flag in `.cargo/config.toml`.
#
# Needs cargo, a C compiler, strace, and a Python whose sqlite3 uses the library of Debian or another distribution. Ends
# with 0 if they still behave so, and with 1 if that has changed.
set -euo pipefail
unset LIBSQLITE3_FLAGS CARGO_TARGET_DIR

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "synced"
version = "0.0.0"
edition = "2021"

[workspace]

[dependencies]
rusqlite = { version = "=0.39.0", features = ["bundled"] }
libsqlite3-sys = "=0.37.0"
TOML
cat >src/main.rs <<'RUST'
fn main() {
    let file = std::env::args().nth(1).expect("a file");
    let connection = rusqlite::Connection::open(file).expect("it opens");
    let begin = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x);";
    connection.execute_batch(begin).expect("the table is made");
    for number in 0..10 {
        connection.execute("INSERT INTO t VALUES (?1)", [number]).expect("it is stored");
    }
}
RUST
cat >synced.py <<'PYTHON'
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE t (x)"]:
    connection.execute(statement)
for number in range(10):
    connection.execute("INSERT INTO t VALUES (?)", (number,))
PYTHON

# Says which of both calls synced the ten commits.
syncs() {
    local name=$1 calls
    shift
    strace -f -e trace=fsync,fdatasync -o calls "$@" "$folder/$RANDOM.db"
    calls=$(grep -cE '\bfdatasync\(' calls || true)
    if [ "$calls" -ge 10 ]; then
        echo "$name: fdatasync"
    elif [ "$calls" -eq 0 ] && [ "$(grep -cE '\bfsync\(' calls)" -ge 10 ]; then
        echo "$name: fsync alone"
    else
        echo "$name: both"
    fi
}

cargo build --quiet
syncs "bundled" target/debug/synced >seen
LIBSQLITE3_FLAGS=-DHAVE_FDATASYNC=1 cargo build --quiet
syncs "bundled, with the flag" target/debug/synced >>seen
syncs "Python's" python3 synced.py >>seen
cat seen
diff seen - <<'SEEN'
bundled: fsync alone
bundled, with the flag: fdatasync
Python's: fdatasync
SEEN
echo "as it was seen"
