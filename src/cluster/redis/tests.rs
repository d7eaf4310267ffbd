//! Each kind of Redis is a backplane like any other, and a cluster that changes is noticed.

use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};
use tokio::time::timeout;

use super::*;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

fn url(variable: &str) -> String {
    std::env::var(variable).expect("`.ci/servers.py` starts a server and sets this")
}

fn on_one_server(prefix: &str) -> RedisBackplane {
    RedisBackplane::new(&url("SHARDCAST_TEST_REDIS"), prefix).unwrap()
}

fn named_by_a_sentinel(prefix: &str) -> RedisBackplane {
    RedisBackplane::new(&url("SHARDCAST_TEST_SENTINEL"), prefix).unwrap()
}

fn on_a_cluster(prefix: &str) -> RedisBackplane {
    RedisBackplane::new(&url("SHARDCAST_TEST_REDIS_CLUSTER"), prefix).unwrap()
}

mod one_server {
    use super::on_one_server;
    use crate::cluster::conformance;

    conformance::suite!(on_one_server, #[cfg_attr(not(test_redis), ignore = "`.ci/servers.py` starts a server")]);
}

mod sentinel {
    use super::named_by_a_sentinel;
    use crate::cluster::conformance;

    conformance::suite!(named_by_a_sentinel, #[cfg_attr(not(test_sentinel), ignore = "`.ci/servers.py` starts a server")]);
}

mod cluster {
    use super::on_a_cluster;
    use crate::cluster::conformance;

    conformance::suite!(on_a_cluster, #[cfg_attr(not(test_redis_cluster), ignore = "`.ci/servers.py` starts a server")]);
}

/// One server of the cluster.
struct ClusterServer {
    id: String,
    slots: Vec<(u16, u16)>,
    connection: MultiplexedConnection,
}

/// Connects to each server of the cluster.
async fn cluster_servers() -> Vec<ClusterServer> {
    let seed = url("SHARDCAST_TEST_REDIS_CLUSTER").replace("redis+cluster:", "redis:");
    let mut seed = Client::open(seed).unwrap().get_multiplexed_async_connection().await.unwrap();
    let listed: String = cmd("CLUSTER").arg("NODES").query_async(&mut seed).await.unwrap();
    let mut servers = Vec::new();
    for line in listed.lines() {
        let fields: Vec<_> = line.split(' ').collect();
        let address = fields[1].split('@').next().unwrap();
        let client = Client::open(format!("redis://{address}")).unwrap();
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        servers.push(ClusterServer {
            id: fields[0].to_owned(),
            slots: fields[8..].iter().filter_map(|text| range(text)).collect(),
            connection: client.get_multiplexed_async_connection().await.unwrap(),
        });
    }
    servers
}

/// Moves the slot of a channel to another server, as an operator does who adds a server to the cluster.
async fn move_slot_of(channel: &str) {
    let mut servers = cluster_servers().await;
    let slot: u16 =
        cmd("CLUSTER").arg("KEYSLOT").arg(channel).query_async(&mut servers[0].connection).await.unwrap();
    let has =
        |server: &ClusterServer| server.slots.iter().any(|&(first, last)| (first..=last).contains(&slot));
    let from = servers.iter().position(has).unwrap();
    let to = (from + 1) % servers.len();
    let (source, target) = (servers[from].id.clone(), servers[to].id.clone());
    let of_all = (0..servers.len()).map(|server| (server, "NODE", &target));
    // The new owner is to know first.
    let steps = [(to, "IMPORTING", &source), (from, "MIGRATING", &target), (to, "NODE", &target)];
    for (server, state, id) in steps.into_iter().chain(of_all) {
        let mut set = cmd("CLUSTER");
        set.arg("SETSLOT").arg(slot).arg(state).arg(id);
        set.query_async::<()>(&mut servers[server].connection).await.unwrap();
    }
}

#[tokio::test]
#[cfg_attr(not(test_redis_cluster), ignore = "`.ci/servers.py` starts a server")]
async fn a_slot_that_moves_to_another_server_is_a_lost_connection() {
    let prefix = format!("test_{:016x}", rand::random::<u64>());
    let backplane = on_a_cluster(&prefix);
    let (left, kept) = (Channel::from_number(1).unwrap(), Channel::from_number(2).unwrap());
    let inbox = Inbox::new();
    let mut link = backplane.connect(inbox.clone()).await.unwrap();
    link.subscribe(&[left, kept, Channel::ALL]).await.unwrap();
    link.unsubscribe(&[left]).await.unwrap();
    link.publish(&[Outgoing { channel: kept, payload: "before".into() }]).await.unwrap();
    assert_eq!(timeout(PATIENCE, inbox.take()).await.unwrap().payloads, ["before"]);

    move_slot_of(&kept.name(&prefix, ':')).await;
    let why = timeout(PATIENCE, inbox.until_lost()).await.expect("the loss is noticed");
    assert_eq!(why, "Redis has ended a subscription");

    // The servers tell each other who has the slot, so that the first attempts may fail.
    let heard = async {
        loop {
            let inbox = Inbox::new();
            let Ok(mut link) = backplane.connect(inbox.clone()).await else { continue };
            if link.subscribe(&[kept]).await.is_ok() {
                let after = Outgoing { channel: kept, payload: Bytes::from_static(b"after") };
                link.publish(&[after]).await.unwrap();
                break inbox.take().await.payloads;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, heard).await.unwrap(), ["after"]);
}
