//! A request's body: bounded in size and in time, and what becomes of a rest that no handler wants.
//!
//! A client that sends a request with a body reads the answer when all is sent. Where the answer does not need the
//! body, a small rest is read and dropped before the answer goes out, as by Go's server, so that the connection can take
//! the next request. After a larger one the connection is closed, and the answer says so.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http_body_util::Limited;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use parking_lot::Mutex;
use tokio::time::{Sleep, sleep};

use crate::api::{Pace, PaceLimits};

/// The largest rest that is read for nothing.
const MAX_REST_BYTES: u64 = 64 * 1024;

/// A body whose client must go on sending.
pub(super) struct RequestBody {
    /// Taken when this is dropped.
    incoming: Option<Limited<Incoming>>,
    pace: Pace,
    has_ended: bool,
    /// It is too large, or not in HTTP's form: what follows can't be read as a request.
    has_failed: bool,
    /// The client sends the body only when it is asked for, which the first read does.
    waits_for_continue: bool,
    unread: UnreadBody,
}

impl RequestBody {
    pub(super) fn new(
        body: Incoming,
        max_bytes: usize,
        limits: PaceLimits,
        waits_for_continue: bool,
        unread: UnreadBody,
    ) -> Self {
        let incoming = Some(Limited::new(body, max_bytes));
        Self {
            incoming,
            pace: Pace::new(limits),
            has_ended: false,
            has_failed: false,
            waits_for_continue,
            unread,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        this.waits_for_continue = false;
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
            match &frame {
                Some(Ok(frame)) => this.pace.moved(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(_)) => this.has_failed = true,
                None => this.has_ended = true,
            }
            return Poll::Ready(frame);
        }
        this.pace.poll_too_slow(cx).map(|error| Some(Err(error.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        if self.has_failed || !(self.has_ended || incoming.is_end_stream()) {
            let has_failed = self.has_failed;
            self.unread.give_back(Rest { incoming, has_failed, waits_for_continue: self.waits_for_continue });
        }
    }
}

/// Where the bodies of a connection's requests go that were not read to their end. Clones share it.
#[derive(Clone, Default)]
pub(super) struct UnreadBody(Arc<Mutex<UnreadState>>);

#[derive(Default)]
enum UnreadState {
    /// No handler runs: what comes back now is too late, and is dropped.
    #[default]
    Closed,
    Open,
    Taken(Rest),
}

struct Rest {
    incoming: Limited<Incoming>,
    has_failed: bool,
    waits_for_continue: bool,
}

impl UnreadBody {
    /// Begins to wait for the body of a request that is handed to its handler.
    pub(super) fn open(&self) {
        *self.0.lock() = UnreadState::Open;
    }

    fn give_back(&self, rest: Rest) {
        let mut state = self.0.lock();
        if matches!(*state, UnreadState::Open) {
            *state = UnreadState::Taken(rest);
        }
    }

    /// Returns what the handler has left unread, once there is an answer.
    pub(super) fn take(&self, patience: Duration) -> Option<BodyDiscard> {
        let state = std::mem::take(&mut *self.0.lock());
        match state {
            UnreadState::Taken(rest) => {
                Some(BodyDiscard { rest, left: MAX_REST_BYTES, patience, timer: None })
            }
            UnreadState::Open | UnreadState::Closed => None,
        }
    }
}

/// Reads and drops what is left of a body. Returns whether it came to its end; if not, the connection can't go on.
pub(super) struct BodyDiscard {
    rest: Rest,
    /// Bytes that may still be read.
    left: u64,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Future for BodyDiscard {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let this = self.get_mut();
        if this.rest.has_failed {
            return Poll::Ready(false);
        }
        let incoming = &mut this.rest.incoming;
        // Known beforehand, or asking for it would bring it.
        if incoming.size_hint().lower() > this.left || this.rest.waits_for_continue {
            return Poll::Ready(false);
        }
        while let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) {
            let Some(frame) = frame else { return Poll::Ready(true) };
            let bytes = frame.ok().map(|frame| frame.data_ref().map_or(0, Bytes::len) as u64);
            match bytes.and_then(|bytes| this.left.checked_sub(bytes)) {
                Some(left) => this.left = left,
                None => return Poll::Ready(false),
            }
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(this.patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(false)
    }
}
