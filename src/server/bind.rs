//! The listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::endpoint::Address;
use super::unix_socket::{self, SocketFile};
use super::{ListeningSocket, TlsError};

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
        /// The address and port, or `unix:` and the path; or which socket was passed.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// There can't be HTTPS.
    #[error("failed to set up HTTPS")]
    Tls(#[from] TlsError),
    /// A socket was passed for a listener that the configuration does not have.
    #[error("a socket for {listener} was passed, but the configuration has no listener for {listener}")]
    UnusedSocket {
        /// What was to be served there: `HTTPS`, or `metrics`.
        listener: &'static str,
    },
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
    /// The file is removed with the listener.
    Unix(UnixListener, SocketFile),
    /// A Unix socket that somebody else has opened.
    PassedUnix(UnixListener, PathBuf),
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
    /// Listens on the socket that was passed; without one, where the configuration says.
    pub(super) async fn open(
        passed: Option<ListeningSocket>,
        place: ListenAddress<'_>,
    ) -> Result<Self, BindError> {
        let Some(socket) = passed else { return Self::bind(place).await };
        Self::adopt(socket, place.keepalive).map_err(|source| BindError::Listen {
            secure: place.secure,
            address: "the socket that was passed".to_owned(),
            source,
        })
    }

    /// Takes over a socket that listens already.
    fn adopt(socket: ListeningSocket, keepalive: Option<Duration>) -> io::Result<Self> {
        match socket {
            ListeningSocket::Tcp(listener) => {
                listener.set_nonblocking(true)?;
                set_inherited(&SockRef::from(&listener), keepalive)?;
                let local = listener.local_addr()?;
                Ok(Self::Tcp(TcpListener::from_std(listener)?, local))
            }
            ListeningSocket::Unix(listener) => {
                listener.set_nonblocking(true)?;
                let path = path_of(&listener.local_addr()?);
                Ok(Self::PassedUnix(UnixListener::from_std(listener)?, path))
            }
        }
    }

    /// Listens on the configured port, or on the fallback if this user may not have that one.
    async fn bind(place: ListenAddress<'_>) -> Result<Self, BindError> {
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
            Self::PassedUnix(_, path) => Address::Unix(path.clone()),
        }
    }

    /// Waits for a connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, SocketAddr)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Accepted::Tcp(stream), SocketAddr::new(peer.ip().to_canonical(), peer.port())))
            }
            Self::Unix(listener, _) | Self::PassedUnix(listener, _) => {
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
    set_inherited(&socket, keepalive)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into())?;
    let local_addr = listener.local_addr()?;
    Ok((listener, local_addr))
}

/// Sets what accepted sockets inherit from the one that listens, so that it costs no call per connection.
fn set_inherited(socket: &Socket, keepalive: Option<Duration>) -> io::Result<()> {
    // A message must not wait for the acknowledgement of the one before.
    socket.set_tcp_nodelay(true)?;
    let Some(period) = keepalive else { return Ok(()) };
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(period).with_interval(period))
}

/// The path of a Unix socket, as `@name` if it is in the abstract namespace, and empty if it has no name.
fn path_of(address: &UnixAddress) -> PathBuf {
    if let Some(path) = address.as_pathname() {
        return path.to_owned();
    }
    #[cfg(target_os = "linux")]
    if let Some(name) = address.as_abstract_name() {
        return format!("@{}", String::from_utf8_lossy(name)).into();
    }
    PathBuf::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_have_what_the_listening_one_was_given() {
        let keepalive = Some(Duration::from_secs(15));
        let place =
            ListenAddress { secure: false, address: "127.0.0.1", port: 0, fallback_port: None, keepalive };
        let passed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for socket in [None, Some(ListeningSocket::Tcp(passed))] {
            let listener = Listener::open(socket, place).await.unwrap();
            let Address::Tcp(address) = listener.address() else { panic!("not TCP") };
            let _client = TcpStream::connect(address).await.unwrap();
            let (Accepted::Tcp(stream), _) = listener.accept().await.unwrap() else { panic!("not TCP") };
            assert!(stream.nodelay().unwrap());
            assert!(SockRef::from(&stream).keepalive().unwrap());
        }
    }
}
