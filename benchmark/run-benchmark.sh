#!/usr/bin/env bash
# Compares shard counts under the same load, and looks how many streams can be had.
#
#   benchmark/run-benchmark.sh all                    # five servers, side by side
#   benchmark/run-benchmark.sh 64|128|256|512|1024    # one of them
#   benchmark/run-benchmark.sh scale 1k|10k|100k      # as many streams as limits allow, at the one with 256 shards
#   benchmark/run-benchmark.sh k6 [COUNT...]          # k6's scripts, on each of them
#   benchmark/run-benchmark.sh echo                   # the echo server beside a plain one, under k6
#   benchmark/run-benchmark.sh stop                   # end what a run left behind, containers too
#   benchmark/run-benchmark.sh report [DIR...]        # make the report again; of the newest results without DIR
#
#   --docker       the servers are containers of docker-compose.benchmark.yml
#   --native       they are processes with the files of benchmark/configs
#   --target URL   the server is there already: no other is started, and only this one is loaded
#
# Without any of these it takes containers where a Docker engine with Compose and k6 are there, else processes, and
# says which and why. Load goes to this machine or to the Compose network, unless a target is named.
#
# Environment: ROUNDS (3), SCALE (1; a share of the usual load, as 0.1, for a quick look), ECHO_STAGES, BENCH (a load
# tester that is built already, with the server beside it: nothing is built), and SHARDCAST_BENCH_USER and
# SHARDCAST_BENCH_PASS (admin) for a user of the target that may make users.
#
# Needs cargo and curl. Where they can be had it uses a network namespace of its own, one core for the server and
# another for the load, and says in the report which of these it had. Results: benchmark/results/TIME-WHAT/.
# Exit codes: 0 all well; 1 something was lost, closed or missing, or could not be measured; 64 a wrong argument;
# 69 a tool is missing, a port in use, or another run is under way; 130 interrupted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
declare -A ports=([64]=8080 [128]=8081 [256]=8082 [512]=8083 [1024]=8084)
counts=(64 128 256 512 1024)
results=$here/results
rounds=${ROUNDS:-3}; scale=${SCALE:-1}
echo_stages=${ECHO_STAGES:-10s:100,10s:300,20s:500}; echo_interval_ms=${ECHO_INTERVAL_MS:-1000}
bench=''; server=''; work=''; out=''; ground=''; why=''; target=''
load_pin=(); server_core=''; load_core=''
# What k6's scripts call the load tester's user.
export ADMIN_USER=${SHARDCAST_BENCH_USER:-admin} ADMIN_PASS=${SHARDCAST_BENCH_PASS:-admin}

refuse() { echo "$0: $2" >&2; exit "$1"; }
usage() {
    refuse 64 "${1:+$1; }usage: $0 all | 64|128|256|512|1024 | scale 1k|10k|100k | k6 [COUNT...] | echo | stop | report [DIR...] [--docker | --native | --target URL]; \`--help\` says more"
}

. "$here/instances.sh"
. "$here/suite/running.sh"
. "$here/suite/native.sh"
. "$here/suite/docker.sh"
. "$here/suite/target.sh"
. "$here/suite/environment.sh"
. "$here/suite/busy.sh"
. "$here/suite/load.sh"
. "$here/suite/echo.sh"

# Builds the load tester and the server together, so that both are built with the same features, and what one of them has
# built is not built again for the other. Where both are there already, BENCH names the load tester, and the server lies
# beside it.
build() {
    if [[ -n ${BENCH:-} ]]; then
        [[ -x $BENCH ]] || refuse 69 "BENCH: \`$BENCH\` is missing"
        bench=$(realpath "$BENCH"); server=$(dirname "$bench")/shardcast
        return
    fi
    need_tools cargo
    echo "building"
    (cd "$root" && cargo build --release --quiet --workspace) || refuse 1 "the build failed"
    local folder; folder=$(cd "$root" && realpath -m "${CARGO_TARGET_DIR:-target}")/release
    bench=$folder/shardcast-bench; server=$folder/shardcast
}

# Sets `folders` to the newest results.
newest_results() {
    local newest
    newest=$(find "$results" -mindepth 2 -maxdepth 2 -name raw 2>/dev/null | sort | tail -1) || true
    [[ -n $newest ]] || refuse 1 "there are no results in $results yet"
    folders=("$(dirname "$newest")")
}

