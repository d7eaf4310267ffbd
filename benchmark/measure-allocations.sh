#!/usr/bin/env bash
# Measures which allocations an idle stream consists of: a line of Markdown for each place in the code.
#
#   benchmark/measure-allocations.sh [FEW [MANY]]      # streams; 500 and 1500 without arguments
#
# The server runs under valgrind's DHAT twice, with FEW and with MANY streams; the difference, by place, is divided
# by the streams that the second run had more, so that what a server needs once drops out. It counts what the
# program asked for when the most was in use; what the allocator adds by rounding up is not in it.
# Needs valgrind and python3; builds a server with symbols under target/symbols. Noise on the machine does not matter.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/instances.sh"
answer_help "$@"
need_tools cargo curl valgrind python3
target=${CARGO_TARGET_DIR:-$here/../target}/symbols
(cd "$here/.." && CARGO_TARGET_DIR=$target CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
    CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --quiet --workspace)

folder=$(mktemp -d); pid=''
trap 'end_child "$pid"; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# Writes FOLDER/STREAMS.json.
profile() {
    local streams=$1 data=$folder/data
    rm -rf "$data"; mkdir "$data"
    # Without metrics: under valgrind the kernel's own figures can't be asked for (github.com/bytecodealliance/rustix,
    # issue 1559).
    GOTIFY_METRICS_ENABLED=false launch "$data" '' valgrind --tool=dhat --num-callers=40 --dhat-out-file="$folder/$streams.json" \
        "$target/release/shardcast" --config "$here/configs/gotify-256.yml"
    pid=$instance
    await_health "$pid" 8082 "$data"
    # Slowly, so that handshakes under way are few beside the streams that are there. All tokens are known before the
    # last stream comes, so one client is enough.
    "$target/release/shardcast-bench" idle --against http://127.0.0.1:8082 --pid "$pid" --streams "$streams" \
        --connect-rate 100 --patience 60 --wait-s 1 >"$folder/$streams.txt"
    end_child "$pid"; pid=''
}

few=${1:-500}; many=${2:-1500}
profile "$few"
profile "$many"
python3 "$here/allocations.py" "$few" "$folder/$few.json" "$many" "$folder/$many.json"
