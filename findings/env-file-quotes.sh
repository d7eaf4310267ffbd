#!/usr/bin/env bash
# Gotify 3 reads its settings from a file of NAME=value lines with the Go module godotenv, and takes JSON as the
# value of GOTIFY_SERVER_RESPONSEHEADERS. A Rust program that reads the same file with the crate dotenvy gets other
# values:
#
#   GOTIFY_SERVER_RESPONSEHEADERS={"X-A":"b"}   godotenv 1.5.1: {"X-A":"b"}    dotenvy 0.15.7: {X-A:b}
#   GOTIFY_DEFAULTUSER_NAME=Ada Lovelace        godotenv 1.5.1: Ada Lovelace   dotenvy 0.15.7: an error
#
# So whoever takes such a file over has to read it with godotenv's rules. src/config/environment_file.rs does.
#
# Needs go and cargo. Ends with 0 if both still behave so, and with 1 if one has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"

cat >json.env <<'LINES'
GOTIFY_SERVER_RESPONSEHEADERS={"X-A":"b"}
LINES
cat >spaces.env <<'LINES'
GOTIFY_DEFAULTUSER_NAME=Ada Lovelace
LINES

mkdir with_go with_rust with_rust/src
cat >with_go/main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	for _, file := range os.Args[1:] {
		values, err := godotenv.Read(file)
		if err != nil {
			fmt.Println("error")
			continue
		}
		for name, value := range values {
			fmt.Printf("%s is %s\n", name, value)
		}
	}
}
GO
(cd with_go && go mod init read >/dev/null 2>&1 && go get github.com/joho/godotenv@v1.5.1 >/dev/null 2>&1 && go build -o read .)

cat >with_rust/Cargo.toml <<'TOML'
[package]
name = "read"
version = "0.0.0"
edition = "2021"

[dependencies]
dotenvy = "=0.15.7"

[workspace]
TOML
cat >with_rust/src/main.rs <<'RUST'
fn main() {
    for file in std::env::args().skip(1) {
        for item in dotenvy::from_path_iter(file).expect("the file is there") {
            match item {
                Ok((name, value)) => println!("{name} is {value}"),
                Err(_) => println!("error"),
            }
        }
    }
}
RUST
cargo build --quiet --manifest-path with_rust/Cargo.toml --target-dir with_rust/target

with_go/read json.env spaces.env >godotenv.txt
with_rust/target/debug/read json.env spaces.env >dotenvy.txt
echo "godotenv 1.5.1:"; cat godotenv.txt
echo "dotenvy 0.15.7:"; cat dotenvy.txt

diff godotenv.txt - <<'SEEN'
GOTIFY_SERVER_RESPONSEHEADERS is {"X-A":"b"}
GOTIFY_DEFAULTUSER_NAME is Ada Lovelace
SEEN
diff dotenvy.txt - <<'SEEN'
GOTIFY_SERVER_RESPONSEHEADERS is {X-A:b}
error
SEEN
echo "as it was seen"
