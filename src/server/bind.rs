//! The listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::TlsError;
use super::endpoint::Address;
use super::unix_socket::{self, SocketFile};

/// How many connections may wait to be accepted; the kernel caps it at `somaxconn`, 4096 by default on Linux.
const BACKLOG: i32 = 4096;

/// Who comes by a Unix socket, as for Gotify: there is an address that may be trusted like a proxy's.
const UNIX_PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 65_535);

/// Why a server does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address can't be listened on.
    #[error("failed to listen for {} at `{address}`", if *.secure { "HTTPS" } else { "HTTP" })]
    Listen {
        /// Whether HTTPS was to be served there.
        secure: bool,
        /// The address and port, or `unix:` and the path.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// There can't be HTTPS.
    #[error("failed to set up HTTPS")]
    Tls(#[from] TlsError),
}

impl BindError {
    fn is_denied(&self) -> bool {
        matches!(self, Self::Listen { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }
}

/// Where connections come from: the one place that knows what they are.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, SocketFile),
}

/// A connection.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Where to listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListenAddress<'a> {
    /// Whether HTTPS is served there.
    pub(super) secure: bool,
    pub(super) address: &'a str,
    pub(super) port: u16,
    pub(super) fallback_port: Option<u16>,
    pub(super) keepalive: Option<Duration>,
}

impl Listener {
    /// Listens on the configured port, or on the fallback if this user may not have that one.
    pub(super) async fn bind(place: ListenAddress<'_>) -> Result<Self, BindError> {
        if let Some(path) = place.address.strip_prefix("unix:") {
            let failed = |source| BindError::Listen {
                secure: place.secure,
                address: place.address.to_owned(),
                source,
            };
            let (socket, file) = unix_socket::listen(Path::new(path), BACKLOG).map_err(failed)?;
            return Ok(Self::Unix(socket, file));
        }
        let error = match Self::listen(place, place.port).await {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        match place.fallback_port {
            Some(port) if error.is_denied() => {
                tracing::warn!(denied = place.port, port, "the port is not allowed, taking another one");
                Self::listen(place, port).await
            }
            _ => Err(error),
        }
    }

    pub(super) fn address(&self) -> Address {
        match self {
            Self::Tcp(_, local) => Address::Tcp(*local),
            Self::Unix(_, file) => Address::Unix(file.path().to_owned()),
        }
    }

    /// Waits for a connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, SocketAddr)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                // A message must not wait for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                Ok((Accepted::Tcp(stream), SocketAddr::new(peer.ip().to_canonical(), peer.port())))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Unix(stream), UNIX_PEER))
            }
        }
    }

    async fn listen(place: ListenAddress<'_>, port: u16) -> Result<Self, BindError> {
        let host = place.address.trim_start_matches('[').trim_end_matches(']');
        let secure = place.secure;
        let failed = |address: String| move |source| BindError::Listen { secure, address, source };
        let addresses = resolve(host, port).await.map_err(failed(format!("{host}:{port}")))?;

        let mut outcome = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        let mut address = format!("{host}:{port}");
        for candidate in addresses {
            address = candidate.to_string();
            outcome = listen_on(candidate, place.keepalive);
            // Without IPv6 in the kernel the next candidate is the one; a port that is taken or denied is an answer.
            if matches!(&outcome, Err(error) if !is_final(error)) {
                continue;
            }
            break;
        }
        let (socket, local) = outcome.map_err(failed(address))?;
        Ok(Self::Tcp(socket, local))
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
