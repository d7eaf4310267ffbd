//! A program without metrics: a configuration that asks for them was refused when it was loaded.

use std::sync::Arc;

use axum::Router;

use super::logging::Log;
use crate::config::Loaded;
use crate::hub::Hub;
use crate::server::{BindError, ConnectionObserver, ListeningSocket, Node, NodeParts, Server};

/// Nothing is counted.
pub(super) struct Exposition;

impl Exposition {
    pub(super) fn new(_: &Loaded, _: &Log) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as with metrics")]
    pub(super) fn parts(&self) -> NodeParts {
        NodeParts::default()
    }

    #[expect(clippy::unused_self, reason = "as with metrics")]
    pub(super) fn connection_observer(&self) -> Arc<dyn ConnectionObserver> {
        Arc::new(())
    }

    #[expect(clippy::unused_self, reason = "as with metrics")]
    pub(super) fn router(&self, node: &Node) -> Router {
        node.router()
    }

    #[cfg(feature = "cluster")]
    #[expect(clippy::unused_self, reason = "as with metrics")]
    pub(super) fn watch_cluster(&self, _: &Node) {}

    #[expect(clippy::unused_async, reason = "as with metrics")]
    pub(super) async fn bind(
        &self,
        _: &Hub,
        passed: Option<ListeningSocket>,
    ) -> Result<Option<Server>, BindError> {
        match passed {
            Some(_) => Err(BindError::UnusedSocket { listener: "metrics" }),
            None => Ok(None),
        }
    }
}
