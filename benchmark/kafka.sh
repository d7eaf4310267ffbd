#!/usr/bin/env bash
# A Kafka broker on loopback, from Maven Central's packages: for load tests on a machine without Docker.
#
#   benchmark/kafka.sh up [PORT]        fetch Kafka if it is missing, and start a broker with an empty log
#   benchmark/kafka.sh down [PORT]      stop it; its log is kept
#   benchmark/kafka.sh restart [PORT]   start it again with the log that it had
#
# PORT is 9092 unless given; the broker's controller takes the port after it. Needs Java 17 or later and Maven.
# Everything is kept in KAFKA_FOLDER (target/kafka).
set -euo pipefail

version=4.1.1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${KAFKA_FOLDER:-${CARGO_TARGET_DIR:-$root/target}/kafka}
command=${1:-help}
port=${2:-9092}
broker=$folder/$port

fetch() {
    local tool name
    [[ ! -d $folder/lib ]] || return 0
    for tool in java mvn; do
        command -v "$tool" >/dev/null || { echo "\`$tool\` is missing: install Java and Maven" >&2; exit 1; }
    done
    mkdir -p "$folder"
    {
        echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        echo '<groupId>bench</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>'
        for name in org.apache.kafka:kafka_2.13:$version org.apache.kafka:kafka-tools:$version org.slf4j:slf4j-simple:1.7.36; do
            IFS=: read -r group artifact number <<<"$name"
            echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$number</version></dependency>"
        done
        echo '</dependencies></project>'
    } >"$folder/pom.xml"
    rm -rf "$folder/lib.part"
    mvn --quiet --batch-mode --file "$folder/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime "-DoutputDirectory=$folder/lib.part"
    mv "$folder/lib.part" "$folder/lib"
}

kafka() {
    exec java "-Xmx${KAFKA_MEMORY:-320m}" -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -cp "$folder/lib/*" "$@"
}

format() {
    mkdir -p "$broker"
    rm -rf "$broker/log"
    cat >"$broker/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
log.dirs=$broker/log
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
END
    (kafka kafka.tools.StorageTool format --cluster-id "$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d =)" \
        --config "$broker/server.properties") >"$broker/format.txt" 2>&1 || { cat "$broker/format.txt" >&2; exit 1; }
}

start() {
    [[ -f $broker/server.properties ]] || { echo "there is no broker on port $port yet: \`$0 up $port\`" >&2; exit 1; }
    (kafka kafka.Kafka "$broker/server.properties") >"$broker/output.txt" 2>&1 </dev/null &
    echo $! >"$broker/pid"
    for _ in $(seq 300); do
        if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "Kafka $version listens on 127.0.0.1:$port"
            return
        fi
        kill -0 $! 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$broker/output.txt" >&2
    echo "Kafka has not started" >&2
    exit 1
}

stop() {
    local pid
    pid=$(cat "$broker/pid" 2>/dev/null) || return 0
    # Only if it is still the broker.
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$broker/server.properties"; then
        kill "$pid"
        for _ in $(seq 150); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$broker/pid"
}

case $command in
    up) fetch; stop; format; start ;;
    down) stop ;;
    restart) stop; start ;;
    *) sed -n '2,/^set /{/^set /d; s/^# \{0,1\}//; p}' "$0" ;;
esac
