#!/usr/bin/env bash
# Compares shard counts under the same load, and looks how many streams can be had.
#
#   benchmark/run-benchmark.sh all                    # the five instances of benchmark/configs, side by side
#   benchmark/run-benchmark.sh 64|128|256|512|1024    # one of them
#   benchmark/run-benchmark.sh scale 1k|10k|100k      # as many streams as limits allow, at the one with 256 shards
#   benchmark/run-benchmark.sh stop                   # end what a run left behind
#   benchmark/run-benchmark.sh report [DIR...]        # make the report again; of the newest results without DIR
#
# Environment: ROUNDS (3), SCALE (1; a share of the usual load, as 0.1, for a quick look).
#
# Needs cargo and curl. Where they can be had it uses a network namespace of its own, one core for the server and
# another for the load, and says in the report which of these it had. Results: benchmark/results/TIME-WHAT/.
# Exit codes: 0 all well; 1 something was lost, closed or missing, or could not be measured; 64 a wrong argument;
# 69 a tool is missing, a port in use, or another run is under way; 130 interrupted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
. "$here/instances.sh"
declare -A ports=([64]=8080 [128]=8081 [256]=8082 [512]=8083 [1024]=8084)
counts=(64 128 256 512 1024)
results=$here/results
# One line a process: id, start time, what it is. The first is the run itself.
pids=$results/.running
rounds=${ROUNDS:-3}; scale=${SCALE:-1}
# Streams of one token are in one shard, so that there must be many tokens.
clients=100
bench=''; server=''

refuse() { echo "$0: $2" >&2; exit "$1"; }
usage() { refuse 64 "${1:+$1; }usage: $0 all | 64|128|256|512|1024 | scale 1k|10k|100k | stop | report [DIR...]"; }

# A process is told from a later one with the same id by the time it was started.
birth() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
remember() { echo "$1 $(birth "$1") $2" >>"$pids"; }
alive() { [[ -n $2 && $(birth "$1") == "$2" ]]; }

build() {
    need_tools cargo
    echo "building"
    (cd "$root" && cargo build --release --quiet -p shardcast -p shardcast-bench) || refuse 1 "the build failed"
    local target; target=$(cd "$root" && realpath -m "${CARGO_TARGET_DIR:-target}")
    bench=$target/release/shardcast-bench; server=$target/release/shardcast
}

# --- stop ---------------------------------------------------------------------------------------------------------

end_left_over() {
    local pid born what signal
    [[ -f $pids ]] || { echo "nothing is running"; return; }
    # The run ends its own processes, and is given time for it; what is left after that is killed.
    for signal in TERM KILL; do
        while read -r pid born what; do
            if alive "$pid" "$born"; then
                echo "stopping $what (process $pid)"
                kill -"$signal" "$pid" 2>/dev/null || true
            fi
        done <"$pids"
        for _ in $(seq 150); do
            [[ -f $pids ]] || break 2
            any_alive || break 2
            sleep 0.1
        done
    done
    rm -f "$pids"
    echo "stopped"
}

# Fails if another run is under way; forgets one that is gone.
refuse_second() {
    if any_alive; then refuse 69 "another run is under way; \`$0 stop\` ends it"; fi
    rm -f "$pids"
}

any_alive() {
    local pid born what
    while read -r pid born what; do
        if alive "$pid" "$born"; then return 0; fi
    done < <(cat "$pids" 2>/dev/null)
    return 1
}

# --- report -------------------------------------------------------------------------------------------------------

