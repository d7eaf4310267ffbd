# `just` lists what there is; each line is also a command to type.

default:
    @just --list

# Everything that a change must pass.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo clippy --no-default-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
    cargo test --workspace
    cargo deny check

# Criterion's micro-benches.
bench *arguments:
    cargo bench {{arguments}}

# The load tester, against a server that runs: `just load --help`.
load *arguments:
    cargo build --release --workspace
    target/release/shardcast-bench {{arguments}}
