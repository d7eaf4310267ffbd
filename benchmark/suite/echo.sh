# Sourced by run-benchmark.sh: the echo server beside a plain one, under k6's script for echoes.
# shellcheck shell=bash disable=SC2154,SC2034  # the variables are run-benchmark.sh's

echo_pids=()

# Starts an echo server on a free port; sets `echo_pid` and `echo_address`. Arguments: name, its options.
start_echo() {
    local name=$1; shift
    local log=$work/$name.log pin=()
    [[ -z $server_core ]] || pin=(taskset -c "$server_core")
    "${pin[@]}" "$bench" echo 127.0.0.1:0 "$@" >"$log" 2>&1 &
    echo_pid=$!
    echo_pids+=("$echo_pid"); server_pids=("$echo_pid")
    remember "$echo_pid" "$name echo"
    for _ in $(seq 100); do
        echo_address=$(sed -n 's/^listening on //p' "$log")
        [[ -z $echo_address ]] || return 0
        sleep 0.1
    done
    refuse 1 "the $name echo did not start: $(tail -1 "$log")"
}

stop_echoes() {
    local pid
    for pid in "${echo_pids[@]}"; do end_child "$pid"; done
    echo_pids=()
}

# Processor time of a process, in ticks.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

compare_echoes() {
    local round order name before used messages resident
    for round in $(seq "$rounds"); do
        mapfile -t order < <(in_order "$round" shardcast plain)
        for name in "${order[@]}"; do
            case $name in
                shardcast) start_echo shardcast ;;
                plain) start_echo plain --plain ;;
            esac
            before=$(ticks "$echo_pid")
            current="k6 echo with $name, round $round"
            printf '%s: ' "$current"
            echo "k6 run --env ECHO_URL=ws://$echo_address/ws --env STAGES=$echo_stages benchmark/k6/echo.js" >>"$out/commands.txt"
            await_load "${k6_call[@]}" run --quiet --no-usage-report --env "ECHO_URL=ws://$echo_address/ws" \
                --env "STAGES=$echo_stages" --env "INTERVAL_MS=$echo_interval_ms" \
                --env "SERVER=$name" --env "RESULT=raw/k6-echo-$name-$round.json" "$here/k6/echo.js"
            used=$(( $(ticks "$echo_pid") - before ))
            resident=$(awk '/^VmHWM/ { print $2 * 1024 }' "/proc/$echo_pid/status")
            messages=$(sed -n 's/^ *"echoed": \([0-9]*\),*$/\1/p' "$out/raw/k6-echo-$name-$round.json" | tail -1)
            echo_cost "$name" "$round" "$used" "$messages" "$resident" >"$out/raw/echo-cost-$name-$round.json"
            stop_echoes
        done
    done
}

# What the server used meanwhile, in the form of the load tester's results.
echo_cost() {
    awk -v name="$1" -v ticks="$3" -v hz="$(getconf CLK_TCK)" -v messages="$4" -v resident="$5" 'BEGIN {
        printf "{\"scenario\":\"echo-cost: what the servers used under k6'\''s echoes, connecting included\",\"faults\":[],\"notes\":[],"
        printf "\"figures\":[{\"key\":\"cpu_per_message_us\",\"label\":\"server CPU per message, µs\"},"
        printf "{\"key\":\"peak_mib\",\"label\":\"most resident memory, MiB\"}],"
        printf "\"cases\":[{\"name\":\"%s\",\"rounds\":[{\"cpu_per_message_us\":%.3f,\"peak_mib\":%.2f}]}]}\n",
            name, ticks / hz * 1e6 / messages, resident / 1048576 }'
}
