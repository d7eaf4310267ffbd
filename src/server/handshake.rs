//! A handshake that is answered without the HTTP library.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use axum::response::Response;
use bytes::Bytes;
use hyper::StatusCode;

use super::answer::switching_protocols_head;
use super::requests::RoutedRequest;
use crate::api::stream::{Handover, Transport};
use crate::api::{Pace, PaceLimits};

/// A handshake that was read.
pub(super) struct Handshake {
    /// All that was read.
    pub(super) bytes: Bytes,
    /// Where the head ends.
    length: usize,
    handover: Handover,
    limits: PaceLimits,
    state: State,
}

#[expect(
    clippy::large_enum_variant,
    reason = "the handshake is in a box, and the second comes after the first"
)]
enum State {
    /// The router works on it.
    Routing(RoutedRequest),
    /// The client is to take the head of the answer.
    Sending { head: Vec<u8>, sent: usize, pace: Pace },
}

/// What came of a handshake.
pub(super) enum Outcome {
    /// The client has its answer, and the stream is to be started.
    Accepted,
    /// The answer is not 101.
    Refused(Box<Response>),
}

impl Handshake {
    pub(super) fn new(
        bytes: Bytes,
        length: usize,
        handover: Handover,
        limits: PaceLimits,
        routed: RoutedRequest,
    ) -> Self {
        Self { bytes, length, handover, limits, state: State::Routing(routed) }
    }

    /// Waits for the router's answer, and sends it if it is 101.
    pub(super) fn poll<S: Transport>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Outcome>> {
        if let State::Routing(routed) = &mut self.state {
            let response = ready!(Pin::new(routed).poll(cx));
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Poll::Ready(Ok(Outcome::Refused(Box::new(response))));
            }
            let head = switching_protocols_head(response.headers(), SystemTime::now());
            self.state = State::Sending { head, sent: 0, pace: Pace::new(self.limits) };
        }
        let State::Sending { head, sent, pace } = &mut self.state else { return Poll::Pending };
        while *sent < head.len() {
            match Pin::new(&mut *stream).poll_write(cx, &head[*sent..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    *sent += count;
                    pace.moved(count);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return pace.poll_too_slow(cx).map(Err),
            }
        }
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(flushed) => Poll::Ready(flushed.map(|()| Outcome::Accepted)),
            Poll::Pending => pace.poll_too_slow(cx).map(Err),
        }
    }

    /// Starts the stream that was accepted.
    pub(super) fn start<S: Transport>(self, stream: S) {
        if !self.handover.start(stream.into_carrier(), &self.bytes[self.length..]) {
            tracing::error!("a handler has answered 101 without taking the connection");
        }
    }
}
