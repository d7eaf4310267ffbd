//! Opening sockets to a server, past the number of ports that one source address has.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::AsRawFd,
    rc::Rc,
};

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

use crate::process::limits;

/// Connections before the next source address is taken: far below the about 28 000 ports a default kernel gives one,
/// because finding one of the last free ports takes it a millisecond.
const STREAMS_AN_ADDRESS: u64 = 4000;
/// What a segment holds on Ethernet. With loopback's own 64 KiB the server's kernel would take megabytes for a stream
/// that reads nothing.
const NARROW_SEGMENT_BYTES: u32 = 1448;
/// Open files left for other things than streams: `/proc`, API calls, results.
const SPARE_FILES: u64 = 16;
/// The source addresses 127.0.0.2 to 127.0.0.251.
const ADDRESSES: u64 = 250;

/// Reads an address of the command line.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "it must be an IP address with a port, such as `127.0.0.1:8090` or `[::1]:8090`")
}

/// Why no connection could be begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("out of open files (this process may have {limit}); raise `ulimit -n`")]
    OpenFiles { limit: u64 },
    #[error("out of ports: all source addresses are used up (see net.ipv4.ip_local_port_range)")]
    Ports,
    #[error("failed to connect")]
    Io(#[from] io::Error),
}

/// Counts the connections of this process, so that a run does not come back to the ports of the one before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Begun(Rc<Cell<u64>>);

impl Begun {
    /// Starts behind connections that other processes begin.
    pub(crate) fn after(connections: u64) -> Self {
        Self(Rc::new(Cell::new(connections)))
    }

    fn add(&self, connections: u64) {
        self.0.set(self.0.get() + connections);
    }

    fn skip_address(&self) {
        self.0.set(self.0.get().next_multiple_of(STREAMS_AN_ADDRESS));
    }
}

/// Makes sockets to one server. On loopback it binds them to 127.0.0.2, 127.0.0.3 and so on in turn.
#[derive(Debug)]
pub(crate) struct Connector {
    server: SocketAddr,
    begun: Begun,
    open_files: u64,
}

impl Connector {
    /// Starts with a source address that none before used, as long as there is one.
    pub(crate) fn new(server: SocketAddr, begun: Begun) -> Self {
        begun.skip_address();
        Self { server, begun, open_files: limits::open_files() }
    }

    /// Begins a connection without waiting for it; with `receive_bytes` it has a receive buffer of that size and the
    /// segments of a real network.
    pub(crate) fn connect(&mut self, receive_bytes: Option<usize>) -> Result<TcpStream, ConnectError> {
        let mut skipped = 0;
        loop {
            match self.attempt(receive_bytes) {
                Ok(socket) => {
                    // The kernel gives the lowest number that is free: it tells how many files are open.
                    if u64::try_from(socket.as_raw_fd())
                        .is_ok_and(|file| file + SPARE_FILES >= self.open_files)
                    {
                        return Err(ConnectError::OpenFiles { limit: self.open_files });
                    }
                    self.begun.add(1);
                    return Ok(TcpStream::from_std(socket.into()));
                }
                Err(error) if is_out_of_ports(&error) => {
                    skipped += 1;
                    if !self.server.ip().is_loopback() || skipped == ADDRESSES {
                        return Err(ConnectError::Ports);
                    }
                    self.begun.add(STREAMS_AN_ADDRESS);
                }
                Err(error) if is_out_of_files(&error) => {
                    return Err(ConnectError::OpenFiles { limit: self.open_files });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn attempt(&self, receive_bytes: Option<usize>) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(self.server), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if let Some(bytes) = receive_bytes {
            // Only before connecting does it bound the window that the server is offered.
            socket.set_recv_buffer_size(bytes)?;
            socket.set_tcp_mss(NARROW_SEGMENT_BYTES)?;
        }
        if let Some(source) = self.source() {
            socket.bind(&SocketAddr::new(source, 0).into())?;
        }
        match socket.connect(&self.server.into()) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {}
            other => other?,
        }
        Ok(socket)
    }

    fn source(&self) -> Option<IpAddr> {
        let turn = u8::try_from(self.begun.0.get() / STREAMS_AN_ADDRESS % ADDRESSES).expect("below 250");
        (self.server.is_ipv4() && self.server.ip().is_loopback())
            .then(|| Ipv4Addr::new(127, 0, 0, turn + 2).into())
    }
}

fn is_out_of_ports(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)
}

fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_addresses_follow_each_other_on_loopback_alone() {
        let (begun, server) = (Begun::default(), "127.0.0.1:1".parse().unwrap());
        let connector = Connector::new(server, begun.clone());
        assert_eq!(connector.source(), Some(Ipv4Addr::new(127, 0, 0, 2).into()));
        begun.add(STREAMS_AN_ADDRESS - 1);
        assert_eq!(connector.source(), Some(Ipv4Addr::new(127, 0, 0, 2).into()));
        begun.add(1);
        assert_eq!(connector.source(), Some(Ipv4Addr::new(127, 0, 0, 3).into()));
        begun.add(STREAMS_AN_ADDRESS * (ADDRESSES - 1));
        assert_eq!(connector.source(), Some(Ipv4Addr::new(127, 0, 0, 2).into()));
        assert_eq!(Connector::new("192.0.2.1:1".parse().unwrap(), begun).source(), None);
    }

    #[test]
    fn an_address_of_the_command_line_has_a_port() {
        assert_eq!(socket_address("[::1]:80").unwrap().port(), 80);
        for text in ["", "8090", "127.0.0.1", "localhost:8090", "::1:80x"] {
            assert!(socket_address(text).unwrap_err().contains("such as `127.0.0.1:8090`"), "{text}");
        }
    }

    #[test]
    fn another_run_starts_with_an_address_of_its_own() {
        let (begun, server) = (Begun::default(), "127.0.0.1:1".parse().unwrap());
        Connector::new(server, begun.clone());
        begun.add(1);
        let second = Connector::new(server, begun);
        assert_eq!(second.source(), Some(Ipv4Addr::new(127, 0, 0, 3).into()));
    }
}
