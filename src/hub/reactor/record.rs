//! A socket that a reactor waits for: what is known of it, and who is woken by it.

use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::Shutdown,
    os::fd::AsRawFd as _,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake},
};

use mio::{Interest, Token, event::Event, unix::SourceFd};
use tokio::net::{TcpStream, UnixStream};

use super::Reactor;
use crate::hub::Socket;

/// A socket of the kernel, for [`Registration::run`](crate::hub::Registration::run).
#[derive(Debug)]
#[non_exhaustive]
pub enum KernelSocket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    Unix(UnixStream),
}

impl From<TcpStream> for KernelSocket {
    fn from(socket: TcpStream) -> Self {
        Self::Tcp(socket)
    }
}

impl From<UnixStream> for KernelSocket {
    fn from(socket: UnixStream) -> Self {
        Self::Unix(socket)
    }
}

impl KernelSocket {
    /// Leaves it to the runtime.
    pub(in crate::hub) fn boxed(self) -> Box<dyn Socket> {
        match self {
            Self::Tcp(socket) => Box::new(socket),
            Self::Unix(socket) => Box::new(socket),
        }
    }

    /// Takes it out of the runtime.
    fn into_owned(self) -> io::Result<socket2::Socket> {
        Ok(match self {
            Self::Tcp(socket) => socket.into_std()?.into(),
            Self::Unix(socket) => socket.into_std()?.into(),
        })
    }
}

/// What is in [`Record::state`]: that bytes may be read, or written.
const READABLE: u32 = 1;
const WRITABLE: u32 = 1 << 1;
/// The peer sends nothing more. The end can be read from now on, and no event says so again.
const READ_CLOSED: u32 = 1 << 2;
/// It waits to be polled.
const WOKEN: u32 = 1 << 3;
/// The reactor waits for it.
const REGISTERED: u32 = 1 << 4;
/// A write once found no room: from then on the reactor waits for room too.
const WAITS_FOR_ROOM: u32 = 1 << 5;
/// All above counts events, so that what was found before the latest one does not undo it.
const EVENT: u32 = 1 << 6;

/// The socket of one stream, and its waker. Its memory is a part of what an idle stream costs.
pub(in crate::hub) struct Record {
    socket: socket2::Socket,
    state: AtomicU32,
    /// Where its stream is in the reactor's table.
    place: AtomicU32,
    reactor: Arc<Reactor>,
}

impl Record {
    /// Makes the record of a socket that this reactor is to wait for.
    pub(in crate::hub) fn new(socket: KernelSocket, reactor: Arc<Reactor>) -> io::Result<Self> {
        let socket = socket.into_owned()?;
        Ok(Self { socket, state: AtomicU32::new(0), place: AtomicU32::new(u32::MAX), reactor })
    }

    pub(super) fn place(&self) -> u32 {
        self.place.load(Ordering::Relaxed)
    }

    /// Begins to wait for the socket, as the one of the stream in that place. Hardly a stream ever waits for room: most
    /// cause no event before their peers send something.
    pub(super) fn register(&self, place: u32) -> io::Result<()> {
        self.place.store(place, Ordering::Relaxed);
        let state = self.state.fetch_or(REGISTERED, Ordering::AcqRel);
        let room = (state & WAITS_FOR_ROOM != 0).then_some(Interest::WRITABLE);
        let interest = room.map_or(Interest::READABLE, |room| room | Interest::READABLE);
        self.reactor.registry.register(&mut SourceFd(&self.socket.as_raw_fd()), self.token(), interest)
    }

    /// Ends waiting for the socket. Others may still hold it, and its events would be taken for those of the next stream
    /// in its place.
    pub(super) fn deregister(&self) -> io::Result<()> {
        self.reactor.registry.deregister(&mut SourceFd(&self.socket.as_raw_fd()))
    }

    fn token(&self) -> Token {
        Token(self.place() as usize)
    }

    /// Waits for room too, from now on.
    fn await_room(&self) -> io::Result<()> {
        let state = self.state.fetch_or(WAITS_FOR_ROOM, Ordering::AcqRel);
        if state & REGISTERED == 0 || state & WAITS_FOR_ROOM != 0 {
            return Ok(());
        }
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.reactor.registry.reregister(&mut SourceFd(&self.socket.as_raw_fd()), self.token(), interest)
    }

    pub(super) fn is_woken(&self) -> bool {
        self.state.load(Ordering::Acquire) & WOKEN != 0
    }

    /// Notes what the kernel says of the socket.
    pub(super) fn on_event(&self, event: &Event) {
        let mut found = 0;
        if event.is_readable() || event.is_error() {
            found |= READABLE;
        }
        if event.is_writable() || event.is_write_closed() || event.is_error() {
            found |= WRITABLE;
        }
        if event.is_read_closed() {
            found |= READ_CLOSED;
        }
        self.note(found);
    }

    fn note(&self, found: u32) {
        self.update(|state| Some((state | found).wrapping_add(EVENT)));
    }

    /// Notes that it is about to be polled: from now on it may be woken again.
    pub(super) fn on_poll(&self) {
        self.state.fetch_and(!WOKEN, Ordering::AcqRel);
    }

    /// Does something to the socket. If the socket can't, it is known not to be ready until the next event.
    fn attempt<T>(&self, readiness: u32, attempt: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let before = self.state.load(Ordering::Acquire);
        let result = attempt();
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.update(|state| (state / EVENT == before / EVENT).then_some(state & !readiness));
        }
        result
    }

    fn update(&self, change: impl FnMut(u32) -> Option<u32>) {
        // It is an error if nothing is to be changed.
        let _ = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change);
    }

    /// The reactor polls whoever waits at each event, so no waker is kept.
    fn poll_ready(&self, readiness: u32) -> Poll<io::Result<()>> {
        if self.state.load(Ordering::Acquire) & readiness == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl Wake for Record {
    fn wake(self: Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) & WOKEN == 0 {
            let reactor = Arc::clone(&self.reactor);
            reactor.wake(self);
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.fetch_or(WOKEN, Ordering::AcqRel) & WOKEN == 0 {
            self.reactor.wake(Arc::clone(self));
        }
    }
}

impl Socket for Record {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(WRITABLE, || (&self.socket).write(bytes))
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.attempt(WRITABLE, || (&self.socket).write_vectored(parts))
    }

    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.attempt(READABLE, || (&self.socket).read(into))
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.socket.shutdown(Shutdown::Write)
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ready = self.poll_ready(WRITABLE);
        if ready.is_pending() {
            self.await_room()?;
        }
        ready
    }

    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(READABLE | READ_CLOSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_event_that_comes_during_an_attempt_that_fails_is_not_forgotten() {
        let (socket, _peer) = UnixStream::pair().unwrap();
        let reactor = Reactor::start(tokio::runtime::Handle::current()).unwrap();
        let record = Record::new(socket.into(), Arc::clone(&reactor)).unwrap();
        let would_block = || io::Result::<()>::Err(io::ErrorKind::WouldBlock.into());
        let is_ready = || record.poll_ready(WRITABLE).is_ready();
        assert!(!is_ready());
        record.note(WRITABLE);
        assert!(is_ready());
        let attempt = || {
            record.note(WRITABLE);
            would_block()
        };
        record.attempt(WRITABLE, attempt).unwrap_err();
        assert!(is_ready());
        record.attempt(WRITABLE, would_block).unwrap_err();
        assert!(!is_ready());
        reactor.end();
    }

    /// With its two counts it fits into a block of 40 bytes.
    #[test]
    fn a_record_is_small() {
        assert!(size_of::<Record>() <= 24, "{} bytes", size_of::<Record>());
    }
}
