//! How long a peer may keep the server waiting while bytes are to move.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A peer that moves so many bytes per second may go on for ever.
const BYTES_PER_SECOND: u64 = 4096;

/// How long a peer may keep the server waiting. Only time counts in which the server waits for the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceLimits {
    /// Without a byte.
    pub pause: Duration,
    /// In all; each 4096 bytes that the peer moves give it a second back.
    pub total: Duration,
}

/// Measures how long a peer has kept the server waiting.
#[derive(Debug)]
pub(crate) struct Pace {
    limits: PaceLimits,
    /// The time that was waited, less what the peer has earned back.
    waited: Duration,
    /// Since when the peer is waited for, and when it has taken too long. Absent most of the time.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Pace {
    pub(crate) fn new(limits: PaceLimits) -> Self {
        Self { limits, waited: Duration::ZERO, waiting: None }
    }

    /// Notes that the peer has moved so many bytes.
    pub(crate) fn moved(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        let earned = Duration::from_micros(bytes as u64 * 1_000_000 / BYTES_PER_SECOND);
        self.waited = self.waited.saturating_sub(earned);
    }

    /// Waits from now on no longer than this without a byte.
    fn shorten_pause(&mut self, pause: Duration) {
        if pause >= self.limits.pause {
            return;
        }
        self.limits.pause = pause;
        if let Some((_, timer)) = &mut self.waiting {
            let end = timer.deadline().min(Instant::now() + pause);
            timer.as_mut().reset(end);
        }
    }

    /// Notes that the peer is waited for. Ready once it has taken too long.
    pub(crate) fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let PaceLimits { pause, total } = self.limits;
        let patience = pause.min(total.saturating_sub(self.waited));
        let (_, timer) = self.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(patience))));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer was too slow"))
    }
}

/// Of what a client sends during an event stream, about so much is kept for its next request. After that it is not looked
/// whether it has hung up.
const MOST_READ_AHEAD: usize = 1024;

/// Tells a connection from outside what holds from the next time on that it is polled. Clones tell the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hints(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    pause: OnceLock<Duration>,
    ends_at_hang_up: AtomicBool,
}

impl Hints {
    /// Lets the peer keep the server waiting no longer than this without a byte. Only the first call counts.
    pub(crate) fn limit_pause(&self, pause: Duration) {
        self.0.pause.get_or_init(|| pause);
    }

    /// Says whether the connection fails once the peer has said that it sends no more.
    pub(crate) fn end_at_hang_up(&self, ends: bool) {
        self.0.ends_at_hang_up.store(ends, Ordering::Relaxed);
    }
}

/// A connection whose peer must take what is written to it.
///
/// [`Server`](crate::server::Server) serves HTTP on these. Reading is not bounded here: an idle peer is waited for
/// elsewhere, and a body has a pace of its own.
#[derive(Debug)]
pub struct PacedIo<S> {
    io: S,
    pace: Pace,
    hints: Option<Hints>,
    /// What comes before the next bytes of the connection.
    put_back: Bytes,
}

impl<S> PacedIo<S> {
    /// Bounds how long a peer may keep the server waiting until it takes what is written.
    pub fn new(io: S, limits: PaceLimits) -> Self {
        Self { io, pace: Pace::new(limits), hints: None, put_back: Bytes::new() }
    }

    /// Lets it be told other things later.
    pub(crate) fn with_hints(self, hints: Hints) -> Self {
        Self { hints: Some(hints), ..self }
    }

    /// Puts back what was read: it is read again. Whoever takes the connection out before it was, loses it.
    pub(crate) fn put_back(&mut self, bytes: Bytes) {
        self.put_back = bytes;
    }

    /// Returns the connection, unbounded.
    pub fn into_inner(self) -> S {
        self.io
    }

    fn paced<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        bytes: impl FnOnce(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Ready(Ok(done)) => {
                self.pace.moved(bytes(&done));
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if let Some(pause) = self.hints.as_ref().and_then(|hints| hints.0.pause.get()) {
                    self.pace.shorten_pause(*pause);
                }
                self.pace.poll_too_slow(cx).map(Err)
            }
        }
    }
}

