# Sourced by run-benchmark.sh: what else uses the machine while a load runs.
# shellcheck shell=bash disable=SC2154  # the variables are run-benchmark.sh's

# The servers' processes, where they are known.
server_pids=()
clocks_before=()

# Processor time of a process and of its children that have ended, in ticks.
ticks_with_children() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{ print $12 + $13 + $14 + $15 }'; }

# Prints the time, and in ticks the processor time of all programs, of this run's own, and what the host took.
read_clocks() {
    local user nice system steal own=0 pid ticks
    read -r _ user nice system _ _ _ _ steal _ </proc/stat
    for pid in $$ $sampler "${server_pids[@]}"; do
        ticks=$(ticks_with_children "$pid")
        own=$((own + ${ticks:-0}))
    done
    echo "$EPOCHREALTIME $((user + nice + system)) $own $steal"
}

begin_watch() { read -r -a clocks_before <<<"$(read_clocks)"; }

# Adds a line to busy.csv, which the report reads, and prints a warning if other programs used a tenth of a core.
end_watch() {
    local clocks_after
    read -r -a clocks_after <<<"$(read_clocks)"
    awk -v hz="$(getconf CLK_TCK)" -v load_name="$current" -v file="$out/busy.csv" -v before="${clocks_before[*]}" \
        -v after="${clocks_after[*]}" 'BEGIN {
        split(before, b, " "); split(after, a, " ")
        seconds = a[1] - b[1]; others = (a[2] - b[2] - (a[3] - b[3])) / hz; stolen = (a[4] - b[4]) / hz
        if (others < 0) others = 0
        printf "%.3f,%.2f,%.2f,%s\n", seconds, others, stolen, load_name >>file
        if (seconds > 0 && others / seconds >= 0.1)
            printf " (other programs used %.1f cores meanwhile)", others / seconds }'
}
