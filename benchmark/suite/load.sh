# Sourced by run-benchmark.sh: loading servers, with the load tester and with k6.
# shellcheck shell=bash disable=SC2154,SC2034  # the variables are run-benchmark.sh's

# Streams of one token are in one shard, so that there must be many tokens.
clients=100
job=''; sampler=''; current=''; wrong=0
k6=''; k6_call=()

# Looks for k6: in PATH, where Go puts it, or, beside containers, as a container.
find_k6() {
    local gopath
    k6=$(type -P k6 || true)
    if [[ -z $k6 ]] && command -v go >/dev/null; then
        gopath=$(go env GOPATH 2>/dev/null || true)
        [[ ! -x $gopath/bin/k6 ]] || k6=$gopath/bin/k6
    fi
    if [[ -z $k6 && $ground == docker ]] && docker image inspect "grafana/k6:${K6_VERSION:-latest}" >/dev/null 2>&1; then
        k6=container
    fi
    set_k6_call
}

set_k6_call() {
    k6_call=("$k6")
    if [[ $k6 == container ]]; then
        k6_call=("${compose[@]}" run --rm --no-deps -T --user "$(id -u):$(id -g)" --volume "$out/raw:/raw" k6)
    fi
}

start_servers() {
    "${ground}_start" "$@"
    local watched=() count pid
    server_pids=()
    for count in "$@"; do
        pid=$("${ground}_process" "$count")
        [[ -z $pid ]] || { watched+=("$count=$pid"); server_pids+=("$pid"); }
    done
    [[ ${#watched[@]} -gt 0 ]] || return 0
    "${load_pin[@]}" "$bench" sample --csv "$out/samples.csv" "${watched[@]}" &
    sampler=$!
    remember "$sampler" sampler
}

stop_servers() {
    end_child "$sampler"; sampler=''
    "${ground}_stop"
}

# Runs a program in the background, because a trap waits for what runs in the foreground, and says how it went.
# Exit code 1 is a load that found something wrong, and 99 one of k6's thresholds. Arguments: program and arguments.
await_load() {
    local started=$SECONDS status=0 logged
    touch "$out/log.txt"
    logged=$(stat -c %s "$out/log.txt")
    begin_watch
    (cd "$out" && exec "${load_pin[@]}" "$@") >>"$out/log.txt" 2>&1 &
    job=$!
    remember "$job" "load"
    wait "$job" || status=$?
    job=''
    case $status in
        0) echo "$((SECONDS - started)) s$(end_watch)" ;;
        1 | 99)
            echo "$((SECONDS - started)) s$(end_watch), NOT ALL WELL:"
            tail -c "+$((logged + 1))" "$out/log.txt" | sed -nE '/^FAULT: | MISSED/ s/^ */    /p'
            wrong=1 ;;
        *)
            echo "could not be measured"
            tail -3 "$out/log.txt" >&2
            exit 1 ;;
    esac
    current=''
}

# Puts one kind of load on the given instances, in their order. Arguments: round, instances, --, kind and options.
load() {
    local round=$1 targets=() count pid; shift
    while [[ $1 != -- ]]; do
        count=$1; shift
        targets+=(--against "$count=$("${ground}_url" "$count")")
        pid=$("${ground}_process" "$count")
        [[ -z $pid ]] || targets+=(--pid "$count=$pid")
    done
    shift
    current="$1, round $round"
    local call=("$@" --clients "$clients" "${targets[@]}" --json "raw/$1-$round.json")
    printf '%s: ' "$current"
    echo "$EPOCHREALTIME,$1" >>"$out/phases.csv"
    echo "shardcast-bench ${call[*]}" >>"$out/commands.txt"
    await_load "$bench" "${call[@]}"
}

# Runs one of k6's scripts against one instance. Arguments: round, instance, script, and its variables as NAME=VALUE.
load_k6() {
    local round=$1 count=$2 script=$3 url variables=() scripts=$here/k6 variable; shift 3
    local raw=raw
    url=$("${ground}_url" "$count")
    if [[ $k6 == container ]]; then url=http://gotify-$count:80; scripts=/scripts; raw=/raw; fi
    current="k6 $script with $count, round $round"
    for variable in "BASE_URL=$url" "SERVER=$count" "RESULT=$raw/$script-$count-$round.json" "$@"; do
        variables+=(--env "$variable")
    done
    printf '%s: ' "$current"
    echo "$EPOCHREALTIME,k6 $count" >>"$out/phases.csv"
    echo "k6 run ${variables[*]} benchmark/k6/$script.js" >>"$out/commands.txt"
    await_load "${k6_call[@]}" run --quiet --no-usage-report "${variables[@]}" "$scripts/$script.js"
}

part() { awk -v all="$1" -v scale="$scale" 'BEGIN { n = int(all * scale); print n < 1 ? 1 : n }'; }

# The order of a round's instances: turned round each time, so that warming up or a neighbor's noise does not favor
# one of them.
in_order() {
    local round=$1; shift
    if ((round % 2 == 0)); then printf '%s\n' "$@" | tac; else printf '%s\n' "$@"; fi
}

# `all`: every kind of load on all instances, round by round.
compare() {
    local round order count
    for round in $(seq "$rounds"); do
        mapfile -t order < <(in_order "$round" "$@")
        start_servers "${order[@]}"
        load "$round" "${order[@]}" -- idle --streams "$(part 5000)" --connect-rate 2500 --wait-s 3
        load "$round" "${order[@]}" -- fanout --streams "$(part 4000)" --messages 40 --interval-ms 100 --connect-rate 4000
        load "$round" "${order[@]}" -- burst --streams "$(part 500)" --messages 2000 --senders 16
        load "$round" "${order[@]}" -- publish --senders 64 --seconds 2
        load "$round" "${order[@]}" -- churn --rate "$(part 1000)" --hold-ms 1000 --seconds 2
        if [[ -n $k6 ]]; then
            for count in "${order[@]}"; do
                load_k6 "$round" "$count" websocket-simple "VUS=$(part 100)" DURATION=10s
            done
        fi
        stop_servers
    done
}

# `k6`: all of its scripts on each instance.
compare_k6() {
    local round order count
    for round in $(seq "$rounds"); do
        mapfile -t order < <(in_order "$round" "$@")
        start_servers "${order[@]}"
        for count in "${order[@]}"; do
            load_k6 "$round" "$count" websocket-simple "VUS=$(part 100)" DURATION=20s
            load_k6 "$round" "$count" websocket-test HOLD=5s \
                "STAGES=5s:$(part 500),5s:$(part 500),5s:$(part 2000),10s:$(part 2000)"
            load_k6 "$round" "$count" connection-scaling "SCALE=$(part 2000)" HOLD=10s
            load_k6 "$round" "$count" message-throughput STEP=5s "STREAMS=$(part 100)"
        done
        stop_servers
    done
}

scale_up() {
    start_servers "$@"
    load 1 "$@" -- scale "${what#scale-}"
    stop_servers
    cat "$out/log.txt"
}