report() {
    local folders=("$@") out
    if [[ ${#folders[@]} -eq 0 ]]; then
        local newest; newest=$(find "$results" -mindepth 2 -maxdepth 2 -name raw 2>/dev/null | sort | tail -1)
        [[ -n $newest ]] || refuse 1 "there are no results in $results yet"
        folders=("$(dirname "$newest")")
    fi
    out=${folders[0]}
    if [[ ${#folders[@]} -gt 1 ]]; then
        out=$results/$(date +%Y%m%d-%H%M%S)-report
        mkdir -p "$out"
    fi
    "$bench" report "${folders[@]}" --html "$out/report.html" --markdown "$out/report.md" || exit 1
    echo "report: $out/report.html and report.md"
}

# --- running ------------------------------------------------------------------------------------------------------

free_ports() {
    local count
    for count in "$@"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/${ports[$count]}") 2>/dev/null; then
            refuse 69 "port ${ports[$count]} is in use"
        fi
    done
}

environment() {
    local pinned="no: there is one core, or no taskset" netns="no" commit
    [[ -z $server_core ]] || pinned="server to core $server_core, load to core $load_core"
    [[ -z ${SUITE_NAMESPACE:-} ]] || netns="yes"
    commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    git -C "$root" diff --quiet HEAD -- 2>/dev/null || commit="$commit, with changes"
    {
        fact date "$(date -u '+%Y-%m-%d %H:%M:%S') UTC"
        fact command "benchmark/run-benchmark.sh $command"
        fact commit "$commit"
        fact processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
        fact memory "$(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
        fact kernel "$(uname -sr)"
        fact "open files" "at most $(ulimit -n) a process"
        fact "data folders" "$(df --output=fstype "$work" | tail -1)"
        fact pinned "$pinned"
        fact "own network namespace" "$netns"
        fact rounds "$rounds; share of the usual load: $scale"
        fact "load average at the start" "$(cut -d' ' -f1-3 /proc/loadavg)"
    } | awk 'BEGIN { print "[" } { printf "%s%s", (NR > 1 ? ",\n" : ""), $0 } END { print "\n]" }' >"$out/environment.json"
}

fact() {
    local value=${2//\\/\\\\}
    echo "[\"$1\", \"${value//\"/\\\"}\"]"
}

declare -A running=()
job=''; sampler=''; work=''; out=''; current=''

start_all() {
    local count
    free_ports "$@"
    for count in "$@"; do
        local folder=$work/$count
        rm -rf "$folder"; mkdir -p "$folder"
        launch "$folder" "$server_core" "$server" --config "$here/configs/gotify-$count.yml"
        running[$count]=$instance
        remember "$instance" "server with $count shards"
    done
    local watched=()
    for count in "$@"; do
        await_health "${running[$count]}" "${ports[$count]}" "$work/$count" || exit 1
        watched+=("$count=${running[$count]}")
    done
    "${load_pin[@]}" "$bench" sample --csv "$out/samples.csv" "${watched[@]}" &
    sampler=$!
    remember "$sampler" sampler
}

stop_all() {
    end_child "$sampler"; sampler=''
    local count
    for count in "${!running[@]}"; do kill "${running[$count]}" 2>/dev/null || true; done
    for count in "${!running[@]}"; do end_child "${running[$count]}"; done
    running=()
}

clean_up() {
    local status=$?
    trap '' INT TERM
    # The load removes what it made at the servers, so it goes first.
    end_child "$job"; job=''
    stop_all
    [[ -z $work ]] || rm -rf "$work"
    rm -f "$pids"
    if [[ $status -ne 0 && -n $out && -n $current ]]; then
        echo "$0: stopped during $current; what was measured is in $out" >&2
    fi
    exit "$status"
}

# Puts one kind of load on the given instances, in their order. Arguments: round, instances, --, kind and options.
load() {
    local round=$1 targets=() count; shift
    while [[ $1 != -- ]]; do
        targets+=(--against "$1=http://127.0.0.1:${ports[$1]}"); shift
    done
    shift
    current="$1, round $round"
    local started=$SECONDS call=("$@" --clients "$clients" "${targets[@]}" --json "raw/$1-$round.json")
    printf '%s: ' "$current"
    echo "$EPOCHREALTIME,$1" >>"$out/phases.csv"
    echo "shardcast-bench ${call[*]}" >>"$out/commands.txt"
    # In the background, because a trap waits for what runs in the foreground.
    (cd "$out" && exec "${load_pin[@]}" "$bench" "${call[@]}") >>"$out/log.txt" &
    job=$!
    remember "$job" "load tester"
    local status=0; wait "$job" || status=$?
    job=''
    case $status in
        0) echo "$((SECONDS - started)) s" ;;
        1) echo "$((SECONDS - started)) s, NOT ALL WELL: see the report"; wrong=1 ;;
        *) echo "could not be measured"; exit 1 ;;
    esac
    current=''
}

part() { awk -v all="$1" -v scale="$scale" 'BEGIN { n = int(all * scale); print n < 1 ? 1 : n }'; }

compare() {
    local round order
    for round in $(seq "$rounds"); do
        order=("$@")
        # Turned round each time, so that warming up or a neighbor's noise does not favor one of them.
        if ((round % 2 == 0)); then mapfile -t order < <(printf '%s\n' "$@" | tac); fi
        start_all "${order[@]}"
        load "$round" "${order[@]}" -- idle --streams "$(part 5000)" --connect-rate 2500 --wait-s 3
        load "$round" "${order[@]}" -- fanout --streams "$(part 4000)" --messages 40 --interval-ms 100 --connect-rate 4000
        load "$round" "${order[@]}" -- burst --streams "$(part 500)" --messages 2000 --senders 16
        load "$round" "${order[@]}" -- publish --senders 64 --seconds 2
        load "$round" "${order[@]}" -- churn --rate "$(part 1000)" --hold-ms 1000 --seconds 2
        stop_all
    done
}

main() {
    local what=$1; shift
    mkdir -p "$results"
    # Of two runs that were built at the same time only one may make the file.
    refuse_second
    (set -o noclobber; echo "$$ $(birth $$) the run" >"$pids") 2>/dev/null || refuse_second
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    out=$results/$(date +%Y%m%d-%H%M%S)-$what
    mkdir -p "$out/raw"
    work=$(mktemp -d)
    load_pin=(); server_core=''; load_core=''
    if command -v taskset >/dev/null && [[ $(nproc) -ge 2 ]] && taskset -c 0,1 true 2>/dev/null; then
        server_core=0; load_core=1; load_pin=(taskset -c 1)
    fi
    environment
    wrong=0
    if [[ $what == scale-* ]]; then
        start_all 256
        load 1 256 -- scale "${what#scale-}"
        stop_all
        cat "$out/log.txt"
    else
        compare "$@"
    fi
    report "$out"
    return "$wrong"
}

# Builds, then goes on in a network namespace if there is one; everything else happens inside.
prepare() {
    need_tools curl
    refuse_second
    free_ports "$@"
    build
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    export SUITE_BENCH=$bench SUITE_SERVER=$server
    if can_unshare; then SUITE_INSIDE=1 SUITE_NAMESPACE=1 exec "${namespace[@]}" "$0" "${command[@]}"; fi
    SUITE_INSIDE=1 exec "$0" "${command[@]}"
}

command=("$@")
[[ $rounds =~ ^[1-9][0-9]*$ ]] || refuse 64 "ROUNDS must be a number above 0, not \`$rounds\`"
[[ $scale =~ ^[0-9]*\.?[0-9]+$ ]] || refuse 64 "SCALE must be a number, not \`$scale\`"
case "${1:-}" in
    all) [[ $# -eq 1 ]] || usage "\`all\` takes no argument"; what=all; chosen=("${counts[@]}") ;;
    64 | 128 | 256 | 512 | 1024) [[ $# -eq 1 ]] || usage "\`$1\` takes no argument"; what=$1; chosen=("$1") ;;
    scale)
        [[ $# -eq 2 && $2 =~ ^(1|10|100)k$ ]] || usage "\`scale\` takes 1k, 10k or 100k"
        what=scale-$2; chosen=(256); rounds=1 ;;
    stop) [[ $# -eq 1 ]] || usage "\`stop\` takes no argument"; end_left_over; exit ;;
    report)
        shift
        for folder in "$@"; do [[ -d $folder/raw ]] || refuse 64 "\`$folder\` is no folder of results"; done
        build; report "$@"; exit ;;
    '') usage ;;
    *) usage "\`$1\` is not known" ;;
esac
if [[ ${SUITE_INSIDE:-} == 1 ]]; then
    bench=$SUITE_BENCH; server=$SUITE_SERVER
    [[ -z ${SUITE_NAMESPACE:-} ]] || ip link set lo up
    main "$what" "${chosen[@]}"
else
    prepare "${chosen[@]}"
fi
