//! A socket with as much room as the test gives it, and a backlog in memory.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;

use crate::hub::{
    Backlog, BacklogError, BacklogFuture, BacklogPage, Format, Frame, MessageId, Socket, UserId,
};

/// Bytes of a frame before its padding: its id.
const ID_BYTES: usize = 8;

/// A frame that says its id and its length, so that a torn one is noticed.
pub(crate) fn frame(id: u64, padding: u8) -> Frame {
    let mut bytes = vec![b'['];
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.push(padding);
    bytes.extend(std::iter::repeat_n(b'.', padding.into()));
    bytes.push(b']');
    Frame::new(MessageId(id), bytes)
}

/// Tells a peer that it has missed events.
pub(crate) const MISSED: u64 = u64::MAX;

/// What goes to the socket for an event with this number.
pub(crate) fn event_bytes(number: u64) -> Vec<u8> {
    [b"{", &number.to_be_bytes()[..], b"}"].concat()
}

/// The other end of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeSocket(Arc<Mutex<Fake>>);

#[derive(Debug, Default)]
struct Fake {
    room: usize,
    written: Vec<u8>,
    writes: usize,
    is_shut: bool,
    is_broken: bool,
    waker: Option<Waker>,
}

/// What a peer has seen.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) ids: Vec<u64>,
    /// Events by number, [`MISSED`] among them, each after how many messages.
    pub(crate) events: Vec<(usize, u64)>,
    pub(crate) pings: usize,
    pub(crate) close_code: Option<u16>,
}

impl FakeSocket {
    pub(crate) fn with_room(room: usize) -> Self {
        let socket = Self::default();
        socket.add_room(room);
        socket
    }

    pub(crate) fn add_room(&self, bytes: usize) {
        let mut fake = self.0.lock();
        fake.room = fake.room.saturating_add(bytes);
        let waker = fake.waker.take();
        drop(fake);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes nothing more until there is room again.
    pub(crate) fn take_room(&self) {
        self.0.lock().room = 0;
    }

    /// From now on each write panics.
    pub(crate) fn break_down(&self) {
        self.0.lock().is_broken = true;
    }

    /// All that it has taken.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.0.lock().written.clone()
    }

    /// How many bytes it has taken.
    pub(crate) fn taken_bytes(&self) -> usize {
        self.0.lock().written.len()
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.lock().writes
    }

    /// Answers whether the peer was told that nothing more comes.
    pub(crate) fn is_shut(&self) -> bool {
        self.0.lock().is_shut
    }

    /// Takes apart what was written. A frame that is not complete counts only as its beginning.
    pub(crate) fn seen(&self) -> Seen {
        let fake = self.0.lock();
        let mut seen = Seen::default();
        let mut rest = &fake.written[..];
        while let Some(&first) = rest.first() {
            assert_eq!(seen.close_code, None, "something follows the close frame");
            let length = match first {
                b'[' if rest.len() > ID_BYTES + 1 => ID_BYTES + 3 + usize::from(rest[ID_BYTES + 1]),
                b'{' if rest.len() > ID_BYTES => ID_BYTES + 2,
                0x88 | 0x89 if rest.len() > 1 => 2 + usize::from(rest[1]),
                b'[' | b'{' | 0x88 | 0x89 => break,
                other => panic!("a frame begins with {other:#x}"),
            };
            if rest.len() < length {
                break;
            }
            let (frame, after) = rest.split_at(length);
            match first {
                b'[' => {
                    assert_eq!(frame[length - 1], b']');
                    seen.ids.push(u64::from_be_bytes(frame[1..=ID_BYTES].try_into().unwrap()));
                }
                b'{' => {
                    assert_eq!(frame[length - 1], b'}');
                    let number = u64::from_be_bytes(frame[1..=ID_BYTES].try_into().unwrap());
                    seen.events.push((seen.ids.len(), number));
                }
                0x88 => seen.close_code = Some(u16::from_be_bytes([frame[2], frame[3]])),
                _ => seen.pings += 1,
            }
            rest = after;
        }
        seen
    }
}

impl Socket for FakeSocket {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.try_write_vectored(&[IoSlice::new(bytes)])
    }

    fn try_write_vectored(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut fake = self.0.lock();
        assert!(!fake.is_broken, "the socket panics");
        if fake.room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        assert!(!fake.is_shut, "something is written after the end");
        fake.writes += 1;
        let mut taken = 0;
        for part in parts {
            let count = part.len().min(fake.room);
            fake.written.extend_from_slice(&part[..count]);
            fake.room -= count;
            taken += count;
        }
        Ok(taken)
    }

    fn try_read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn shutdown_write(&self) -> io::Result<()> {
        self.0.lock().is_shut = true;
        Ok(())
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut fake = self.0.lock();
        if fake.room > 0 {
            return Poll::Ready(Ok(()));
        }
        fake.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

/// All messages ever published, readable by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeBacklog(Arc<Mutex<Vec<(UserId, Frame)>>>, Arc<Mutex<Mood>>, Arc<AtomicUsize>);

/// How a backlog takes to being read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Mood {
    /// It answers.
    #[default]
    Well,
    /// It answers once it is well.
    Hanging,
    /// It answers that it can't.
    Failing,
    /// It panics.
    Panicking,
}

impl FakeBacklog {
    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.1.lock() = mood;
    }

    /// How often it was read.
    pub(crate) fn reads(&self) -> usize {
        self.2.load(Ordering::Relaxed)
    }

    pub(crate) fn store(&self, user: UserId, frame: Frame) {
        self.0.lock().push((user, frame));
    }

    pub(crate) fn ids(&self, user: UserId) -> Vec<u64> {
        self.0.lock().iter().filter(|(owner, _)| *owner == user).map(|(_, frame)| frame.id.0).collect()
    }
}

impl Backlog for FakeBacklog {
    fn read(
        &self,
        user: UserId,
        after: MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_> {
        self.2.fetch_add(1, Ordering::Relaxed);
        let mut page = BacklogPage { complete: true, ..BacklogPage::default() };
        let mut bytes = 0;
        for (owner, frame) in self.0.lock().iter().filter(|(owner, frame)| *owner == user && frame.id > after)
        {
            assert_eq!(*owner, user);
            if page.frames.len() == limit || bytes >= max_bytes {
                page.complete = false;
                break;
            }
            let encoded = frame.bytes(format).cloned().unwrap();
            bytes += encoded.len();
            page.frames.push(
                Frame::unencoded(frame.id)
                    .with_subject(frame.application, frame.priority)
                    .with(format, encoded),
            );
        }
        // A little later than it was read, as from a real database.
        Box::pin(async move {
            tokio::task::yield_now().await;
            loop {
                let mood = *self.1.lock();
                match mood {
                    Mood::Well => return Ok(page),
                    Mood::Hanging => tokio::time::sleep(Duration::from_millis(10)).await,
                    Mood::Failing => return Err(BacklogError("it is away".into())),
                    Mood::Panicking => panic!("the backlog panics"),
                }
            }
        })
    }
}
