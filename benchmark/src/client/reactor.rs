//! The one thread that serves all streams and publishers of a run.
//!
//! Everything shares one read buffer and one set of counters, so that a delivery costs this process one `read`, a
//! look for the mark in the payload and a few counters.

mod senders;

use std::{
    io::ErrorKind,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token, event::Event, unix::SourceFd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::{
    client::{
        Clock, Nanos,
        address::Connector,
        ledger::Ledger,
        opener::nanos,
        sender::{Ack, Seen, Sender},
        stream::{Phase, Step, Stream},
        tally::{self, Tally},
    },
    process::stop::Stop,
};

const SCRATCH_BYTES: usize = 256 << 10;
const EVENTS: usize = 1024;
const SENDER: usize = 1 << 40;
const TIMER: Token = Token(1 << 41);

/// What became of the connections that were begun.
#[derive(Debug)]
pub(crate) struct Admissions {
    pub(crate) opened: u64,
    pub(crate) failed: u64,
    pub(crate) under_way: usize,
    /// From the begin of a connection to the server's 101.
    pub(crate) latency: Histogram<u64>,
    pub(crate) last_error: Option<anyhow::Error>,
}

/// What became of one stream that was begun.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// Its place.
    pub(crate) at: usize,
    /// Why it is not open, if so.
    pub(crate) refusal: Option<String>,
}

/// Streams, publishers and the poll they hang on.
#[derive(Debug)]
pub(crate) struct Reactor {
    poll: Poll,
    events: Events,
    pub(crate) clock: Clock,
    scratch: Vec<u8>,
    handshakes: Vec<Vec<u8>>,
    streams: Vec<Slot>,
    free: Vec<usize>,
    senders: Vec<Sender>,
    idle_senders: Vec<usize>,
    /// Those whose request has failed: they are idle from the next turn on.
    failed_senders: Vec<usize>,
    /// Makes the sockets of senders.
    connector: Option<Connector>,
    /// How often a request was sent once more, because the server had left its connection.
    pub(crate) again: u64,
    /// The most requests that were under way at once.
    pub(crate) most_under_way: usize,
    /// How often the server ended a connection on which nothing was asked.
    pub(crate) reconnects: u64,
    /// What became of requests, which nobody has looked at yet.
    pub(crate) acks: Vec<Ack>,
    pub(crate) tally: Tally,
    pub(crate) admissions: Admissions,
    /// What became of streams that were begun, if somebody looks at it.
    pub(crate) admitted: Vec<Admitted>,
    watches: bool,
    timer: OwnedFd,
    stop: Stop,
    /// Time spent polling without a result because a publish was nearly due.
    pub(crate) spun: Duration,
}

/// How a stream is read and counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Whether it is read only when the scenario says so.
    pub(crate) held: bool,
    /// Whether it is at another node than the one that is published to.
    pub(crate) elsewhere: bool,
}

#[derive(Debug)]
struct Slot {
    stream: Option<Stream>,
    manner: Manner,
}

