//! What waits for a socket besides messages, and how bytes get onto it.

use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};

use super::{Format, Frame, HubConfig, socket::Socket};

/// Frames that go out in one vectored write: all of a usual piece of the backlog.
pub(super) const WRITE_FRAMES: usize = HubConfig::CHUNK_MESSAGES;

/// What must go out before anything else may: the rest of a frame that the socket took in part, then answers.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    rest: Bytes,
    replies: Vec<u8>,
    replied: usize,
}

impl Outgoing {
    /// The rest of a half-written frame.
    pub(super) fn rest_of(rest: Bytes) -> Self {
        Self { rest, ..Self::default() }
    }

    pub(super) fn reply(&mut self, frame: &[u8]) {
        self.replies.extend_from_slice(frame);
    }

    pub(super) fn has_replied(&self) -> bool {
        self.replied == self.replies.len()
    }

    /// Writes until all is out (true) or the socket is full (false); tells `on_progress` when it took something.
    pub(super) fn flush(&mut self, socket: &dyn Socket, mut on_progress: impl FnMut()) -> io::Result<bool> {
        while !self.rest.is_empty() || self.replied < self.replies.len() {
            let parts = [IoSlice::new(&self.rest), IoSlice::new(&self.replies[self.replied..])];
            match socket.try_write_vectored(&parts) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    let of_rest = written.min(self.rest.len());
                    self.rest.advance(of_rest);
                    self.replied += written - of_rest;
                    on_progress();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Writes the first frames in one call; returns the bytes taken. Those that lack the format are passed over.
pub(super) fn write_frames(socket: &dyn Socket, frames: &[Frame], format: Format) -> io::Result<usize> {
    if let [frame] = frames
        && let Some(bytes) = frame.bytes(format)
    {
        return socket.try_write(bytes);
    }
    let mut parts = [IoSlice::new(&[]); WRITE_FRAMES];
    let count = frames.len().min(WRITE_FRAMES);
    for (part, frame) in parts.iter_mut().zip(frames) {
        *part = IoSlice::new(frame.slice(format));
    }
    if parts.iter().all(|part| part.is_empty()) {
        return Ok(0);
    }
    socket.try_write_vectored(&parts[..count])
}

/// Says how many frames were begun when a socket took `written` bytes of them, and what is left of the last one:
/// `None` if the socket took all, an empty rest if it stopped between two frames.
pub(super) fn settle(frames: &[Frame], format: Format, written: usize) -> (usize, Option<Bytes>) {
    let mut left = written;
    for (place, frame) in frames.iter().enumerate() {
        // What the stream does not get counts as begun once it is reached.
        let Some(bytes) = frame.bytes(format) else { continue };
        if left == 0 {
            return (place, Some(Bytes::new()));
        }
        if left < bytes.len() {
            return (place + 1, Some(bytes.slice(left..)));
        }
        left -= bytes.len();
    }
    (frames.len(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::MessageId;

    #[test]
    fn a_write_is_settled_frame_by_frame() {
        let frames = [b'1', b'2', b'3'].map(|digit| Frame::new(MessageId(digit.into()), vec![digit; 10]));
        let settle = |written| settle(&frames, Format::Text, written);
        assert_eq!(settle(30), (3, None));
        assert_eq!(settle(20), (2, Some(Bytes::new())));
        assert_eq!(settle(11), (2, Some(Bytes::from_static(b"222222222"))));
        assert_eq!(settle(0), (0, Some(Bytes::new())));
    }

    #[test]
    fn frames_without_bytes_are_passed_with_what_is_before_them() {
        let nothing = Frame::unencoded(MessageId(1));
        let frame = Frame::new(MessageId(2), vec![b'x'; 10]);
        let frames = [nothing.clone(), frame, nothing.clone(), nothing];
        let settle = |written| settle(&frames, Format::Text, written);
        assert_eq!(settle(0), (1, Some(Bytes::new())));
        assert_eq!(settle(4), (2, Some(Bytes::from_static(b"xxxxxx"))));
        assert_eq!(settle(10), (4, None));
    }
}