impl<S: AsyncRead + Unpin> PacedIo<S> {
    /// Returns why the connection ends, if the peer has hung up. What it sends before that is put back.
    fn hung_up(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        while self.put_back.len() < MOST_READ_AHEAD {
            let mut bytes = [0; 256];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Pending => return None,
                Poll::Ready(Err(error)) => return Some(error),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                    return Some(io::Error::new(io::ErrorKind::ConnectionAborted, "the client has hung up"));
                }
                Poll::Ready(Ok(())) => self.put_back = [&self.put_back[..], buffer.filled()].concat().into(),
            }
        }
        None
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.put_back.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let count = self.put_back.len().min(buffer.remaining());
        buffer.put_slice(&self.put_back.split_to(count));
        if self.put_back.is_empty() {
            // An empty rest would keep the memory.
            self.put_back = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for PacedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.paced(cx, outcome, |&count| count)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ends_at_hang_up = |hints: &Hints| hints.0.ends_at_hang_up.load(Ordering::Relaxed);
        if self.hints.as_ref().is_some_and(ends_at_hang_up)
            && let Some(error) = self.hung_up(cx)
        {
            return Poll::Ready(Err(error));
        }
        let outcome = Pin::new(&mut self.io).poll_flush(cx);
        self.paced(cx, outcome, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_shutdown(cx);
        self.paced(cx, outcome, |()| 0)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.paced(cx, outcome, |&count| count)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::advance;

    use super::*;

    const LIMITS: PaceLimits = PaceLimits { pause: Duration::from_secs(10), total: Duration::from_mins(1) };

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_after_the_pause() {
        let (io, _peer) = duplex(10);
        let began = Instant::now();
        let error = PacedIo::new(io, LIMITS).write_all(&[0; 11]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn in_haste_a_peer_that_takes_nothing_is_given_up_sooner() {
        let (io, _peer) = duplex(10);
        let (began, hints) = (Instant::now(), Hints::default());
        let mut io = PacedIo::new(io, LIMITS).with_hints(hints.clone());
        let hurry = async {
            sleep(Duration::from_secs(3)).await;
            hints.limit_pause(Duration::from_secs(2));
        };
        let ((), written) = futures_util::future::join(hurry, io.write_all(&[0; 11])).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_a_byte_now_and_then_is_given_up_after_the_total() {
        let (io, mut peer) = duplex(10);
        let began = Instant::now();
        let trickle = async {
            loop {
                tokio::time::sleep(Duration::from_secs(9)).await;
                peer.read_u8().await.unwrap();
            }
        };
        let mut io = PacedIo::new(io, LIMITS);
        tokio::select! {
            written = io.write_all(&[0; 1000]) => {
                assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
            }
            () = trickle => unreachable!("it never ends"),
        }
        assert_eq!(began.elapsed().as_secs(), 60);
    }

    #[tokio::test]
    async fn what_was_put_back_is_read_first() {
        let (io, mut peer) = duplex(10);
        peer.write_all(b"third").await.unwrap();
        let mut io = PacedIo::new(io, LIMITS);
        io.put_back(Bytes::from_static(b"first, second, "));
        let (mut read, mut piece) = (Vec::new(), [0; 7]);
        while !read.ends_with(b"third") {
            let count = io.read(&mut piece).await.unwrap();
            read.extend_from_slice(&piece[..count]);
        }
        assert_eq!(read, b"first, second, third");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_peer_that_keeps_the_pace_gets_everything() {
        let (io, mut peer) = duplex(4096);
        let sent = vec![0; 4096 * 100];
        let reader = async {
            let (mut received, mut piece) = (0, [0; 4096]);
            while received < sent.len() {
                advance(Duration::from_millis(900)).await;
                received += peer.read(&mut piece).await.unwrap();
            }
        };
        let mut io = PacedIo::new(io, LIMITS);
        let (written, ()) = tokio::join!(io.write_all(&sent), reader);
        written.unwrap();
    }
}
