//! One stream: a socket, at most one cut frame, and its ledger.
//!
//! Ten thousand of them share one read buffer; what a stream owns is under 150 bytes while no frame is cut.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

use crate::client::{
    Clock, Nanos,
    frame::{self, Frame},
    ledger::Ledger,
    tally::{ABNORMAL, Tally},
    upgrade,
};

/// How much is kept of a message in several frames: the mark stands near its begin.
const HEAD_BYTES: usize = 256;
/// How much a shared read buffer grows by when one frame does not fit.
const GROWTH_BYTES: usize = 256 << 10;

/// How far a stream has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Upgrading,
    Open,
    Closed,
}

/// What one look at a stream's socket led to.
#[derive(Debug)]
pub(crate) enum Step {
    Same,
    /// The server ended the stream, or it broke the protocol.
    Ended,
    /// It was not admitted.
    Failed(anyhow::Error),
}

/// One client connection to `/stream`.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    phase: Phase,
    /// Bytes of a frame, or of the answer to the handshake, that is not complete yet.
    carry: Vec<u8>,
    /// The begin of a message whose last frame has not come yet.
    head: Vec<u8>,
    /// Bytes of the frames of that message.
    begun: usize,
    pub(crate) ledger: Ledger,
    /// When the connection was begun.
    pub(crate) began: Nanos,
}

impl Stream {
    pub(crate) fn new(socket: TcpStream, began: Nanos) -> Self {
        Self {
            socket,
            phase: Phase::Connecting,
            carry: Vec::new(),
            head: Vec::new(),
            begun: 0,
            ledger: Ledger::default(),
            began,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Sends the handshake once the socket is connected.
    pub(crate) fn on_writable(&mut self, request: &[u8]) -> Step {
        if self.phase != Phase::Connecting {
            return Step::Same;
        }
        match self.begin(request) {
            Ok(true) => {
                self.phase = Phase::Upgrading;
                Step::Same
            }
            Ok(false) => Step::Same,
            Err(error) => self.fail(anyhow::anyhow!("connect: {}", error.kind())),
        }
    }

    fn begin(&mut self, request: &[u8]) -> io::Result<bool> {
        if let Some(error) = self.socket.take_error()? {
            return Err(error);
        }
        match self.socket.peer_addr() {
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            other => other?,
        };
        // A fresh socket takes a few hundred bytes at once.
        self.socket.write_all(request).map(|()| true)
    }

    /// Reads at most `limit` bytes through the shared buffer and hands every frame to the tally.
    ///
    /// `ends` says that the poll saw the peer's end of the connection close: reading goes on until it is reached.
    pub(crate) fn on_readable(
        &mut self,
        scratch: &mut Vec<u8>,
        tally: &mut Tally,
        clock: Clock,
        mut limit: usize,
        ends: bool,
    ) -> Step {
        while limit > 0 && self.phase != Phase::Closed {
            let kept = self.carry.len();
            if scratch.len() < kept * 2 + 1 {
                scratch.resize(kept * 2 + GROWTH_BYTES, 0);
            }
            scratch[..kept].copy_from_slice(&self.carry);
            let end = scratch.len().min(kept.saturating_add(limit));
            let got = match self.socket.read(&mut scratch[kept..end]) {
                Ok(0) => return self.end(tally, ABNORMAL),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if self.phase == Phase::Open => {
                    tally.violation.get_or_insert_with(|| error.to_string());
                    return self.end(tally, ABNORMAL);
                }
                Err(error) => return self.fail(error.into()),
            };
            limit -= got;
            let drained = got < end - kept && !ends;
            match self.consume(&scratch[..kept + got], tally, clock.now()) {
                Step::Same => {}
                ended => return ended,
            }
            // A short read from a stream socket means that there was no more.
            if drained {
                break;
            }
        }
        Step::Same
    }

    fn consume(&mut self, bytes: &[u8], tally: &mut Tally, now: Nanos) -> Step {
        let mut used = 0;
        if self.phase == Phase::Upgrading {
            match upgrade::accepted(bytes, tally.format()) {
                Ok(Some(length)) => used = length,
                Ok(None) => {
                    self.keep(bytes);
                    return Step::Same;
                }
                Err(error) => return self.fail(error.into()),
            }
            self.phase = Phase::Open;
        }
        loop {
            match frame::next(&bytes[used..]) {
                Ok(Some((Frame::Data(payload), length))) => {
                    tally.take(payload, length, now, &mut self.ledger);
                    used += length;
                }
                Ok(Some((Frame::Begin(payload), length))) => {
                    self.head = payload[..payload.len().min(HEAD_BYTES)].to_vec();
                    self.begun = length;
                    used += length;
                }
                Ok(Some((Frame::End, length))) => {
                    let bytes = self.begun + length;
                    tally.take(&std::mem::take(&mut self.head), bytes, now, &mut self.ledger);
                    used += length;
                }
                Ok(Some((Frame::Ping(payload), length))) => {
                    let pong = frame::pong(payload, mask(now));
                    // A socket too full for a pong belongs to a peer that does not read: nothing is owed to it.
                    let _ = self.socket.write(&pong);
                    used += length;
                }
                Ok(Some((Frame::Middle, length))) => {
                    self.begun += length;
                    used += length;
                }
                Ok(Some((Frame::Pong, length))) => used += length,
                Ok(Some((Frame::Close(code), _))) => {
                    let code = code.unwrap_or(1005);
                    let _ = self.socket.write(&frame::close(1000, mask(now)));
                    return self.end(tally, code);
                }
                Ok(None) => break,
                Err(error) => {
                    tally.violation.get_or_insert_with(|| error.to_string());
                    return self.end(tally, ABNORMAL);
                }
            }
        }
        self.keep(&bytes[used..]);
        Step::Same
    }

    fn keep(&mut self, rest: &[u8]) {
        if rest.is_empty() {
            // Giving the memory back keeps an idle stream small.
            self.carry = Vec::new();
        } else {
            self.carry.clear();
            self.carry.extend_from_slice(rest);
        }
    }

    /// Says good-bye and leaves.
    pub(crate) fn leave(mut self, now: Nanos) {
        if self.phase == Phase::Open {
            let _ = self.socket.write(&frame::close(1000, mask(now)));
        }
    }

    fn end(&mut self, tally: &mut Tally, code: u16) -> Step {
        if self.phase == Phase::Upgrading {
            return self.fail(anyhow::anyhow!("the server closed the connection during the handshake"));
        }
        self.phase = Phase::Closed;
        tally.closed(code);
        Step::Ended
    }

    fn fail(&mut self, error: anyhow::Error) -> Step {
        self.phase = Phase::Closed;
        Step::Failed(error)
    }
}

/// Masks need to differ, not to be secret: nothing between this program and the server is to be protected.
fn mask(now: Nanos) -> u32 {
    let [.., a, b, c, d] = now.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_right(32).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
