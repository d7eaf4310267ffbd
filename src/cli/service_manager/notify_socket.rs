//! The socket that a service manager is informed by.
//!
//! The crate `sd-notify` does the same, except for two things that are needed here: names without a file (`@` and a name),
//! and sending without blocking the thread.

use std::ffi::OsStr;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;
use std::{fmt, io};

use tokio::time::timeout;

/// How long a manager may take to make room for a datagram.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the manager listens.
#[derive(Debug)]
pub(super) struct NotifySocket {
    address: SocketAddr,
    text: String,
}

impl NotifySocket {
    /// Takes an absolute path, or `@` and a name without a file.
    pub(super) fn parse(text: &OsStr) -> io::Result<Self> {
        let address = match text.as_encoded_bytes() {
            [b'/', ..] => SocketAddr::from_pathname(text)?,
            #[cfg(target_os = "linux")]
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => {
                let problem = format!("`{}` is neither an absolute path nor @ and a name", text.display());
                return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
            }
        };
        Ok(Self { address, text: text.to_string_lossy().into_owned() })
    }

    /// Sends lines of `NAME=value`. Cancel safe: a datagram is sent as a whole or not at all.
    pub(super) async fn send(&self, state: &str) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect_addr(&self.address)?;
        let socket = tokio::net::UnixDatagram::from_std(socket)?;
        timeout(PATIENCE, socket.send(state.as_bytes())).await??;
        Ok(())
    }
}

impl fmt::Display for NotifySocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
