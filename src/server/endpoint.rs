//! Where a server can be reached.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// One of the places where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Whether it speaks TLS there.
    pub secure: bool,
    /// The place.
    pub address: Address,
}

impl Endpoint {
    /// Returns the port, if it has one.
    pub(super) fn port(&self) -> Option<u16> {
        match self.address {
            Address::Tcp(address) => Some(address.port()),
            Address::Unix(_) => None,
        }
    }
}

/// A place to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// An address, with the real port.
    Tcp(SocketAddr),
    /// The file of a Unix socket; `@` and its name, if it has a name without a file.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Writes what to put into a browser on the same machine, or a Unix socket's name.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        match &self.address {
            Address::Tcp(address) if address.ip().is_unspecified() => {
                write!(f, "{scheme}://localhost:{}", address.port())
            }
            Address::Tcp(address) => write!(f, "{scheme}://{address}"),
            Address::Unix(_) => self.address.fmt(f),
        }
    }
}
