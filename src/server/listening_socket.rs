//! Sockets that somebody else has opened.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

/// A socket that listens already, for a server that does not open its own.
///
/// ```
/// use std::net::TcpListener;
/// use shardcast::{
///     external::axum::{Router, routing::get},
///     server::{ListeningSocket, Server, ServerConfig, ServerParts},
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let socket = TcpListener::bind("127.0.0.1:0")?;
/// let address = socket.local_addr()?;
/// let router = Router::new().route("/", get(|| async { "hello" }));
/// let parts = ServerParts::default().with_http(ListeningSocket::Tcp(socket));
/// let server = Server::bind_with(ServerConfig::default(), router, (), parts).await?;
/// assert_eq!(server.local_addr(), address);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ListeningSocket {
    /// A TCP socket.
    Tcp(TcpListener),
    /// A Unix socket. Its file, if it has one, belongs to whoever opened it: the server does not remove it.
    Unix(UnixListener),
}
