//! Metrics, where the configuration asks for them.

use std::sync::Arc;

use axum::Router;

use super::logging::Log;
use crate::config::{Loaded, MetricsListener};
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::server::{
    BindError, ConnectionObserver, ListeningSocket, Node, NodeParts, Server, ServerConfig, ServerParts,
};

/// Connections to the listener of the metrics: Prometheus needs one.
const MAX_CONNECTIONS: usize = 16;

/// What is counted, and where it is read.
pub(super) struct Exposition(Option<(Metrics, MetricsListener)>);

impl Exposition {
    pub(super) fn new(loaded: &Loaded, log: &Log) -> Self {
        Self(loaded.metrics().map(|listener| {
            let metrics = Metrics::new();
            metrics.watch_lost_log_lines(log.lost_lines());
            (metrics, listener)
        }))
    }

    /// Returns what the node is to be opened with.
    pub(super) fn parts(&self) -> NodeParts {
        self.0.as_ref().map_or_else(NodeParts::default, |(metrics, _)| metrics.parts())
    }

    /// Returns what the server is to be bound with.
    pub(super) fn connection_observer(&self) -> Arc<dyn ConnectionObserver> {
        match &self.0 {
            Some((metrics, _)) => metrics.connection_observer(),
            None => Arc::new(()),
        }
    }

    /// Shows how the node's part of the cluster does.
    #[cfg(feature = "cluster")]
    pub(super) fn watch_cluster(&self, node: &Node) {
        if let Some((metrics, _)) = &self.0 {
            metrics.watch_cluster(node);
        }
    }

    /// Returns what is served on the main port.
    pub(super) fn router(&self, node: &Node) -> Router {
        match &self.0 {
            Some((metrics, MetricsListener::Main)) => node.router().merge(metrics.router(node.hub())),
            _ => node.router(),
        }
    }

    /// Listens where metrics have a port of their own, on the socket that was passed or on a new one. They are served
    /// until what is returned is dropped.
    pub(super) async fn bind(
        &self,
        hub: &Hub,
        passed: Option<ListeningSocket>,
    ) -> Result<Option<Server>, BindError> {
        let Some((metrics, MetricsListener::Own { host, port })) = &self.0 else {
            return match passed {
                Some(_) => Err(BindError::UnusedSocket { listener: "metrics" }),
                None => Ok(None),
            };
        };
        let config = ServerConfig {
            listen_address: host.clone(),
            port: *port,
            max_connections: Some(MAX_CONNECTIONS),
            ..ServerConfig::default()
        };
        let parts = ServerParts { http: passed, ..ServerParts::default() };
        let server = Server::bind_with(config, metrics.router(hub), (), parts).await?;
        for endpoint in server.endpoints() {
            tracing::info!(address = %endpoint.address, "metrics are at {endpoint}/metrics");
        }
        Ok(Some(server))
    }
}
