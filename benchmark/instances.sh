# Sourced by the scripts beside it: which programs are measured, where they run, how they are started and stopped.
# shellcheck shell=bash

# Prints the comment at the head of the script and ends, if its first argument asks for help. Arguments: the script's.
answer_help() {
    case ${1:-} in
        -h | --help) sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$0"; exit 0 ;;
    esac
}

# Fails with one line that names the first missing tool.
need_tools() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || { echo "$0: \`$tool\` is missing" >&2; exit 69; }
    done
}

# Whether a network namespace of our own can be had: packet filters of the host cost both sides of loopback.
can_unshare() {
    command -v unshare >/dev/null && command -v ip >/dev/null || return 1
    namespace=(unshare --net); [[ $(id -u) == 0 ]] || namespace+=(--map-root-user)
    "${namespace[@]}" ip link set lo up 2>/dev/null
}

# Runs the script anew in a network namespace of its own, with loopback up. Returns when that is where it is, or when
# none can be had. Arguments: those of the script.
enter_namespace() {
    if [[ ${NAMESPACE_INSIDE:-} == 1 ]]; then
        ip link set lo up
    elif can_unshare; then
        NAMESPACE_INSIDE=1 exec "${namespace[@]}" "$0" "$@"
    fi
}

# The same for a script that makes no sense elsewhere and measures a server, its first argument, with the load tester:
# sets `bench`, which is built if it is missing.
enter_namespace_with_server() {
    if [[ $# -lt 1 || ! -x $1 ]]; then
        echo "usage: $0 SERVER_BINARY [ROW...]" >&2
        exit 64
    fi
    bench=${BENCH:-$here/../target/release/shardcast-bench}
    if [[ ${NAMESPACE_INSIDE:-} != 1 ]]; then
        need_tools unshare taskset ip curl awk sort
        if [[ ! -x $bench ]]; then
            # With the server, so that both are built with the same features.
            (cd "$here" && cargo build --release --quiet --workspace)
        fi
    fi
    export BENCH=$bench
    enter_namespace "$@"
    [[ ${NAMESPACE_INSIDE:-} == 1 ]] || { echo "$0: no network namespace can be made here" >&2; exit 69; }
}

# Sets `server` and `bench`: SERVER and BENCH, or what a release build makes.
find_programs() {
    server=${SERVER:-$(realpath "$here/../target/release/shardcast")}
    bench=${BENCH:-$(realpath "$here/../target/release/shardcast-bench")}
    local program
    for program in "$server" "$bench"; do
        [[ -x $program ]] || { echo "$0: \`$program\` is missing: cargo build --release --workspace" >&2; exit 69; }
    done
    export SERVER=$server BENCH=$bench
}

# Starts a server on a core in its own folder (which holds its log) and sets `instance` to its process; an empty
# core pins nothing. Arguments: folder, core, program and its arguments.
launch() {
    local folder=$1 core=$2; shift 2
    local pin=(); [[ -z $core ]] || pin=(taskset -c "$core")
    (cd "$folder" && exec "${pin[@]}" "$@") >"$folder/log" 2>&1 &
    # shellcheck disable=SC2034  # for whoever sources this
    instance=$!
}

# Waits up to 10 s for a server's /health; fails with the end of its log. Arguments: process, port, folder.
await_health() {
    local pid=$1 port=$2 folder=$3
    for _ in $(seq 100); do
        if curl -fs --noproxy '*' "127.0.0.1:$port/health" >/dev/null; then return; fi
        if ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "$0: the server on port $port does not answer:" >&2
    tail -5 "$folder/log" >&2
    return 1
}

# Ends a child of this shell and waits for it; nothing happens for an empty argument or one that has ended.
end_child() {
    [[ -n ${1:-} ]] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
