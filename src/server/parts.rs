//! What a server may be given besides its configuration.

use std::fmt;
use std::sync::Arc;

use super::{ConnectionObserver, ListeningSocket};

/// What a server may be given besides its configuration. By default it opens its own sockets, and nobody observes its
/// connections.
#[derive(Default)]
#[non_exhaustive]
pub struct ServerParts {
    /// The socket to serve HTTP on, instead of [`ServerConfig::listen_address`](super::ServerConfig::listen_address)
    /// and the port. Default none.
    pub http: Option<ListeningSocket>,
    /// The socket to serve HTTPS on, instead of the address and port of the [`TlsConfig`](super::TlsConfig), which must
    /// be there. Default none.
    pub https: Option<ListeningSocket>,
    /// The observer of connections. Default none.
    pub observer: Option<Arc<dyn ConnectionObserver>>,
}

with_methods!(ServerParts {
    with_http(http: impl Into<Option<ListeningSocket>>),
    with_https(https: impl Into<Option<ListeningSocket>>),
    with_observer(observer: Arc<dyn ConnectionObserver>),
});

impl fmt::Debug for ServerParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, https, observer: _ } = self;
        f.debug_struct("ServerParts").field("http", http).field("https", https).finish_non_exhaustive()
    }
}
