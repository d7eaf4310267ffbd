# `just` lists what there is; each line is also a command to type.

default:
    @just --list

# Everything that a change must pass, or the steps that are named: `just check format lint tests`.
check *steps:
    .ci/run {{steps}}

# Attacks that libFuzzer makes up, from the corpora on: `just fuzz --help`.
fuzz *arguments:
    fuzz/run {{arguments}}

# Criterion's micro-benches.
bench *arguments:
    cargo bench {{arguments}}

# The load tester, against a server that runs: `just load --help`.
load *arguments:
    cargo run --release --package shardcast-bench -- {{arguments}}

# All files of a release: programs, Debian package, crate, image and checksums. Nothing is published.
release folder="target/release-files":
    packaging/release {{folder}}
