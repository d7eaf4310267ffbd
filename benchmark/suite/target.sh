# Sourced by run-benchmark.sh: a server that is there already, named with --target.
# shellcheck shell=bash disable=SC2154  # the variables are run-benchmark.sh's

target_url() { echo "$target"; }
target_process() { :; }
target_prepare() { build; ulimit -n "$(ulimit -Hn)" 2>/dev/null || true; }
target_enter() { :; }
target_stop() { :; }
target_end() { :; }
target_start() {
    curl -fs --max-time 10 "$target/health" >/dev/null || refuse 69 "$target does not answer at /health"
}
