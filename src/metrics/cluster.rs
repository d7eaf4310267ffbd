//! How the node's part of the cluster does.

use prometheus::IntCounter;

use super::families::Families;
use super::{Metrics, count};
use crate::cluster::ClusterStats;
use crate::server::Node;

impl Metrics {
    /// Shows from now on the name of this node, and how its part of the cluster does, if it has one. Only the first part
    /// that is given is watched.
    pub fn watch_cluster(&self, node: &Node) {
        self.0.families.build_info.set(node.name());
        if let Some(cluster) = node.cluster() {
            // An error is that one is watched already.
            let _ = self.0.cluster.set(cluster.clone());
        }
    }
}

/// Takes over what the cluster has counted.
pub(super) fn update(families: &Families, stats: &ClusterStats) {
    families.cluster_connected.set(i64::from(stats.is_connected));
    families.cluster_peers.set(count(stats.peers));
    families.cluster_channels.set(count(stats.channels));
    for (counter, total) in [
        (&families.cluster_sent, stats.sent),
        (&families.cluster_dropped_sent, stats.dropped_sent),
        (&families.cluster_received, stats.received),
        (&families.cluster_dropped_received, stats.dropped_received),
        (&families.cluster_not_understood, stats.not_understood),
        (&families.cluster_comparisons, stats.comparisons),
        (&families.cluster_failed_comparisons, stats.failed_comparisons),
    ] {
        raise(counter, total);
    }
}

fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
