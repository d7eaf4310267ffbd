#!/usr/bin/env bash
# Checks the load tester's own figures against readings it has no part in; each may differ by 5 % at most.
#
#   benchmark/check-figures.sh [SERVER_BINARY]
#
# CPU: /proc/PID/stat of the server before and after the load. Memory: VmRSS in /proc/PID/status. Deliveries: the
# ids that one more stream of the same user got, held by curl, which knows nothing of the load tester, times the
# number of streams; and what the kernel's loopback device says was carried must be enough for them.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
[[ $# -eq 0 ]] || SERVER=$(realpath "$1")
need_tools curl awk
find_programs
enter_namespace "$server"

port=8082; at=http://127.0.0.1:$port; streams=200; messages=10000
folder=$(mktemp -d); pid=''; ear=''; job=''
# shellcheck disable=SC2329  # the trap calls it
clean_up() { end_child "$job"; end_child "$ear"; end_child "$pid"; rm -rf "$folder"; }
trap clean_up EXIT
trap 'exit 130' INT TERM

launch "$folder" '' "$server" --config "$here/configs/gotify-256.yml"; pid=$instance
await_health "$pid" "$port" "$folder"

ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'; }
figure() { sed -n "s/^ *\"$1\": \([0-9.]*\),*$/\1/p" "$folder/$2.json" | head -1; }
carried() { awk '/ lo:/ { print $2 }' /proc/net/dev; }
failed=0
compare() {
    awk -v what="$1" -v tool="$2" -v other="$3" 'BEGIN {
        off = other > 0 ? 100 * (tool - other) / other : 999; good = off <= 5 && off >= -5
        printf "%-34s load tester %12.1f, independent %12.1f, %+.2f %%: %s\n", what, tool, other, off, good ? "fine" : "OFF"
        exit !good }' || failed=1
}

# The memory of idle streams, read while they are open: after the load tester has opened them, before it has left.
"$bench" idle --against "$at" --streams 5000 --wait-s 4 --json "$folder/idle.json" >"$folder/idle.txt" &
job=$!
files=0
for _ in $(seq 100); do
    sleep 0.1
    files=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
    if [[ $files -gt 5000 ]]; then break; fi
done
sleep 2
resident=$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$pid/status")
wait "$job"; job=''
compare "server memory, MiB" "$(figure resident_mib idle)" "$resident"

token=$(curl -fs -u admin:admin "$at/client" -F name=ear | sed 's/.*"token":"\([^"]*\)".*/\1/')
curl -sN --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
    -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' "$at/stream?token=$token" >"$folder/frames" &
ear=$!
sleep 1
before=$(ticks); lo=$(carried)
"$bench" burst --against "$at" --streams "$streams" --messages "$messages" --json "$folder/burst.json" >"$folder/burst.txt"
used=$(( $(ticks) - before )); lo=$(( $(carried) - lo ))
sleep 1
end_child "$ear"; ear=''
# What the load tester publishes before it starts to count carries another run's number than most.
run=$(grep -ao 'scb:[0-9a-f]\{8\}' "$folder/frames" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
seen=$(grep -ao "\"id\":[0-9]*,[^{}]*$run" "$folder/frames" | sort -u | wc -l)
# A burst's figures: CPU per delivery times the deliveries it was divided by.
deliveries=$(figure deliveries burst)
compare "deliveries" "$deliveries" "$((seen * streams))"
compare "server CPU of the burst, ms" \
    "$(awk -v each="$(figure cpu_per_delivery_us burst)" -v n="$deliveries" 'BEGIN { print each * n / 1000 }')" \
    "$((used * 1000 / $(getconf CLK_TCK)))"
# A message of 64 B is a frame of about 190 B; less than 150 B per delivery on the wire would be too few of them.
awk -v bytes="$lo" -v n="$deliveries" 'BEGIN {
    printf "%-34s %.0f B per delivery: %s\n", "carried by the loopback device", bytes / n, (bytes / n > 150 ? "fine" : "OFF")
    exit (bytes / n <= 150) }' || failed=1
exit "$failed"
