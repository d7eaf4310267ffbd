#!/usr/bin/env bash
# Measures what idle streams cost in user space and in the kernel: a line of Markdown for each case.
#
#   benchmark/measure-memory.sh [STREAMS:SHARDS:BUFFER_BYTES[:USERS]...]
#
# Streams are of one user, or of USERS in turn. RATE (3000) is how many are opened per second.
# User space is the growth of the server's resident memory. The kernel's part is the growth of all slabs (as root:
# /proc/slabinfo, else Slab in /proc/meminfo) and of TCP's buffer pages (/proc/net/sockstat); both ends of a stream
# are on this machine, so it is halved. Each case has a fresh server. Quiet machines only: slabs are shared by all.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
need_tools curl awk
find_programs
enter_namespace "$@"
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

cases=("$@")
[[ $# -gt 0 ]] || cases=(1000:256:8192 5000:256:8192 10000:256:8192 15000:256:8192
    10000:64:8192 10000:1024:8192 10000:256:1024 10000:256:65536)
port=8082; folder=''; pid=''; job=''
clean_up() {
    end_child "$job"; end_child "$pid"; job=''; pid=''
    if [[ -n $folder ]]; then rm -rf "$folder"; folder=''; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

resident() { awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$pid/status"; }
# Bytes of all slabs.
slab() {
    if [[ -r /proc/slabinfo ]]; then awk 'NR > 2 { sum += $2 * $4 } END { printf "%d", sum }' /proc/slabinfo
    else awk '/^Slab:/ { printf "%d", $2 * 1024 }' /proc/meminfo; fi
}
# Bytes of a slab's objects that are in use.
slab_of() {
    if [[ -r /proc/slabinfo ]]; then awk -v name="$1" '$1 == name { printf "%d", $2 * $4 }' /proc/slabinfo; fi
}
tcp_pages() { awk '/^TCP:/ { for (i = 1; i < NF; i++) if ($i == "mem") print $(i + 1) * 4096 }' /proc/net/sockstat; }

echo "| streams | users | shards | buffers, bytes | resident, bytes per stream | slabs, bytes per end | of these TCP sockets | TCP buffers, bytes per end |"
echo "|--:|--:|--:|--:|--:|--:|--:|--:|"
for case in "${cases[@]}"; do
    IFS=: read -r streams shards buffer users <<<"$case"
    folder=$(mktemp -d)
    GOTIFY_SERVER_STREAM_SHARDCOUNT=$shards GOTIFY_SERVER_STREAM_READBUFFERSIZE=$buffer \
        GOTIFY_SERVER_STREAM_WRITEBUFFERSIZE=$buffer GOTIFY_PASSSTRENGTH=4 \
        launch "$folder" '' "$server" --config "$here/configs/gotify-256.yml"
    pid=$instance
    await_health "$pid" "$port" "$folder"
    sleep 1
    before=$(slab); sockets=$(slab_of TCP); pages=$(tcp_pages); memory=$(resident)
    "$bench" idle --against "http://127.0.0.1:$port" --streams "$streams" --users "${users:-0}" \
        --connect-rate "${RATE:-3000}" --wait-s 5 >"$folder/idle.txt" &
    job=$!
    for _ in $(seq 1800); do
        sleep 0.1
        kill -0 "$job" 2>/dev/null || { cat "$folder/idle.txt" >&2; exit 1; }
        if [[ $(stat -c %s "/proc/$pid/fd") -gt $streams ]]; then break; fi
    done
    sleep 2
    awk -v n="$streams" -v users="${users:-0}" -v shards="$shards" -v buffer="$buffer" -v r="$(($(resident) - memory))" \
        -v s="$(($(slab) - before))" -v t="$(($(slab_of TCP) - sockets))" -v p="$(($(tcp_pages) - pages))" \
        'BEGIN { printf "| %d | %d | %d | %d | %.0f | %.0f | %.0f | %.0f |\n", n, (users ? users : 1), shards, buffer, r / n, s / n / 2, t / n / 2, p / n / 2 }'
    wait "$job"; job=''
    clean_up
done
