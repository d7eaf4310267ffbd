# Sourced by run-benchmark.sh: what a run has started, so that `stop` can end what it left behind.
# shellcheck shell=bash disable=SC2154  # the variables are run-benchmark.sh's

# One line per process: id, start time, what it is. The first is the run itself.
pids=$results/.running

# The start time tells a process from a later one with the same id.
birth() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
remember() { echo "$1 $(birth "$1") $2" >>"$pids"; }
alive() { [[ -n $2 && $(birth "$1") == "$2" ]]; }

any_alive() {
    local pid born what
    while read -r pid born what; do
        if alive "$pid" "$born"; then return 0; fi
    done < <(cat "$pids" 2>/dev/null)
    return 1
}

# Fails if another run is under way; forgets one that is gone.
refuse_second() {
    if any_alive; then refuse 69 "another run is under way; \`$0 stop\` ends it"; fi
    rm -f "$pids"
}

# Makes this process the one run. Of two that were built at the same time only one may make the file.
be_the_run() {
    refuse_second
    (set -o noclobber; echo "$$ $(birth $$) the run" >"$pids") 2>/dev/null || refuse_second
}

end_left_over() {
    local found=0
    end_processes && found=1
    end_containers && found=1
    if [[ $found == 1 ]]; then echo "stopped"; else echo "nothing is running"; fi
}

# Fails if there was nothing to end.
end_processes() {
    local pid born what signal
    [[ -f $pids ]] || return 1
    # The run ends its own processes, and is given time for it; what is left after that is killed.
    for signal in TERM KILL; do
        while read -r pid born what; do
            if alive "$pid" "$born"; then
                echo "stopping $what (process $pid)"
                kill -"$signal" "$pid" 2>/dev/null || true
            fi
        done <"$pids"
        for _ in $(seq 300); do
            [[ -f $pids ]] || break 2
            any_alive || break 2
            sleep 0.1
        done
    done
    rm -f "$pids"
}
