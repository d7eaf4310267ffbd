//! What the fuzz targets reach besides the public API.

use std::sync::Arc;

use crate::api::event;
use crate::api::stream::frame_of_another_node;
use crate::cluster::{Backplane, Cluster, ClusterConfig, ClusterParts};
use crate::hub::Hub;
use crate::store::Heads;

/// Starts a node's part of a cluster, with this hub.
///
/// # Panics
///
/// Outside a Tokio runtime.
pub fn cluster(hub: Hub, backplane: Arc<dyn Backplane>, heads: Arc<dyn Heads>) -> Cluster {
    let parts = ClusterParts {
        id: 1,
        backplane,
        heads,
        hub,
        make_frame: Box::new(frame_of_another_node),
        make_event: event::frame,
        comparison: Arc::default(),
        on_revoked: Box::new(|| {}),
    };
    Cluster::start(parts, ClusterConfig::new("fuzzed"))
}