# Makes the report of one or more folders of results. Arguments: the folders.
report() {
    local into=$1
    if [[ $# -gt 1 ]]; then
        into=$results/$(date +%Y%m%d-%H%M%S)-report
        mkdir -p "$into"
    fi
    "$bench" report "$@" --html "$into/report.html" --markdown "$into/report.md" || exit 1
    echo "report: $into/report.html and report.md"
}

# Decides where the servers are, and says why.
choose_ground() {
    case $ground in
        docker) can_docker || refuse 69 "--docker: $docker_missing"; why="asked for" ;;
        native) why="asked for" ;;
        target) why="$target, which was there" ;;
        *)
            if [[ $what == echo ]]; then ground=native; why="an echo server is no container"
            elif ! can_docker; then ground=native; why=$docker_missing
            else
                ground=docker; find_k6
                if [[ -n $k6 ]]; then why="there are Docker, Compose and k6"; else ground=native; why="there is no k6"; fi
            fi ;;
    esac
    find_k6
    echo "servers: $ground ($why); k6: ${k6:-none}"
}

clean_up() {
    local status=$?
    trap '' INT TERM
    # The load removes what it made at the servers, so it goes first.
    end_child "$job"; job=''
    stop_echoes
    stop_servers
    "${ground}_end"
    [[ -z $work ]] || rm -rf "$work"
    rm -f "$pids"
    if [[ $status -ne 0 && -n $out && -n $current ]]; then
        echo "$0: stopped during $current; what was measured is in $out" >&2
    fi
    exit "$status"
}

main() {
    be_the_run
    out=$results/$(date +%Y%m%d-%H%M%S)-$what
    mkdir -p "$out/raw"
    trap clean_up EXIT
    trap 'exit 130' INT TERM HUP
    work=$(mktemp -d)
    if command -v taskset >/dev/null && [[ $(nproc) -ge 2 ]] && taskset -c 0,1 true 2>/dev/null; then
        server_core=0; load_core=1; load_pin=(taskset -c 1)
    fi
    set_k6_call
    environment
    case $what in
        scale-*) scale_up "$@" ;;
        k6) compare_k6 "$@" ;;
        echo) compare_echoes ;;
        *) compare "$@" ;;
    esac
    report "$out"
    return "$wrong"
}

command=("$@"); arguments=()
[[ $rounds =~ ^[1-9][0-9]*$ ]] || refuse 64 "ROUNDS must be a number above 0, not \`$rounds\`"
[[ $scale =~ ^[0-9]*\.?[0-9]+$ ]] || refuse 64 "SCALE must be a number, not \`$scale\`"
while [[ $# -gt 0 ]]; do
    case $1 in
        --docker | --native) [[ -z $ground ]] || usage "one of --docker, --native and --target"; ground=${1#--} ;;
        --target)
            [[ -z $ground ]] || usage "one of --docker, --native and --target"
            [[ ${2:-} =~ ^http://[^/]+ ]] || usage "--target takes a URL that begins with http://"
            ground=target; target=${2%/}; shift ;;
        -h | --help) answer_help "$1" ;;
        -*) usage "\`$1\` is not known" ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
set -- "${arguments[@]}"
case "${1:-}" in
    all) [[ $# -eq 1 ]] || usage "\`all\` takes no argument"; what=all; chosen=("${counts[@]}") ;;
    64 | 128 | 256 | 512 | 1024) [[ $# -eq 1 ]] || usage "\`$1\` takes no argument"; what=$1; chosen=("$1") ;;
    scale)
        [[ $# -eq 2 && $2 =~ ^(1|10|100)k$ ]] || usage "\`scale\` takes 1k, 10k or 100k"
        what=scale-$2; chosen=(256); rounds=1 ;;
    k6)
        what=k6; shift; chosen=("$@")
        [[ $# -gt 0 ]] || chosen=("${counts[@]}")
        for count in "${chosen[@]}"; do [[ -n ${ports[$count]:-} ]] || usage "\`$count\` is no instance"; done ;;
    echo) [[ $# -eq 1 ]] || usage "\`echo\` takes no argument"; what="echo"; chosen=() ;;
    stop) [[ $# -eq 1 ]] || usage "\`stop\` takes no argument"; end_left_over; exit ;;
    report)
        shift; folders=("$@")
        [[ $# -gt 0 ]] || newest_results
        for folder in "${folders[@]}"; do [[ -d $folder/raw ]] || refuse 64 "\`$folder\` is no folder of results"; done
        build; report "${folders[@]}"; exit ;;
    '') usage ;;
    *) usage "\`$1\` is not known" ;;
esac
if [[ $ground == target ]]; then chosen=(target); fi
mkdir -p "$results"
if [[ ${SUITE_INSIDE:-} == 1 ]]; then
    ground=native; why=$SUITE_WHY
    native_enter
else
    need_tools curl
    refuse_second
    choose_ground
    export SUITE_WHY=$why
    if [[ $what == k6 || $what == echo ]]; then
        [[ -n $k6 ]] || refuse 69 "\`$what\` needs k6: https://k6.io, or \`go install go.k6.io/k6@latest\`"
    fi
    if [[ $what == echo && $ground != native ]]; then usage "\`echo\` starts its own servers: --native alone"; fi
    "${ground}_prepare" "${chosen[@]}"
fi
main "${chosen[@]}"
