//! The listening socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

use super::ServerConfig;

/// How many connections may wait to be accepted; the kernel caps it at `somaxconn`, 4096 by default on Linux.
const BACKLOG: i32 = 4096;

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("failed to bind `{address}`")]
#[non_exhaustive]
pub struct BindError {
    /// The address and port.
    pub address: String,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// Where connections come from: the one place that knows that they are TCP.
#[derive(Debug)]
pub(super) struct Listener {
    socket: TcpListener,
    local_addr: SocketAddr,
}

impl Listener {
    /// Listens on the configured port, or on the fallback if this user may not have that one.
    pub(super) async fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        let error = match Self::listen(config, config.port).await {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        match config.fallback_port {
            Some(port) if error.source.kind() == io::ErrorKind::PermissionDenied => {
                tracing::warn!(denied = config.port, port, "the port is not allowed, taking another one");
                Self::listen(config, port).await
            }
            _ => Err(error),
        }
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits for a connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.socket.accept().await?;
        // A message must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true)?;
        Ok((stream, SocketAddr::new(peer.ip().to_canonical(), peer.port())))
    }

    async fn listen(config: &ServerConfig, port: u16) -> Result<Self, BindError> {
        let host = config.listen_address.trim_start_matches('[').trim_end_matches(']');
        let failed = |address: String| move |source| BindError { address, source };
        let addresses = resolve(host, port).await.map_err(failed(format!("{host}:{port}")))?;

        let mut outcome = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        let mut address = format!("{host}:{port}");
        for candidate in addresses {
            address = candidate.to_string();
            outcome = listen_on(candidate, config.keepalive);
            // Without IPv6 in the kernel the next candidate is the one; a port that is taken or denied is an answer.
            if matches!(&outcome, Err(error) if !is_final(error)) {
                continue;
            }
            break;
        }
        let (socket, local_addr) = outcome.map_err(failed(address))?;
        Ok(Self { socket, local_addr })
    }
}

async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if host.is_empty() {
        let all: [IpAddr; 2] = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
        return Ok(all.map(|ip| SocketAddr::new(ip, port)).into());
    }
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

fn is_final(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn listen_on(address: SocketAddr, keepalive: Option<Duration>) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == IpAddr::from(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    if let Some(period) = keepalive {
        // On Linux accepted sockets inherit it from this one, so that it costs no call a connection.
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(period).with_interval(period))?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}
