#!/usr/bin/env bash
# Measures a server beside the baseline: every row of the project's table of targets that shows from outside.
#
#   benchmark/measure.sh SERVER_BINARY [ROW...]
#
# Rows: idle fanout stalled slow burst latency senders kill (all of these without an argument), and steady: one message
# per second for a minute. Environment: ROUNDS (3), KILLS (50), SCALE (1; the share of 10 000 streams to use, as 0.1,
# for a quick look), RESULTS (a folder for JSON).
#
# Everything runs in a network namespace of its own, the server on core 0 and the load on core 1, the server with a
# fresh data folder for each row. What was started is stopped, also when interrupted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
enter_namespace_with_server "$@"

server=$(realpath "$1"); shift
rows=("$@"); [[ ${#rows[@]} -gt 0 ]] || rows=(idle fanout stalled slow burst latency senders kill)
rounds=${ROUNDS:-3}; kills=${KILLS:-50}; scale=${SCALE:-1}
port=8090
name=$(basename "$server")
export GOTIFY_SERVER_LISTENADDR=127.0.0.1 GOTIFY_SERVER_PORT=$port
export GOTIFY_DEFAULTUSER_NAME=admin GOTIFY_DEFAULTUSER_PASS=admin
export SHARDCAST_BENCH_USER=admin SHARDCAST_BENCH_PASS=admin
folder=''; pid=''; job=''

stop() {
    # The load removes what it made at the server, so it goes first.
    end_child "$job"; job=''
    end_child "$pid"; pid=''
    if [[ -n $folder ]]; then rm -rf "$folder"; folder=''; fi
}
trap stop EXIT
trap 'exit 130' INT TERM

start() {
    folder=$(mktemp -d)
    launch "$folder" 0 "$server"
    pid=$instance
    await_health "$pid" "$port" "$folder" || exit 1
}

part() { awk -v all="$1" -v scale="$scale" 'BEGIN { printf "%d", all * scale }'; }

load() {
    local row=$1; shift
    local json=(); [[ -z ${RESULTS:-} ]] || json=(--json "$RESULTS/$row.json")
    echo "=== $row"
    # In the background, because a trap waits for what runs in the foreground.
    taskset -c 1 "$BENCH" --against "$name=http://127.0.0.1:$port" "${json[@]}" "$@" &
    job=$!
    wait "$job" || missed+=("$row")
    job=''
}

none_wrong=(--threshold 'lost<=0' --threshold 'duplicated<=0' --threshold 'out_of_order<=0')
baseline=(--baseline --server-cpu 0)
many=$(part 10000); stuck=$(part 1000)
missed=()
[[ -z ${RESULTS:-} ]] || mkdir -p "$RESULTS"

for row in "${rows[@]}"; do
    if [[ $row == kill ]]; then
        folder=$(mktemp -d)
        load kill durability --kills "$kills" --senders 16 --folder "$folder" -- taskset -c 0 "$server"
        stop
        continue
    fi
    start
    case $row in
        idle) load idle idle --streams "$many" --wait-s 10 "${baseline[@]}" \
            --threshold 'bytes_per_stream<=1536' --threshold 'cpu_per_admission_us<=100' ;;
        fanout) load fanout fanout --streams "$many" --messages 20 --interval-ms 500 --rounds "$rounds" "${baseline[@]}" \
            --threshold 'cpu_per_delivery_us<=1.25x' --threshold 'p99_ms<=1.25x' "${none_wrong[@]}" ;;
        steady) load steady fanout --streams "$many" --messages 60 --interval-ms 1000 --rounds "$rounds" "${baseline[@]}" \
            --threshold 'p95_ms<=100|1.25x' "${none_wrong[@]}" ;;
        stalled) load stalled stalled --streams "$many" --stalled "$stuck" --messages 60 --interval-ms 500 --size 4096 \
            --threshold 'p99_ms<=1.1x' --threshold "stalled_closed>=$stuck" --threshold 'memory_growth_mib<=20' "${none_wrong[@]}" ;;
        slow) load slow slow --streams 200 --bytes-per-s 1000000 --messages 2000 --size 4096 --patience 30 \
            --threshold 'closed<=0' --threshold 'memory_growth_mib<=20' "${none_wrong[@]}" ;;
        burst) load burst burst --streams 1000 --messages 2000 --senders 16 --rounds "$rounds" "${baseline[@]}" \
            --threshold 'deliveries_per_s>=10x' "${none_wrong[@]}" ;;
        latency) load latency publish --senders 4 --rate 1 --seconds 60 --streams "$many" --reference-streams 0 \
            --threshold 'publish_p99_ms<=1.5x' "${none_wrong[@]}" ;;
        senders) load senders publish --senders 64 --seconds 5 --reference-senders 1 --rounds "$rounds" \
            --threshold 'publishes_per_s>=20x' ;;
        *) echo "$0: no row \`$row\`" >&2; exit 64 ;;
    esac
    stop
done

if [[ ${#missed[@]} -gt 0 ]]; then
    echo "not as it should be: ${missed[*]}"
    exit 1
fi
echo "all thresholds met: ${rows[*]}"