impl Reactor {
    /// Makes an idle reactor; `handshakes` are what streams send to be admitted, in turn.
    pub(crate) fn new(clock: Clock, handshakes: Vec<Vec<u8>>, tally: Tally, stop: Stop) -> Result<Self> {
        let poll = Poll::new().context("failed to create an epoll")?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).context("failed to create a timer")?;
        poll.registry().register(&mut SourceFd(&timer.as_raw_fd()), TIMER, Interest::READABLE)?;
        Ok(Self {
            poll,
            events: Events::with_capacity(EVENTS),
            clock,
            scratch: vec![0; SCRATCH_BYTES],
            handshakes,
            streams: Vec::new(),
            free: Vec::new(),
            senders: Vec::new(),
            idle_senders: Vec::new(),
            failed_senders: Vec::new(),
            connector: None,
            again: 0,
            most_under_way: 0,
            reconnects: 0,
            acks: Vec::new(),
            tally,
            admissions: Admissions {
                opened: 0,
                failed: 0,
                under_way: 0,
                latency: tally::histogram(),
                last_error: None,
            },
            admitted: Vec::new(),
            watches: false,
            timer,
            stop,
            spun: Duration::ZERO,
        })
    }

    /// Sends these from now on to be admitted.
    pub(crate) fn set_handshakes(&mut self, handshakes: Vec<Vec<u8>>) {
        self.handshakes = handshakes;
    }

    /// Notes from now on what becomes of each stream that is begun.
    pub(crate) fn watch_admissions(&mut self) {
        self.watches = true;
    }

    /// Serves what is ready, waiting for it until a moment, and at most for `longest`. Is late by less than a
    /// millisecond, which the timeout of a poll is not.
    ///
    /// # Errors
    /// When the user asked to stop.
    pub(crate) fn turn_until(&mut self, due: Option<Nanos>, longest: Duration) -> Result<()> {
        let now = self.clock.now();
        match due {
            Some(due) if due <= now => return self.turn(Duration::ZERO),
            Some(due) if due - now < nanos(longest) => {
                let due = self.clock.absolute(due);
                let time = Itimerspec {
                    it_interval: Timespec::default(),
                    it_value: Timespec {
                        tv_sec: i64::try_from(due / 1_000_000_000)?,
                        tv_nsec: i64::try_from(due % 1_000_000_000)?,
                    },
                };
                timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &time)?;
            }
            _ => {}
        }
        self.turn(longest)
    }

    /// Takes over a socket whose connection has begun; returns its place.
    pub(crate) fn adopt(&mut self, socket: mio::net::TcpStream, manner: Manner) -> Result<usize> {
        let mut stream = Stream::new(socket, self.clock.now());
        let at = self.free.pop().unwrap_or_else(|| {
            self.streams.push(Slot { stream: None, manner });
            self.streams.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(stream.socket(), Token(at), interest)?;
        self.streams[at] = Slot { stream: Some(stream), manner };
        self.admissions.under_way += 1;
        Ok(at)
    }

    /// Serves what is ready, waiting for it at most `timeout`.
    ///
    /// # Errors
    /// When the user asked to stop. What becomes of requests goes to `acks`.
    pub(crate) fn turn(&mut self, timeout: Duration) -> Result<()> {
        self.stop.check()?;
        self.idle_senders.append(&mut self.failed_senders);
        let before = self.clock.now();
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let polled = match self.poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            other => other.context("failed to poll"),
        };
        if timeout.is_zero() && events.is_empty() {
            self.spun += Duration::from_nanos(self.clock.now() - before);
        }
        for event in &events {
            let Token(token) = event.token();
            if event.token() == TIMER {
                continue;
            }
            if token & SENDER == 0 {
                self.serve_stream(token, event);
            } else {
                let seen = match () {
                    () if event.is_read_closed() || event.is_error() => Seen::End,
                    () if event.is_readable() => Seen::Bytes,
                    () => Seen::Nothing,
                };
                self.advance(token & !SENDER, seen);
            }
        }
        self.events = events;
        polled
    }

    fn serve_stream(&mut self, at: usize, event: &Event) {
        let Some(stream) = self.streams[at].stream.as_mut() else { return };
        let phase = stream.phase();
        if phase == Phase::Connecting {
            let request = self.handshakes.get(at % self.handshakes.len().max(1));
            let step = stream.on_writable(request.map_or(&[], Vec::as_slice));
            self.note(at, step);
        } else if event.is_readable() || event.is_read_closed() || event.is_error() {
            let ends = event.is_read_closed() || event.is_error();
            self.read(at, usize::MAX, ends);
        }
    }

    fn read(&mut self, at: usize, limit: usize, ends: bool) {
        let slot = &mut self.streams[at];
        let Some(stream) = slot.stream.as_mut() else { return };
        let was = stream.phase();
        self.tally.elsewhere = slot.manner.elsewhere;
        let step = stream.on_readable(&mut self.scratch, &mut self.tally, self.clock, limit, ends);
        if was == Phase::Upgrading && stream.phase() != was && !matches!(step, Step::Failed(_)) {
            self.admissions.under_way -= 1;
            self.admissions.opened += 1;
            self.admissions.latency.saturating_record(self.clock.now() - stream.began);
            if self.watches {
                self.admitted.push(Admitted { at, refusal: None });
            }
            if slot.manner.held {
                let _ = self.poll.registry().deregister(stream.socket());
            }
        }
        self.note(at, step);
    }

    fn note(&mut self, at: usize, step: Step) {
        let slot = &mut self.streams[at];
        let Some(stream) = slot.stream.as_mut() else { return };
        match step {
            Step::Same => {}
            // The stream stays for its ledger; its socket has nothing more to say.
            Step::Ended => {
                let _ = self.poll.registry().deregister(stream.socket());
            }
            Step::Failed(error) => {
                self.admissions.under_way -= 1;
                self.admissions.failed += 1;
                if self.watches {
                    self.admitted.push(Admitted { at, refusal: Some(format!("{error:#}")) });
                }
                self.admissions.last_error = Some(error);
                slot.stream = None;
                self.free.push(at);
            }
        }
    }

    /// Reads up to `limit` bytes from each held stream that is open; returns how many are.
    pub(crate) fn read_held(&mut self, limit: usize) -> usize {
        let mut open = 0;
        for at in 0..self.streams.len() {
            if self.streams[at].manner.held && self.is_open(at) {
                self.read(at, limit, true);
                open += usize::from(self.is_open(at));
            }
        }
        open
    }

    fn is_open(&self, at: usize) -> bool {
        self.streams[at].stream.as_ref().is_some_and(|stream| stream.phase() == Phase::Open)
    }

    /// Returns how many streams are open.
    pub(crate) fn open_streams(&self) -> usize {
        (0..self.streams.len()).filter(|&at| self.is_open(at)).count()
    }

    /// Returns whether a place is taken.
    pub(crate) fn has_stream(&self, at: usize) -> bool {
        self.streams[at].stream.is_some()
    }

    /// Says good-bye on one stream, if it is still there, and gives its place free.
    pub(crate) fn leave(&mut self, at: usize) {
        let Some(stream) = self.streams[at].stream.take() else { return };
        if matches!(stream.phase(), Phase::Connecting | Phase::Upgrading) {
            self.admissions.under_way -= 1;
        }
        stream.leave(self.clock.now());
        self.free.push(at);
    }

    /// Forgets what was received so far and starts counting for another run.
    pub(crate) fn begin_run(&mut self, tally: Tally) {
        self.tally = tally;
        for slot in &mut self.streams {
            if let Some(stream) = slot.stream.as_mut() {
                stream.ledger = Ledger::default();
            }
        }
    }

    /// Returns how many of `expected` messages the streams lack, counting those that are read without being told
    /// (`held` unset) or the held ones.
    pub(crate) fn lost(&self, expected: u32, held: bool) -> u64 {
        self.streams
            .iter()
            .filter(|slot| slot.manner.held == held)
            .filter_map(|slot| slot.stream.as_ref())
            .map(|stream| u64::from(expected.saturating_sub(stream.ledger.distinct())))
            .sum()
    }
}
