#!/usr/bin/env bash
# Measures what counting for Prometheus costs, what a scrape takes, and Protobuf beside JSON.
#
#   benchmark/measure-metrics.sh SERVER_BINARY [ROW...]
#
# Rows: cost (a fan-out with metrics beside one without), scrape (with so many streams open), formats (a fan-out in
# Protobuf beside one in JSON); all of these without an argument. Environment: ROUNDS (5), SCALE (1; the share of
# 10 000 streams to use, as 0.1, for a quick look), RESULTS (a folder for JSON).
#
# Everything runs in a network namespace of its own, the servers on core 0 and the load on core 1, each server with a
# fresh data folder for each row; of two servers one is idle while the other is loaded. What was started is stopped,
# also when interrupted. Ends with 0 if every threshold was met.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
enter_namespace_with_server "$@"

server=$(realpath "$1"); shift
rows=("$@"); [[ ${#rows[@]} -gt 0 ]] || rows=(cost scrape formats)
rounds=${ROUNDS:-5}; scale=${SCALE:-1}
export GOTIFY_SERVER_LISTENADDR=127.0.0.1 GOTIFY_DEFAULTUSER_NAME=admin GOTIFY_DEFAULTUSER_PASS=admin
export GOTIFY_METRICS_LISTENADDR=main SHARDCAST_BENCH_USER=admin SHARDCAST_BENCH_PASS=admin
folders=() pids=() job='' missed=()

stop() {
    # The load removes what it made at the servers, so it goes first.
    end_child "$job"; job=''
    local pid folder
    for pid in "${pids[@]}"; do end_child "$pid"; done
    for folder in "${folders[@]}"; do rm -rf "$folder"; done
    pids=() folders=()
}
trap stop EXIT
trap 'exit 130' INT TERM

# Starts a server on a port, with metrics (true) or without.
start() {
    local port=$1 metrics=$2 folder
    folder=$(mktemp -d)
    folders+=("$folder")
    export GOTIFY_SERVER_PORT=$port GOTIFY_METRICS_ENABLED=$metrics
    launch "$folder" 0 "$server"
    pids+=("$instance")
    await_health "$instance" "$port" "$folder" || exit 1
}

load() {
    local row=$1; shift
    local json=(); [[ -z ${RESULTS:-} ]] || json=(--json "$RESULTS/$row.json")
    echo "=== $row"
    # In the background, because a trap waits for what runs in the foreground.
    taskset -c 1 "$BENCH" "${json[@]}" "$@" &
    job=$!
    wait "$job" || missed+=("$row")
    job=''
}

# Scrapes over one connection while the streams are open, and says how long that took.
scrape() {
    local port=$1 streams=$2 times open
    echo "=== scrape"
    taskset -c 1 "$BENCH" --against "shardcast=http://127.0.0.1:$port" idle --streams "$streams" --wait-s 30 &
    job=$!
    open=0
    while [[ $open != "$streams" ]]; do
        sleep 0.5
        kill -0 "$job" || { missed+=(scrape); return; }
        open=$(curl --silent "http://127.0.0.1:$port/metrics" | awk '$1 == "websocket_active_connections" { print $2 }')
    done
    times=$(taskset -c 1 curl --silent --output /dev/null --write-out '%{time_total} %{size_download}\n' \
        "http://127.0.0.1:$port/metrics?[1-500]" | tail -n +2 | sort -g)
    awk -v streams="$streams" '{ ms[NR] = $1 * 1000; size = $2 }
        END { printf "%d scrapes of %d bytes with %d streams open: p50 %.3f ms, p99 %.3f ms, max %.3f ms\n",
                  NR, size, streams, ms[int(NR * 0.5) + 1], ms[int(NR * 0.99)], ms[NR]
              exit !(NR > 100 && ms[int(NR * 0.99)] < 1) }' <<<"$times" || missed+=(scrape)
    wait "$job" || missed+=(scrape)
    job=''
}

part() { awk -v all="$1" -v scale="$scale" 'BEGIN { printf "%d", all * scale }'; }

none_wrong=(--threshold 'lost<=0' --threshold 'duplicated<=0' --threshold 'out_of_order<=0')
many=$(part 10000); some=$(part 2000)
[[ -z ${RESULTS:-} ]] || mkdir -p "$RESULTS"

for row in "${rows[@]}"; do
    start 8090 true
    case $row in
        cost)
            start 8091 false
            load cost --against with=http://127.0.0.1:8090 --against without=http://127.0.0.1:8091 \
                fanout --streams "$some" --messages 100 --interval-ms 60 --rounds "$rounds" \
                --threshold 'cpu_per_delivery_us<=1.02x' "${none_wrong[@]}" ;;
        scrape) scrape 8090 "$many" ;;
        formats)
            load formats --against shardcast=http://127.0.0.1:8090 --format protobuf --format json \
                fanout --streams "$some" --messages 100 --interval-ms 60 --rounds "$rounds" \
                --threshold 'bytes_per_delivery<=0.7x' "${none_wrong[@]}" ;;
        *) echo "$0: no row \`$row\`" >&2; exit 64 ;;
    esac
    stop
done

if [[ ${#missed[@]} -gt 0 ]]; then
    echo "not as it should be: ${missed[*]}"
    exit 1
fi
