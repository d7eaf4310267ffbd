//! Metrics for Prometheus. Events are counted where they happen, and written out per scrape.
//!
//! [`Metrics`] observes a node through [`Metrics::parts`], and a server through [`Metrics::connection_observer`].
//! [`Metrics::router`] answers `GET /metrics`. Counting an event costs a few atomic operations. It takes no lock and
//! allocates nothing, since every combination of labels exists from the start. A pass is the work of a shard that brings
//! new messages to its streams. A pass over ten thousand streams is counted as one event. States, such as the number of
//! streams, are read during a scrape.
//!
//! No label holds a user, a token or an address. So the number of series does not grow with use, and the series reveal
//! nothing about users. The help text of each metric, in `families.rs`, says what it means. The README lists all of them.

#[cfg(feature = "cluster")]
mod cluster;
mod families;
mod family;
mod labels;
mod observe;
mod process;

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use parking_lot::Mutex;
use prometheus::{Registry, TextEncoder};

use crate::{
    api::compression,
    hub::Hub,
    server::{ConnectionObserver, NodeParts},
};
use families::Families;
use labels::Stat;
use process::Process;

/// Prometheus' text format, as its own client libraries announce it.
const TEXT_FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// What a node counts. Clones share it.
///
#[cfg_attr(feature = "sqlite", doc = "```")]
#[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
/// use std::sync::Arc;
/// use shardcast::{metrics::Metrics, server::{Node, NodeConfig}, store::Sqlite};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("gotify.db");
/// # let file = file.to_str().unwrap();
/// let database = Arc::new(Sqlite::open(file).await?);
/// let metrics = Metrics::new();
/// let (node, _) = Node::open_with(database, NodeConfig::default(), metrics.parts()).await?;
/// let router = node.router().merge(metrics.router(node.hub()));
/// assert!(metrics.render(node.hub()).contains("\nwebsocket_active_connections 0\n"));
/// # drop(router);
/// # node.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    families: Families,
    /// Absent where the system does not tell.
    process: Option<Process>,
    lost_log_lines: OnceLock<Arc<AtomicU64>>,
    #[cfg(feature = "cluster")]
    cluster: OnceLock<crate::cluster::Cluster>,
    /// Held during a scrape: two at a time would count the process' time twice.
    scrape: Mutex<()>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Makes counters that stand at 0.
    pub fn new() -> Self {
        let registry = Registry::new();
        let families = Families::register(&registry);
        families.build_info.set("");
        let process = Process::register(&registry);
        Self(Arc::new(Inner {
            registry,
            families,
            process,
            lost_log_lines: OnceLock::new(),
            #[cfg(feature = "cluster")]
            cluster: OnceLock::new(),
            scrape: Mutex::new(()),
        }))
    }

    /// Shows from now on how many lines of the program's log were lost, which the program counts in this total. Only
    /// the first call has an effect.
    pub fn watch_lost_log_lines(&self, total: Arc<AtomicU64>) {
        let _ = self.0.lost_log_lines.set(total);
    }

    /// Returns what a node needs to count its events here: all observers, and nothing else.
    pub fn parts(&self) -> NodeParts {
        let inner = || Arc::clone(&self.0);
        NodeParts {
            observer: Some(inner()),
            publish_observer: Some(inner()),
            request_observer: Some(inner()),
            login_observer: Some(inner()),
            ..NodeParts::default()
        }
    }

    /// Returns what a server needs to count its connections here, see
    /// [`ServerParts::observer`](crate::server::ServerParts::observer).
    pub fn connection_observer(&self) -> Arc<dyn ConnectionObserver> {
        Arc::clone(&self.0) as Arc<dyn ConnectionObserver>
    }

    /// Returns a router that answers `GET /metrics`, for a listener of its own or to be merged with others. It asks
    /// nobody who they are.
    pub fn router(&self, hub: &Hub) -> Router {
        let scrape = get(scrape).layer(compression());
        Router::new().route("/metrics", scrape).with_state((self.clone(), hub.clone()))
    }

    /// Writes all metrics in Prometheus' text format, version 0.0.4; the hub is asked for its streams.
    #[expect(clippy::missing_panics_doc, reason = "the families are ours, and fit")]
    pub fn render(&self, hub: &Hub) -> String {
        let _alone = self.0.scrape.lock();
        let families = &self.0.families;
        families.active_connections.set(count(hub.stream_count()));
        families.connected_users.set(count(hub.user_count()));
        let by_shard = hub.stream_counts_by_shard();
        let (shards, streams) = (by_shard.len(), by_shard.iter().sum::<usize>());
        families.shards.set(count(shards));
        let (least, most) = (by_shard.iter().min(), by_shard.iter().max());
        families.shard_connections.of(Stat::Min).set(least.copied().map_or(0.0, exact));
        families.shard_connections.of(Stat::Max).set(most.copied().map_or(0.0, exact));
        families.shard_connections.of(Stat::Mean).set(exact(streams) / exact(shards.max(1)));
        if let Some(total) = self.0.lost_log_lines.get() {
            let total = total.load(Ordering::Relaxed);
            families.log_lines_lost.inc_by(total.saturating_sub(families.log_lines_lost.get()));
        }
        #[cfg(feature = "cluster")]
        if let Some(cluster) = self.0.cluster.get() {
            cluster::update(families, &cluster.stats());
        }
        if let Some(process) = &self.0.process {
            process.update();
        }
        TextEncoder::new()
            .encode_to_string(&self.0.registry.gather())
            .expect("every family has a name and at least one metric")
    }
}

async fn scrape(State((metrics, hub)): State<(Metrics, Hub)>) -> Response {
    ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render(&hub)).into_response()
}

/// A count as a gauge takes it.
fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as a fractional gauge takes it: exact up to 2^32, which is more than there are streams.
fn exact(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
