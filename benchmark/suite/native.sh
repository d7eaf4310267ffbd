# Sourced by run-benchmark.sh: the servers as processes of this machine.
# shellcheck shell=bash disable=SC2154  # the variables are run-benchmark.sh's

declare -A running=()

native_url() { echo "http://127.0.0.1:${ports[$1]}"; }
native_process() { echo "${running[$1]}"; }

# Builds, then goes on in a network namespace if there is one; everything else happens inside.
native_prepare() {
    free_ports "$@"
    build
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    export SUITE_BENCH=$bench SUITE_SERVER=$server SUITE_K6=$k6
    if can_unshare; then SUITE_INSIDE=1 SUITE_NAMESPACE=1 exec "${namespace[@]}" "$0" "${command[@]}"; fi
    SUITE_INSIDE=1 exec "$0" "${command[@]}"
}

# The rest of the preparation, inside.
native_enter() {
    bench=$SUITE_BENCH; server=$SUITE_SERVER; k6=$SUITE_K6
    [[ -z ${SUITE_NAMESPACE:-} ]] || ip link set lo up
}

free_ports() {
    local count
    for count in "$@"; do
        if (exec 3<>"/dev/tcp/127.0.0.1/${ports[$count]}") 2>/dev/null; then
            refuse 69 "port ${ports[$count]} is in use"
        fi
    done
}

native_start() {
    local count folder
    free_ports "$@"
    for count in "$@"; do
        folder=$work/$count
        rm -rf "$folder"; mkdir -p "$folder"
        launch "$folder" "$server_core" "$server" --config "$here/configs/gotify-$count.yml"
        running[$count]=$instance
        remember "$instance" "server with $count shards"
    done
    for count in "$@"; do
        await_health "${running[$count]}" "${ports[$count]}" "$work/$count" || exit 1
    done
}

native_stop() {
    local count
    for count in "${!running[@]}"; do kill "${running[$count]}" 2>/dev/null || true; done
    for count in "${!running[@]}"; do end_child "${running[$count]}"; done
    running=()
}
