#!/usr/bin/env bash
# redis-rs 1.8.1 does not subscribe again to a sharded channel whose slot moves to another server of a Redis Cluster.
# The server that gives the slot away ends the subscription and says so (`sunsubscribe`). redis-rs then forgets the
# channel, hands the push on, and does nothing else: the connection stays, other channels are heard as before, and
# nothing on this one is, for ever.
#
#   seen with redis-rs 1.8.1 and Redis 7.0.15: "before" is heard, `sunsubscribe` comes unasked, "after" is not heard
#
# So whoever uses `ssubscribe` must take an unasked `SUnsubscribe` for a lost subscription. src/cluster/redis/pushes.rs
# does.
#
# Needs cargo, redis-server and redis-cli. Ends with 0 if it still is so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
servers=()
# shellcheck disable=SC2329 # the trap calls it
end() {
    [[ ${#servers[@]} == 0 ]] || kill "${servers[@]}" 2>/dev/null || true
    wait
    rm -rf "$folder"
}
trap end EXIT
cd "$folder"

mkdir -p moved/src
cat >moved/Cargo.toml <<'TOML'
[package]
name = "moved"
version = "0.0.0"
edition = "2024"

[dependencies]
redis = { version = "=1.8.1", default-features = false, features = ["cluster-async", "tokio-comp"] }
tokio = { version = "1", features = ["macros", "rt", "time"] }

[workspace]
TOML
cat >moved/src/main.rs <<'RUST'
use std::process::{Command, exit};
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::{ProtocolVersion, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

const CHANNEL: &str = "news";

/// What Redis answers to a command.
fn cli(port: &str, command: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", port]).args(command).output().expect("redis-cli");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Waits for a push of a kind, for at most 3 s.
async fn next(pushes: &mut UnboundedReceiver<PushInfo>, kind: PushKind) -> Option<Vec<Value>> {
    let found = async {
        while let Some(push) = pushes.recv().await {
            if push.kind == kind {
                return Some(push.data);
            }
        }
        None
    };
    timeout(Duration::from_secs(3), found).await.ok().flatten()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> RedisResult<()> {
    let ports: Vec<String> = std::env::args().skip(1).collect();
    let (sender, mut pushes) = unbounded_channel();
    let client = || ClusterClient::builder([format!("redis://127.0.0.1:{}", ports[0])]).use_protocol(ProtocolVersion::RESP3);
    let mut listener = client().push_sender(sender).build()?.get_async_connection().await?;
    let mut publisher = client().build()?.get_async_connection().await?;
    listener.ssubscribe(CHANNEL).await?;
    redis::cmd("SPUBLISH").arg(CHANNEL).arg("before").query_async::<()>(&mut publisher).await?;
    let before = next(&mut pushes, PushKind::SMessage).await.is_some();

    let slot = cli(&ports[0], &["cluster", "keyslot", CHANNEL]);
    let number: u32 = slot.parse().expect("a slot");
    let ids: Vec<String> = ports.iter().map(|port| cli(port, &["cluster", "myid"])).collect();
    // `redis-cli --cluster create` gives each of three servers a third of the slots, in their order.
    let from = (number / 5462) as usize;
    let to = (from + 1) % 3;
    cli(&ports[to], &["cluster", "setslot", &slot, "importing", &ids[from]]);
    cli(&ports[from], &["cluster", "setslot", &slot, "migrating", &ids[to]]);
    for server in [to, 0, 1, 2] {
        cli(&ports[server], &["cluster", "setslot", &slot, "node", &ids[to]]);
    }
    let ended = next(&mut pushes, PushKind::SUnsubscribe).await.is_some();
    // The client would have the time to subscribe again.
    sleep(Duration::from_secs(2)).await;
    redis::cmd("SPUBLISH").arg(CHANNEL).arg("after").query_async::<()>(&mut publisher).await?;
    let after = next(&mut pushes, PushKind::SMessage).await.is_some();
    println!("heard before: {before}, told of the end: {ended}, heard after: {after}");
    exit(i32::from(!(before && ended && !after)))
}
RUST
cargo build --quiet --manifest-path moved/Cargo.toml --target-dir moved/target

read -ra ports < <(python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(6)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PY
)
for number in 0 1 2; do
    mkdir "server$number"
    redis-server --port "${ports[number]}" --cluster-port "${ports[number + 3]}" --bind 127.0.0.1 --cluster-enabled yes \
        --save '' --dir "$folder/server$number" >"server$number/log" &
    servers+=($!)
done
ports=("${ports[@]:0:3}")
for port in "${ports[@]}"; do
    until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
done
redis-cli --cluster create "${ports[@]/#/127.0.0.1:}" --cluster-yes >/dev/null
for port in "${ports[@]}"; do
    until redis-cli -p "$port" cluster info | grep -q cluster_state:ok; do sleep 0.1; done
done
moved/target/debug/moved "${ports[@]}" || {
    echo "it has changed"
    exit 1
}
echo "as it was seen"
