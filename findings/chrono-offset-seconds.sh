#!/usr/bin/env bash
# Time zones had offsets with seconds before they were standardized: New York's was -04:56:02 until 1883. RFC 3339 has no
# place for these seconds. Other libraries round the clock or refuse; chrono's to_rfc3339 writes the local time as it is
# and leaves the seconds of the offset out. So the text names another moment, and reads back as such.
#
#   chrono 0.4.45, chrono-tz 0.10.4: 1880-01-01T00:00:00-04:56, which is two seconds early; to_string writes -04:56:02
#
# Programs meet this where a missing date is stored as the year 1 in a named zone, as Gotify does on MariaDB with
# `loc=America/New_York`. The server therefore converts no zero date by a zone (src/store/mysql/dialect.rs).
#
# Needs cargo. Ends with 0 if chrono still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "old"
version = "0.0.0"
edition = "2021"

[dependencies]
chrono = { version = "=0.4.45", default-features = false, features = ["std"] }
chrono-tz = "=0.10.4"

[workspace]
TOML
cat >src/main.rs <<'RUST'
use chrono::{DateTime, TimeZone};

fn main() {
    for year in [1880, 1890] {
        let time = chrono_tz::America::New_York.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
        let text = time.to_rfc3339();
        let read = DateTime::parse_from_rfc3339(&text).unwrap();
        let seconds = (read.to_utc() - time.to_utc()).num_seconds();
        println!("{} is written as {text} and read {seconds} s later", time.fixed_offset());
    }
}
RUST
cargo run --quiet | tee seen
diff seen - <<'SEEN'
1880-01-01 00:00:00 -04:56:02 is written as 1880-01-01T00:00:00-04:56 and read -2 s later
1890-01-01 00:00:00 -05:00 is written as 1890-01-01T00:00:00-05:00 and read 0 s later
SEEN
echo "as it was seen"
