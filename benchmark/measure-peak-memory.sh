#!/usr/bin/env bash
# Measures a server's memory under load and after it: a line of Markdown for each kind of load.
#
#   benchmark/measure-peak-memory.sh [LOAD...]     # idle fanout burst publish slow stalled churn; all without one
#
# Each load has a fresh server. *At most* is the most resident memory that the kernel saw (VmHWM); *10 s after* is
# what is left once the load and its streams have been gone for that long. SCALE (1) is a share of the usual load.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
need_tools curl awk
find_programs
enter_namespace "$@"
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

port=8082; folder=''; pid=''
clean_up() {
    end_child "$pid"; pid=''
    if [[ -n $folder ]]; then rm -rf "$folder"; folder=''; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

mebibytes() { awk -v field="$1:" '$1 == field { printf "%.1f", $2 / 1024 }' "/proc/$pid/status"; }
part() { awk -v all="$1" -v scale="${SCALE:-1}" 'BEGIN { n = int(all * scale); print n < 1 ? 1 : n }'; }

loads=("$@"); [[ $# -gt 0 ]] || loads=(idle fanout burst publish slow stalled churn)
echo "| load | options | at rest, MiB | at most, MiB | 10 s after, MiB |"
echo "|---|---|--:|--:|--:|"
for load in "${loads[@]}"; do
    case $load in
        idle) options=(--streams "$(part 10000)" --wait-s 5) ;;
        fanout) options=(--streams "$(part 10000)" --messages 20 --interval-ms 500) ;;
        burst) options=(--streams "$(part 1000)" --messages 2000 --senders 16) ;;
        publish) options=(--senders 64 --seconds 5) ;;
        slow) options=(--streams 200 --bytes-per-s 1000000 --messages "$(part 2000)" --size 4096 --patience 30) ;;
        stalled) options=(--streams "$(part 10000)" --stalled "$(part 1000)" --messages 60 --interval-ms 500 --size 4096) ;;
        churn) options=(--rate 1000 --hold-ms 1000 --seconds 10) ;;
        *) echo "$0: no load \`$load\`" >&2; exit 64 ;;
    esac
    folder=$(mktemp -d)
    launch "$folder" '' "$server" --config "$here/configs/gotify-256.yml"
    pid=$instance
    await_health "$pid" "$port" "$folder"
    sleep 1
    rest=$(mebibytes VmRSS)
    "$bench" "$load" --against "http://127.0.0.1:$port" "${options[@]}" >"$folder/load.txt" \
        || { cat "$folder/load.txt" >&2; exit 1; }
    sleep 10
    echo "| $load | \`${options[*]}\` | $rest | $(mebibytes VmHWM) | $(mebibytes VmRSS) |"
    clean_up
done
