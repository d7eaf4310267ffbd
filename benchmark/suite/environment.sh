# Sourced by run-benchmark.sh: what is noted about the machine and the run.
# shellcheck shell=bash disable=SC2154  # the variables are run-benchmark.sh's

environment() {
    local pinned="no: there is one core, or no taskset" netns="no" commit with_k6="no: there is no k6"
    [[ -z $server_core ]] || pinned="server to core $server_core, load to core $load_core"
    [[ -z ${SUITE_NAMESPACE:-} ]] || netns="yes"
    [[ -z $k6 ]] || with_k6="$("${k6_call[@]}" version 2>/dev/null | grep -m1 -o 'v[0-9][^ ]*' || echo yes)"
    commit=$(git -C "$root" rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    git -C "$root" diff --quiet HEAD -- 2>/dev/null || commit="$commit, with changes"
    {
        fact date "$(date -u '+%Y-%m-%d %H:%M:%S') UTC"
        fact command "benchmark/run-benchmark.sh ${command[*]}"
        fact servers "$ground: $why"
        fact commit "$commit"
        fact processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores"
        fact memory "$(awk '/^MemTotal/ { printf "%.1f GiB", $2 / 1048576 }' /proc/meminfo)"
        fact kernel "$(uname -sr)"
        fact "open files" "at most $(ulimit -n) per process"
        fact "data folders" "$(data_folders)"
        fact pinned "$pinned"
        fact "own network namespace" "$netns"
        fact k6 "$with_k6"
        fact rounds "$rounds; share of the usual load: $scale"
        fact "load average at the start" "$(cut -d' ' -f1-3 /proc/loadavg)"
    } | awk 'BEGIN { print "[" } { printf "%s%s", (NR > 1 ? ",\n" : ""), $0 } END { print "\n]" }' >"$out/environment.json"
}

fact() {
    local value=${2//\\/\\\\}
    echo "[\"$1\", \"${value//\"/\\\"}\"]"
}

# The file system that messages are made durable on.
data_folders() {
    case $ground in
        docker) echo "anonymous volumes, engine's storage driver $(docker info --format '{{.Driver}}')" ;;
        target) echo "not known" ;;
        *) df --output=fstype "$work" | tail -1 ;;
    esac
}
