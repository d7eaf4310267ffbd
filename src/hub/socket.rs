//! The seam between the hub and what bytes travel on.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};

/// A connected, non-blocking byte stream.
///
/// The `try_` methods never wait: they do what they can at once or answer [`io::ErrorKind::WouldBlock`], and may
/// be called from any thread. The `poll_` methods are called by what drives the stream alone, with the waker that it
/// is polled with, and wake that.
pub trait Socket: Send + Sync + 'static {
    /// Writes some of `bytes`.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Writes some of `parts`, in order.
    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Reads some bytes; 0 is the end.
    fn try_read(&self, into: &mut [u8]) -> io::Result<usize>;
    /// Tells the peer that nothing more will be written; reading goes on.
    fn shutdown_write(&self) -> io::Result<()>;
    /// Waits until a write may go through.
    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Waits until a read may go through.
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Whether it is a connection of its own, and no part of one that somebody else holds, such as the body of an answer.
    /// [`Hub::attached_count`](super::Hub::attached_count) counts those.
    fn is_connection(&self) -> bool {
        true
    }
}

macro_rules! kernel_socket {
    ($stream:ty) => {
        impl Socket for $stream {
            fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
                <$stream>::try_write(self, bytes)
            }

            fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
                <$stream>::try_write_vectored(self, parts)
            }

            fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
                <$stream>::try_read(self, into)
            }

            fn shutdown_write(&self) -> io::Result<()> {
                SockRef::from(self).shutdown(Shutdown::Write)
            }

            fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                <$stream>::poll_write_ready(self, cx)
            }

            fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                <$stream>::poll_read_ready(self, cx)
            }
        }
    };
}

kernel_socket!(TcpStream);
kernel_socket!(UnixStream);
