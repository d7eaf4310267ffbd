//! Connections to a server, over TCP or TLS.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::server_url::ServerUrl;
use super::tls;

/// How long a server may take to accept a connection, TLS included.
const PATIENCE: Duration = Duration::from_secs(10);

/// What bytes are exchanged over.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Opens a connection. Cancel safe: a dropped future leaves none open.
pub(super) async fn connect(url: &ServerUrl) -> io::Result<Box<dyn Transport>> {
    let connecting = async {
        let socket = TcpStream::connect((url.host.as_str(), url.port)).await?;
        socket.set_nodelay(true)?;
        if url.is_secure {
            tls::secure(socket, &url.host).await
        } else {
            Ok(Box::new(socket) as Box<dyn Transport>)
        }
    };
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 seconds");
    timeout(PATIENCE, connecting).await.unwrap_or_else(|_| Err(late()))
}
