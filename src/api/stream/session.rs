//! One client on its stream: what it sends, and when it ends.
//!
//! A session waits for the socket to be readable and for the hub to have something to do. One of the hub's threads polls
//! it, or, under TLS, a task. Such a task polls the socket itself, so that its waker replaces the one that the HTTP
//! connection's task left there, which would keep that task's memory alive.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::time::Instant;

use super::{
    decoder::{ClientFrame, Decoder, Opcode, close_code},
    flood::{FloodGuard, FrameRate},
};
use crate::hub::{EndReason, MessageId, Stream, put_header};

const FIN_PONG: u8 = 0x8A;

/// What a client may send.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SessionLimits {
    /// Bytes taken from the socket in one go; allocated only while there is something to read.
    pub read_buffer_bytes: usize,
    /// What a text or binary frame may carry; a larger one closes the stream with 1009. Gotify's limit is 64 bytes.
    /// Control frames may always carry the 125 bytes that the protocol allows them.
    pub max_frame_bytes: usize,
    /// How many frames; more close the stream with 1008.
    pub frame_rate: FrameRate,
}

with_methods!(SessionLimits {
    with_read_buffer_bytes(read_buffer_bytes: usize),
    with_max_frame_bytes(max_frame_bytes: usize),
    with_frame_rate(frame_rate: FrameRate),
});

impl Default for SessionLimits {
    fn default() -> Self {
        Self { read_buffer_bytes: 8192, max_frame_bytes: 64, frame_rate: FrameRate::default() }
    }
}

/// Takes the messages that a client sends.
pub trait Inbox: Send {
    /// Takes a text, binary or continuation frame; the decoder has made sure that they follow on one another. An
    /// error closes the stream for that reason.
    fn on_data(&mut self, frame: ClientFrame, stream: &mut Stream) -> Result<(), EndReason>;

    /// Takes what a pong has acknowledged, on a stream whose pings carry ids
    /// ([`Registration::ask_for_ids_in_pings`](crate::hub::Registration::ask_for_ids_in_pings)): its client has
    /// everything up to this message.
    fn on_acknowledged(&mut self, _: MessageId) {}
}

/// Gotify's clients have nothing to say: whatever they send is ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignore;

impl Inbox for Ignore {
    fn on_data(&mut self, _: ClientFrame, _: &mut Stream) -> Result<(), EndReason> {
        Ok(())
    }
}

/// A stream with what its client has half sent: a future that runs until the stream ends, and tells the reason.
///
/// It is a future by hand because it is a part of what an idle stream costs.
///
/// # Cancel safety
/// Dropping it ends the stream without a close frame.
#[derive(Debug)]
pub struct Session<I> {
    stream: Stream,
    peer: Peer<I>,
}

/// What is known of the client.
#[derive(Debug)]
struct Peer<I> {
    inbox: I,
    limits: Arc<SessionLimits>,
    flood: FloodGuard,
    /// There is one only while a frame or a message is half read.
    decoder: Option<Box<Decoder>>,
    /// The client has closed, or was refused: what it still sends is read, so that the close frame reaches it, but
    /// means nothing.
    is_over: bool,
}

impl<I: Inbox> Session<I> {
    /// Makes a session. `early` are bytes that arrived with the handshake.
    pub fn new(stream: Stream, inbox: I, limits: Arc<SessionLimits>, early: &[u8]) -> Self {
        let flood = FloodGuard::default();
        let mut session = Self { stream, peer: Peer { inbox, limits, flood, decoder: None, is_over: false } };
        session.peer.on_bytes(&mut session.stream, early);
        session
    }
}

impl<I: Inbox + Unpin> Future for Session<I> {
    type Output = EndReason;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<EndReason> {
        let Self { stream, peer } = self.get_mut();
        let buffer_bytes = peer.limits.read_buffer_bytes;
        let reason =
            ready!(stream.poll_serve(cx, buffer_bytes, |stream, bytes| peer.on_bytes(stream, bytes)));
        tracing::debug!(conn.id = %stream.id(), reason = reason.name(), "a stream ended");
        Poll::Ready(reason)
    }
}

impl<I: Inbox> Peer<I> {
    fn on_bytes(&mut self, stream: &mut Stream, mut bytes: &[u8]) {
        let mut decoder = self.decoder.take().map_or_else(Decoder::default, |decoder| *decoder);
        while !bytes.is_empty() && !self.is_over {
            match decoder.decode(&mut bytes, self.limits.max_frame_bytes) {
                Ok(Some(frame)) => {
                    if let Err(reason) = self.on_frame(stream, frame) {
                        return self.refuse(stream, reason);
                    }
                }
                Ok(None) => {}
                Err(reason) => return self.refuse(stream, reason),
            }
        }
        if !decoder.is_idle() {
            self.decoder = Some(Box::new(decoder));
        }
    }

    fn on_frame(&mut self, stream: &mut Stream, frame: ClientFrame) -> Result<(), EndReason> {
        if frame.opcode == Opcode::Close {
            stream.on_peer_close(close_code(&frame.payload)?);
            self.is_over = true;
            return Ok(());
        }
        if !stream.is_open() {
            return Ok(());
        }
        if !self.flood.allows(&self.limits.frame_rate, Instant::now()) {
            return Err(EndReason::TooManyFrames);
        }
        match frame.opcode {
            Opcode::Ping => {
                let mut pong = Vec::with_capacity(2 + frame.payload.len());
                put_header(&mut pong, FIN_PONG, frame.payload.len());
                pong.extend_from_slice(&frame.payload);
                stream.reply(&pong);
            }
            Opcode::Pong => {
                if let Some(id) = stream.on_pong_with(&frame.payload) {
                    self.inbox.on_acknowledged(id);
                }
            }
            _ => {
                if frame.fin {
                    stream.on_message();
                }
                self.inbox.on_data(frame, stream)?;
            }
        }
        Ok(())
    }

    /// Closes the stream, if it is not closing already. What follows on bytes that can't be understood can't be
    /// understood either.
    fn refuse(&mut self, stream: &Stream, reason: EndReason) {
        stream.close(reason);
        self.is_over = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten thousand idle streams hold ten thousand of these, each in a block of its own.
    #[test]
    fn a_session_is_small() {
        assert!(size_of::<Session<Ignore>>() <= 96, "{} bytes", size_of::<Session<Ignore>>());
    }
}
