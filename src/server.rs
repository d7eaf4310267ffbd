//! The server: it listens, limits and serves connections, and ends them in order.
//!
//! # Tasks
//!
//! - One *accept task*. [`Server`] owns it, and ends it by being dropped. The accept task owns the listener. It admits
//!   or refuses connections, and pauses when accepting fails. After [`Server::shutdown`] it drains the connections.
//! - One task per *connection*, in a tracker that the accept task owns. The task ends with its connection, or when the
//!   connection is upgraded. From then on the socket belongs to the code that took the upgrade, and is counted by
//!   [`Streams::open`]. The tasks do not wait for one shared signal. Each task puts its waker into a list when it starts.
//!   The drain sets a phase and wakes the list in slices.
//! - At most 64 *refusal* tasks, or fewer where only few files may be open, in the same tracker. A refusal task answers
//!   503, and lives for one second.
//!
//! # Bounds
//!
//! The number of connections, upgraded ones included, stays below [`ServerConfig::max_connections`]. It also stays below
//! the limit of open files, less the files that the database and the rest need. A connection beyond this bound gets a
//! short 503. If all refusal tasks are busy, it is closed at once, and may not see the answer.
//!
//! A header may have 16 KiB. These time limits apply:
//!
//! - [`ServerConfig::header_timeout`] to the first header, to a pause in a body, and to a pause in taking an answer;
//! - [`ServerConfig::idle_timeout`] to the time until the next header of an idle connection;
//! - [`ServerConfig::transfer_timeout`] to a client that sends or takes less than 4096 bytes per second on average. Only
//!   the time in which the server waits for the client counts.
//!
//! A body that is larger than [`ServerConfig::max_body_bytes`] ends with [`http_body_util::LengthLimitError`].
//!
//! A handler may leave a part of a body unread. Up to 64 KiB of it are read and dropped before the answer is sent. If
//! more is left, the answer has `Connection: close`.
//!
//! # What a handler finds
//!
//! The extensions of a request hold:
//!
//! - [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo), the peer of the socket. An IPv4 address is an IPv4
//!   address, also on an IPv6 socket. The peer of a Unix socket is 127.0.0.1:65535.
//! - [`ClientAddress`](crate::api::ClientAddress), the client in front of trusted proxies.
//! - [`ConnectionKind`](crate::api::ConnectionKind), if the connection is encrypted or comes from a trusted proxy.
//!
//! A handshake at [`ServerConfig::stream_path`] is read by the server itself, and only
//! [`Upgrade`](crate::api::stream::Upgrade) can take its connection. Every other request, and what follows on its
//! connection, is served by `hyper::server::conn::http1` over `TokioIo<PacedIo<TcpStream>>` or
//! `TokioIo<PacedIo<UnixStream>>`. `Upgraded::downcast` to that type returns the socket after an upgrade; see
//! [`PacedIo`](crate::api::PacedIo).

mod accept;
mod access_log;
mod answer;
mod bind;
mod body;
mod config;
mod connection;
mod connections;
mod drain;
mod endpoint;
mod forwarded;
#[cfg(fuzzing)]
pub mod fuzzing;
mod handshake;
mod head;
mod known_password;
mod limits;
mod listening_socket;
#[cfg(not(feature = "tls"))]
mod no_tls;
mod node;
mod observer;
mod opening;
mod parts;
mod redirect;
mod refuse;
mod requests;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod tls_config;
mod unix_socket;
mod used_by_gotify_3;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use accept::{Listeners, ServedListener};
use connection::Http;

pub use bind::BindError;
pub use config::{ServerConfig, StreamConfig};
pub use drain::Drained;
pub use endpoint::{Address, Endpoint};
pub use limits::raise_open_file_limit;
pub use listening_socket::ListeningSocket;
pub use node::{DrainConfig, FirstUser, Node, NodeConfig, NodeParts, OpenError};
pub use observer::ConnectionObserver;
pub use parts::ServerParts;
pub use streams::Streams;
pub(crate) use tls_config::host_of_certificate;
pub use tls_config::{AcmeConfig, CertificateFiles, Certificates, TlsConfig, TlsError};

#[cfg(not(feature = "tls"))]
use no_tls as tls;

