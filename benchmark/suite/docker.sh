# Sourced by run-benchmark.sh: the servers as containers of docker-compose.benchmark.yml.
# shellcheck shell=bash disable=SC2154,SC2034  # the variables are run-benchmark.sh's

compose_file=$root/docker-compose.benchmark.yml
declare -A container_urls=() container_processes=()
compose=()

# Whether an engine answers and Compose is there; `docker_missing` says what is not.
can_docker() {
    docker_missing=''
    command -v docker >/dev/null || { docker_missing="there is no \`docker\`"; return 1; }
    docker info >/dev/null 2>&1 || { docker_missing="no Docker engine answers"; return 1; }
    if docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    else
        docker_missing="there is no Compose"
        return 1
    fi
    # All profiles, so that `down` takes everything.
    compose+=(--project-directory "$root" --file "$compose_file" --profile load --profile monitoring)
}

docker_url() { echo "${container_urls[$1]}"; }
docker_process() { echo "${container_processes[$1]}"; }

docker_prepare() {
    build
    ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    # What runs already may have been built from something else.
    "${compose[@]}" build "${@/#/gotify-}" >"$results/.build.log" 2>&1 ||
        { tail -5 "$results/.build.log" >&2; refuse 1 "the image was not built: $results/.build.log"; }
}
docker_enter() { :; }

# New containers with empty volumes. What Prometheus and Grafana are needed for goes on.
docker_start() {
    local names=("${@/#/gotify-}")
    export BENCHMARK_CPUSET=$server_core
    docker_stop
    "${compose[@]}" up -d "${names[@]}" >>"$out/compose.txt" 2>&1 ||
        { tail -5 "$out/compose.txt" >&2; refuse 1 "the containers did not start"; }
    local count container
    for count in "$@"; do
        container=$("${compose[@]}" ps -q "gotify-$count")
        await_healthy "$container" "gotify-$count"
        container_urls[$count]=$(url_of "$container" "${ports[$count]}")
        container_processes[$count]=$(process_of "$container")
    done
}

docker_stop() {
    local names=("${!ports[@]}")
    "${compose[@]}" rm --force --stop -v "${names[@]/#/gotify-}" >>"$out/compose.txt" 2>&1 || true
}

# Waits up to a minute until the engine calls a container healthy.
await_healthy() {
    local state=''
    for _ in $(seq 120); do
        state=$(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$1" 2>/dev/null || true)
        if [[ $state == "running healthy" ]]; then return; fi
        if [[ $state == exited* || $state == dead* ]]; then break; fi
        sleep 0.5
    done
    docker logs --tail 5 "$1" >&2 || true
    refuse 1 "$2 is not healthy: ${state:-it is gone}"
}

# A container's own address where this machine reaches it, since a published port costs a proxy; else that port.
url_of() {
    local address
    address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1")
    if curl -fs --noproxy '*' --max-time 2 "http://$address:80/health" >/dev/null; then
        echo "http://$address:80"
    else
        echo "http://127.0.0.1:$2"
    fi
}

# A container's process, if it is one of this machine and may be looked at.
process_of() {
    local pid
    pid=$(docker inspect --format '{{.State.Pid}}' "$1")
    if [[ -r /proc/$pid/io ]] && ls "/proc/$pid/fd" >/dev/null 2>&1; then echo "$pid"; fi
}

# Takes down whatever the Compose file has started, by this script or by hand; fails if there is nothing. The servers
# of a run are gone before, and leave the network.
end_containers() {
    can_docker || return 1
    [[ -n $("${compose[@]}" ps -q 2>/dev/null) ]] || docker network inspect gotify_benchmark-net >/dev/null 2>&1 ||
        return 1
    echo "stopping the containers of docker-compose.benchmark.yml"
    "${compose[@]}" down --volumes --remove-orphans >/dev/null 2>&1 || echo "some containers are still there" >&2
}

docker_end() { end_containers >/dev/null || true; }
native_end() { :; }
