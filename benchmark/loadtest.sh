#!/usr/bin/env bash
# A distributed load test as processes on this machine: Kafka, the server as target, an orchestrator and drivers.
#
#   benchmark/loadtest.sh [--drivers N]
#
# Builds what is missing, starts everything on loopback, prints the address of the page and the token, and stops
# everything on Ctrl-C. Needs Rust, a C compiler, Java and Maven. Reports stay in LOADTEST_FOLDER (load-tests).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
drivers=3
while [[ $# -gt 0 ]]; do
    case $1 in
        --drivers) drivers=${2:?--drivers needs a number}; shift 2 ;;
        --help | -h) sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0"; exit ;;
        *) echo "unknown argument \`$1\`: see \`$0 --help\`" >&2; exit 64 ;;
    esac
done
[[ $drivers =~ ^[1-9][0-9]*$ ]] || { echo "--drivers is \`$drivers\`: it must be a number from 1" >&2; exit 64; }

cargo build --release --bin shardcast
cargo build --release --package shardcast-bench --features kafka --bin shardcast-bench
programs=${CARGO_TARGET_DIR:-$PWD/target}/release
reports=$(realpath -m "${LOADTEST_FOLDER:-load-tests}")
kafka_port=${KAFKA_PORT:-9092}
folder=$(mktemp -d)
started=()
# shellcheck disable=SC2329 # the trap calls it
end() {
    trap - EXIT INT TERM
    [[ ${#started[@]} -eq 0 ]] || kill "${started[@]}" 2>/dev/null || true
    wait
    benchmark/kafka.sh down "$kafka_port"
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM

benchmark/kafka.sh up "$kafka_port"
export SHARDCAST_BENCH_BOOTSTRAP_SERVERS=127.0.0.1:$kafka_port
(cd "$folder" && GOTIFY_SERVER_LISTENADDR=127.0.0.1 GOTIFY_SERVER_PORT=${SERVER_PORT:-8080} exec "$programs/shardcast") \
    >"$folder/server.txt" 2>&1 &
started+=($!)
"$programs/shardcast-bench" orchestrator --folder "$reports" &
started+=($!)
for number in $(seq "$drivers"); do
    "$programs/shardcast-bench" driver --node-id "driver-$number" &
    started+=($!)
done
echo "target: http://127.0.0.1:${SERVER_PORT:-8080}/health; Ctrl-C ends everything"
wait -n
echo "one of the processes has ended" >&2
exit 1
