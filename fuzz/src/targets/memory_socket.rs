//! A socket that has everything ready, and whose peer never waits.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::{Mutex, MutexGuard};
use shardcast::hub::Socket;

/// Clones are the same socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemorySocket(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What each read returns; after the last one the peer has hung up, if it does at all.
    pieces: VecDeque<Vec<u8>>,
    hangs_up: bool,
    written: Vec<u8>,
    is_shut: bool,
}

impl MemorySocket {
    /// A peer that sends these pieces and hangs up.
    pub(crate) fn sending(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let state = State { pieces: pieces.into_iter().collect(), hangs_up: true, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Returns what was written so far.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

impl Socket for MemorySocket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state();
        assert!(!state.is_shut, "something is written after the end");
        for part in parts {
            state.written.extend_from_slice(part);
        }
        Ok(parts.iter().map(|part| part.len()).sum())
    }

    fn try_read(&self, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(mut piece) = state.pieces.pop_front() else {
            return if state.hangs_up { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        };
        let count = piece.len().min(into.len());
        into[..count].copy_from_slice(&piece[..count]);
        let rest = piece.split_off(count);
        if !rest.is_empty() {
            state.pieces.push_front(rest);
        }
        Ok(count)
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.state().is_shut = true;
        Ok(())
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = self.state();
        if state.pieces.is_empty() && !state.hangs_up { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

/// What a server may send in one frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ServerFrame {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// Takes frames of a server apart (RFC 6455, section 5.2).
///
/// # Panics
///
/// If they are no whole and unmasked frames.
pub(crate) fn server_frames(mut bytes: &[u8]) -> Vec<ServerFrame> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first & 0xf0, 0x80, "a frame in parts, or with reserved bits");
        let extended = match second {
            0..=125 => 0,
            126 => 2,
            127 => 8,
            _ => panic!("a server masks no frame"),
        };
        assert!(rest.len() >= extended, "a frame ends in its length");
        let (length, rest) = rest.split_at(extended);
        let length = match extended {
            0 => u64::from(*second),
            _ => length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
        };
        let length = usize::try_from(length).expect("lengths fit");
        assert!(rest.len() >= length, "a frame ends in its payload");
        let (payload, rest) = rest.split_at(length);
        frames.push(ServerFrame { opcode: first & 0x0f, payload: payload.to_vec() });
        bytes = rest;
    }
    assert!(bytes.is_empty(), "a frame ends in its header");
    frames
}
