//! A stream's socket that is the body of an HTTP answer.
//!
//! An answer that is no upgrade can't take its connection back from the HTTP server. So the hub writes into a small
//! buffer, and the server takes what is in it as the next part of the body, whenever its own buffer has room. A client
//! that does not read fills the server's buffer, then this one; from then on the hub is told that the socket takes
//! nothing, and the stream is behind as on any other socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use parking_lot::Mutex;

use crate::hub::Socket;

/// Bytes that wait for the HTTP server, at most.
const WAITING_BYTES: usize = 16 * 1024;

/// The stream was cut off: the client is to see that its answer is not complete.
#[derive(Debug, thiserror::Error)]
#[error("the stream was cut off")]
pub(super) struct CutOff;

/// The hub's side.
pub(super) struct BodySocket(Arc<Mutex<Pipe>>);

/// The HTTP server's side. Dropped when the connection is lost.
pub(super) struct StreamBody(Arc<Mutex<Pipe>>);

#[derive(Default)]
struct Pipe {
    waiting: Vec<u8>,
    end: Option<End>,
    /// The stream's task, while it waits for room or for the client to hang up.
    task: Option<Waker>,
    /// The HTTP server, while it waits for the next part.
    server: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The stream has said all it had to say.
    Complete,
    /// The stream was dropped before it had.
    CutOff,
    /// The client has gone.
    Gone,
}

/// Makes the two sides of a body.
pub(super) fn pair() -> (BodySocket, StreamBody) {
    let pipe = Arc::new(Mutex::new(Pipe::default()));
    (BodySocket(Arc::clone(&pipe)), StreamBody(pipe))
}

impl Pipe {
    fn end(&mut self, end: End) -> [Option<Waker>; 2] {
        self.end.get_or_insert(end);
        [self.task.take(), self.server.take()]
    }
}

/// Wakes whom it may concern, with no lock held.
fn wake(wakers: impl IntoIterator<Item = Option<Waker>>) {
    wakers.into_iter().flatten().for_each(Waker::wake);
}

impl BodySocket {
    /// Waits for what `is_ready` says.
    fn poll(&self, cx: &Context<'_>, is_ready: impl FnOnce(&Pipe) -> bool) -> Poll<io::Result<()>> {
        let mut pipe = self.0.lock();
        if is_ready(&pipe) || pipe.end == Some(End::Gone) {
            return Poll::Ready(Ok(()));
        }
        if !pipe.task.as_ref().is_some_and(|task| task.will_wake(cx.waker())) {
            pipe.task = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Socket for BodySocket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut pipe = self.0.lock();
        if pipe.end.is_some() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let before = pipe.waiting.len();
        for part in parts {
            let room = WAITING_BYTES - pipe.waiting.len();
            pipe.waiting.extend_from_slice(&part[..part.len().min(room)]);
        }
        let taken = pipe.waiting.len() - before;
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let server = pipe.server.take();
        drop(pipe);
        wake([server]);
        Ok(taken)
    }

    /// The client has nothing to say: it is there, or has hung up.
    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        let has_gone = self.0.lock().end == Some(End::Gone);
        if has_gone { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn shutdown_write(&self) -> io::Result<()> {
        let wakers = self.0.lock().end(End::Complete);
        wake(wakers);
        Ok(())
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |pipe| pipe.waiting.len() < WAITING_BYTES)
    }

    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(cx, |_| false)
    }

    /// The HTTP server has it.
    fn is_connection(&self) -> bool {
        false
    }
}

impl Drop for BodySocket {
    fn drop(&mut self) {
        let wakers = self.0.lock().end(End::CutOff);
        wake(wakers);
    }
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let mut pipe = self.0.lock();
        if pipe.waiting.is_empty() {
            return match pipe.end {
                None => {
                    pipe.server = Some(cx.waker().clone());
                    Poll::Pending
                }
                Some(End::CutOff) => Poll::Ready(Some(Err(CutOff))),
                Some(End::Complete | End::Gone) => Poll::Ready(None),
            };
        }
        let part = Bytes::from(std::mem::take(&mut pipe.waiting));
        let task = pipe.task.take();
        drop(pipe);
        wake([task]);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        let wakers = self.0.lock().end(End::Gone);
        wake(wakers);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn is_pending(socket: &BodySocket) -> [bool; 2] {
        let cx = &mut Context::from_waker(Waker::noop());
        [socket.poll_write_ready(cx).is_pending(), socket.poll_read_ready(cx).is_pending()]
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_takes_no_more_than_its_buffer() {
        let (socket, mut body) = pair();
        let text: Vec<u8> = (0..40_000_u32).map(|at| (at % 251) as u8).collect();
        assert_eq!(socket.try_write(&text).unwrap(), WAITING_BYTES);
        assert_eq!(socket.try_write(b"more").unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(is_pending(&socket), [true, true]);

        let part = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(part, text[..WAITING_BYTES]);
        assert_eq!(is_pending(&socket), [false, true]);
        let parts = [IoSlice::new(b"two "), IoSlice::new(b"parts")];
        assert_eq!(socket.try_write_vectored(&parts).unwrap(), 9);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "two parts");
    }

    #[tokio::test]
    async fn a_body_ends_after_what_was_written() {
        let (socket, mut body) = pair();
        socket.try_write(b"bye").unwrap();
        socket.shutdown_write().unwrap();
        drop(socket);
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "bye");
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_body_whose_stream_is_dropped_ends_by_an_error() {
        let (socket, mut body) = pair();
        socket.try_write(b"half").unwrap();
        drop(socket);
        assert!(body.frame().await.unwrap().is_ok());
        assert!(body.frame().await.unwrap().is_err());
    }

    #[test]
    fn a_body_that_is_dropped_is_a_client_that_has_hung_up() {
        let (socket, body) = pair();
        assert_eq!(is_pending(&socket), [false, true]);
        drop(body);
        assert_eq!(is_pending(&socket), [false, false]);
        assert_eq!(socket.try_read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(socket.try_write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
