//! A stream's socket under TLS.
//!
//! The hub writes from any thread and must be told at once how much was taken. So a write encrypts up to one record
//! and hands it to the socket; what the socket does not take is held back here, and until it is gone nothing more is
//! taken. To the hub it looks like a socket whose kernel buffer is a record larger. The stream's own task, which always
//! waits for something to read, sees to it that what is held back goes out: a write that leaves something wakes it.

use std::io::{self, IoSlice, Read, Write};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;

use super::transport::{Bounded, Carrier, Transport};
use crate::hub::Socket;

/// The most plaintext that is held back: as much as fits into a record.
const HELD_BYTES: usize = 16 * 1024;

/// A socket and the state of its encryption.
struct TlsSocket<S> {
    socket: S,
    state: Mutex<State>,
}

struct State {
    session: ServerConnection,
    /// The task that reads.
    reader: Option<Waker>,
    /// There may be more plaintext than the last read had room for.
    has_more: bool,
    /// Nothing more will be written: the socket is shut down once nothing is held back.
    is_closing: bool,
    is_shut: bool,
}

impl<S> Transport for TlsStream<S>
where
    S: Socket + Bounded + AsyncRead + AsyncWrite + Unpin,
{
    fn into_carrier(self) -> Carrier {
        let (socket, session) = self.into_inner();
        Carrier::Tls(Box::new(TlsSocket::new(socket.bounded(), session)))
    }
}

impl<S: Socket> TlsSocket<S> {
    fn new(socket: S, mut session: ServerConnection) -> Self {
        session.set_buffer_limit(Some(HELD_BYTES));
        // What was decrypted beyond the handshake does not show at the socket.
        let state = State { session, reader: None, has_more: true, is_closing: false, is_shut: false };
        Self { socket, state: Mutex::new(state) }
    }

    /// Writes what is held back; answers whether nothing is any more.
    fn flush(&self, state: &mut State) -> io::Result<bool> {
        while state.session.wants_write() {
            match state.session.write_tls(&mut Raw(&self.socket)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if state.is_closing && !state.is_shut {
            state.is_shut = true;
            self.socket.shutdown_write()?;
        }
        Ok(true)
    }

    /// As [`TlsSocket::flush`], and wakes the task when the socket takes more.
    fn poll_flush(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.flush(state)? {
            std::task::ready!(self.socket.poll_write_ready(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Encrypts and writes, a record at a time, while the socket takes all of it.
    fn write(
        &self,
        mut encrypt: impl FnMut(&mut ServerConnection, usize) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let state = &mut *self.state.lock();
        let mut written = 0;
        while self.flush(state)? {
            match encrypt(&mut state.session, written)? {
                0 => return Ok(written),
                taken => written += taken,
            }
        }
        if written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if let Some(reader) = &state.reader {
            reader.wake_by_ref();
        }
        Ok(written)
    }
}

impl<S: Socket> Socket for TlsSocket<S> {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.write(|session, written| session.writer().write(&bytes[written..]))
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        // Together, so that small frames share a record.
        self.write(|session, written| match written {
            0 => session.writer().write_vectored(parts),
            written => {
                let mut left = parts.to_vec();
                let mut left = &mut left[..];
                IoSlice::advance_slices(&mut left, written);
                session.writer().write_vectored(left)
            }
        })
    }

    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let state = &mut *self.state.lock();
        if let Some(read) = read_plaintext(state, into)? {
            return Ok(read);
        }
        if state.session.read_tls(&mut Raw(&self.socket))? == 0 {
            return Ok(0);
        }
        let processed = state.session.process_new_packets();
        // An answer of the protocol's own, or why the peer's bytes make no sense.
        self.flush(state)?;
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        read_plaintext(state, into)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    fn shutdown_write(&self) -> io::Result<()> {
        let state = &mut *self.state.lock();
        if !state.is_closing {
            state.is_closing = true;
            state.session.send_close_notify();
        }
        if !self.flush(state)?
            && let Some(reader) = &state.reader
        {
            reader.wake_by_ref();
        }
        Ok(())
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.state.lock();
        std::task::ready!(self.poll_flush(state, cx))?;
        self.socket.poll_write_ready(cx)
    }

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.state.lock();
        if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        if let Poll::Ready(Err(error)) = self.poll_flush(state, cx) {
            return Poll::Ready(Err(error));
        }
        if state.has_more { Poll::Ready(Ok(())) } else { self.socket.poll_read_ready(cx) }
    }
}

/// Reads what was decrypted: 0 is the end, None that there is nothing.
fn read_plaintext(state: &mut State, into: &mut [u8]) -> io::Result<Option<usize>> {
    match state.session.reader().read(into) {
        Ok(read) => {
            state.has_more = read == into.len();
            Ok(Some(read))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            state.has_more = false;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The encrypted side.
struct Raw<'a, S>(&'a S);

impl<S: Socket> Read for Raw<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(into)
    }
}

impl<S: Socket> Write for Raw<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use rcgen::generate_simple_self_signed;
    use rustls::crypto::ring;
    use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig};

    use super::*;

    /// A socket that takes as many bytes as the test says.
    #[derive(Clone, Default)]
    struct Narrow(Arc<Mutex<Wire>>);

    #[derive(Default)]
    struct Wire {
        room: usize,
        written: Vec<u8>,
        to_read: VecDeque<u8>,
        is_shut: bool,
    }

    impl Socket for Narrow {
        fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            let mut wire = self.0.lock();
            let taken = bytes.len().min(wire.room);
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            wire.room -= taken;
            wire.written.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
            let part = parts.iter().find(|part| !part.is_empty());
            self.try_write(part.map_or(&[], |part| part))
        }

        fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
            let mut wire = self.0.lock();
            if wire.to_read.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let taken = into.len().min(wire.to_read.len());
            for (place, byte) in into.iter_mut().zip(wire.to_read.drain(..taken)) {
                *place = byte;
            }
            Ok(taken)
        }

        fn shutdown_write(&self) -> io::Result<()> {
            self.0.lock().is_shut = true;
            Ok(())
        }

        fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.0.lock().room > 0 { Poll::Ready(Ok(())) } else { Poll::Pending }
        }

        fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.0.lock().to_read.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
        }
    }

    /// A task that counts how often it was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Both ends of a connection whose handshake is over, the server's as a socket of the hub.
    fn connected() -> (Narrow, Box<dyn Socket>, ClientConnection) {
        let provider = Arc::new(ring::default_provider());
        let own = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.cert.der().clone()).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![own.cert.der().clone()],
                PrivatePkcs8KeyDer::from(own.key_pair.serialize_der()).into(),
            )
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut server = ServerConnection::new(Arc::new(server)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        while server.is_handshaking() || client.is_handshaking() || server.wants_write() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            let mut wire = &wire[..];
            while !wire.is_empty() {
                server.read_tls(&mut wire).unwrap();
                server.process_new_packets().unwrap();
            }
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            receive(&mut client, &wire);
        }
        let narrow = Narrow::default();
        let socket: Box<dyn Socket> = Box::new(TlsSocket::new(narrow.clone(), server));
        (narrow, socket, client)
    }

    /// Decrypts what came over the wire.
    fn receive(client: &mut ClientConnection, mut wire: &[u8]) -> Vec<u8> {
        let mut plaintext = Vec::new();
        while !wire.is_empty() {
            client.read_tls(&mut wire).unwrap();
            client.process_new_packets().unwrap();
            let _ = client.reader().read_to_end(&mut plaintext);
        }
        plaintext
    }

    #[test]
    fn what_is_written_arrives_in_order_however_little_the_socket_takes() {
        let (narrow, socket, mut client) = connected();
        let text: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let (mut sent, mut arrived, mut turn) = (0, Vec::new(), 0_usize);
        while arrived.len() < text.len() {
            turn += 1;
            narrow.0.lock().room += [1, 700, 20_000, 0, 5, 33_333][turn % 6];
            let left = &text[sent..];
            let outcome = if turn % 2 == 0 {
                socket.try_write(&left[..left.len().min(50_000)])
            } else {
                // As many small frames go out.
                let parts: Vec<IoSlice<'_>> = left.chunks(1000).take(64).map(IoSlice::new).collect();
                socket.try_write_vectored(&parts)
            };
            match outcome {
                Ok(taken) => sent += taken,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            let wire = std::mem::take(&mut narrow.0.lock().written);
            arrived.extend(receive(&mut client, &wire));
            // What is taken and has not arrived is bounded.
            assert!(sent - arrived.len() <= HELD_BYTES, "{sent} {}", arrived.len());
            assert!(turn < 10_000, "it stands still");
        }
        assert!(arrived == text);
    }

    #[test]
    fn a_write_that_leaves_something_wakes_the_task_which_brings_it_out() {
        let (narrow, socket, mut client) = connected();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let cx = &mut Context::from_waker(&waker);
        // The first read finds nothing: from then on the task waits.
        assert!(socket.poll_read_ready(cx).is_ready());
        assert_eq!(socket.try_read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(socket.poll_read_ready(cx).is_pending());

        narrow.0.lock().room = 10;
        assert_eq!(socket.try_write(b"hello").unwrap(), 5);
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert_eq!(socket.try_write(b"more").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(socket.poll_write_ready(cx).is_pending());

        narrow.0.lock().room = 1000;
        assert!(socket.poll_read_ready(cx).is_pending());
        let wire = std::mem::take(&mut narrow.0.lock().written);
        assert_eq!(receive(&mut client, &wire), b"hello");
        assert!(socket.poll_write_ready(cx).is_ready());
    }

    #[test]
    fn the_socket_is_shut_down_once_nothing_is_held_back() {
        let (narrow, socket, mut client) = connected();
        narrow.0.lock().room = 10;
        assert_eq!(socket.try_write(b"bye").unwrap(), 3);
        socket.shutdown_write().unwrap();
        assert!(!narrow.0.lock().is_shut);
        narrow.0.lock().room = 1000;
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(socket.poll_read_ready(cx).is_ready());
        assert!(narrow.0.lock().is_shut);
        let wire = std::mem::take(&mut narrow.0.lock().written);
        assert_eq!(receive(&mut client, &wire), b"bye");
        assert_eq!(client.reader().read(&mut [0]).unwrap(), 0, "the end was said");
    }

    #[test]
    fn what_is_decrypted_is_read_in_as_many_pieces_as_it_takes() {
        let (narrow, socket, mut client) = connected();
        client.writer().write_all(b"a frame and more").unwrap();
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        narrow.0.lock().to_read.extend(wire);
        let cx = &mut Context::from_waker(Waker::noop());
        let mut read: Vec<u8> = Vec::new();
        while socket.poll_read_ready(cx).is_ready() {
            let mut piece = [0; 5];
            match socket.try_read(&mut piece) {
                Ok(count) => read.extend(&piece[..count]),
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        assert_eq!(read, b"a frame and more");
    }

    #[test]
    fn bytes_that_are_no_records_are_an_error() {
        let (narrow, socket, _) = connected();
        narrow.0.lock().room = 1000;
        narrow.0.lock().to_read.extend(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(socket.try_read(&mut [0; 10]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