/// A running server. Dropping it stops it at once; [`Server::shutdown`] stops it well.
///
/// It serves any axum router:
///
/// ```
/// use shardcast::{
///     external::axum::{Router, routing::get},
///     server::{Server, ServerConfig},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), shardcast::server::BindError> {
/// let router = Router::new().route("/", get(|| async { "hello" }));
/// let mut config = ServerConfig::default();
/// config.listen_address = "127.0.0.1".to_owned();
/// let mut server = Server::bind(config, router, ()).await?;
/// println!("listening on {}", server.local_addr());
///
/// server.shutdown();
/// server.join().await;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    endpoints: Vec<Endpoint>,
    stop: Arc<Notify>,
    accept: AbortOnDropHandle<Drained>,
    drained: Option<Drained>,
}

impl Server {
    /// Binds the address and serves the router on it from now on. `streams` is what owns upgraded connections;
    /// `()` if there are none.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime.
    pub async fn bind(
        config: ServerConfig,
        router: Router,
        streams: impl Streams,
    ) -> Result<Self, BindError> {
        Self::bind_with(config, router, streams, ServerParts::default()).await
    }

    /// As [`Server::bind`], with sockets and an observer of your own.
    ///
    /// # Panics
    ///
    /// As [`Server::bind`].
    pub async fn bind_with(
        config: ServerConfig,
        router: Router,
        streams: impl Streams,
        parts: ServerParts,
    ) -> Result<Self, BindError> {
        let ServerParts { http, https, observer } = parts;
        let observer = observer.unwrap_or_else(|| Arc::new(()));
        let (listeners, endpoints) = open_listeners(&config, router, http, https).await?;
        let stop = Arc::new(Notify::new());
        let task = accept::AcceptLoop::new(listeners, &config, streams, observer).run(Arc::clone(&stop));
        let accept = AbortOnDropHandle::new(tokio::spawn(task));
        Ok(Self { endpoints, stop, accept, drained: None })
    }

    /// Returns where it listens.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Returns the first address that it listens on, with the real port; 127.0.0.1:0 if it listens on Unix sockets
    /// alone.
    pub fn local_addr(&self) -> SocketAddr {
        let tcp = self.endpoints.iter().find_map(|endpoint| match endpoint.address {
            Address::Tcp(address) => Some(address),
            Address::Unix(_) => None,
        });
        tcp.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Begins to stop: no new connections, requests that run are finished, streams are drained. What is left after
    /// [`ServerConfig::shutdown_grace`] is cut off. Returns at once; [`Server::join`] waits.
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }

    /// Waits until the server has stopped, and returns how that went. Does not stop it by itself.
    ///
    /// # Panics
    ///
    /// If the accept task did.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: it may be called again.
    pub async fn join(&mut self) -> Drained {
        if let Some(drained) = self.drained {
            return drained;
        }
        match (&mut self.accept).await {
            Ok(drained) => *self.drained.insert(drained),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

/// Listens everywhere, on the sockets that were passed or on new ones. With TLS, the plain one may only say where to go
/// instead.
async fn open_listeners(
    config: &ServerConfig,
    router: Router,
    http: Option<ListeningSocket>,
    https: Option<ListeningSocket>,
) -> Result<(Listeners, Vec<Endpoint>), BindError> {
    if https.is_some() && config.tls.is_none() {
        return Err(BindError::UnusedSocket { listener: "HTTPS" });
    }
    let mut endpoints = Vec::new();
    let mut plain_router = router.clone();
    let mut secure = None;
    if let Some(tls_config) = &config.tls {
        let tls = Some(Arc::new(tls::Tls::new(tls_config)?));
        let place = bind::ListenAddress {
            secure: true,
            address: &tls_config.listen_address,
            port: tls_config.port,
            fallback_port: None,
            keepalive: config.keepalive,
        };
        let listener = bind::Listener::open(https, place).await?;
        let endpoint = Endpoint { secure: true, address: listener.address() };
        if tls_config.redirect {
            plain_router = redirect::to_https(router.clone(), endpoint.port().unwrap_or(tls_config.port));
        }
        endpoints.push(endpoint);
        secure = Some(ServedListener { listener, http: Arc::new(Http::new(config, router).secure()), tls });
    }
    let place = bind::ListenAddress {
        secure: false,
        address: &config.listen_address,
        port: config.port,
        fallback_port: config.fallback_port,
        keepalive: config.keepalive,
    };
    let listener = bind::Listener::open(http, place).await?;
    endpoints.insert(0, Endpoint { secure: false, address: listener.address() });
    let plain = ServedListener { listener, http: Arc::new(Http::new(config, plain_router)), tls: None };
    Ok((Listeners { plain, secure }, endpoints))
}

#[cfg(test)]
mod tests;
