//! The thread of a reactor: its table of streams, and when it polls them.

use std::{
    io,
    os::fd::AsRawFd as _,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    task::{Context, Waker},
};

use mio::{Events, Interest, Poll, Registry, Token, unix::SourceFd};
use tokio::runtime::Handle;

use super::{ALARM, Arrival, Reactor, Record, Run};

/// Events that are asked for at a time.
const EVENTS: usize = 256;

/// Runs streams until the reactor is told to end, or can't go on. Streams that are left then are dropped.
pub(super) fn work(poll: Poll, reactor: Arc<Reactor>, runtime: &Handle) {
    let _context = runtime.enter();
    // Goes last: whatever comes while the streams are dropped is dropped too.
    let _end = End(Arc::clone(&reactor));
    let mut worker =
        Worker { poll, reactor, table: Table::default(), arrived: Vec::new(), woken: Vec::new() };
    let mut events = Events::with_capacity(EVENTS);
    loop {
        match worker.turn(&mut events) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, "failed to wait for sockets, ending the streams of this thread");
                return;
            }
        }
    }
}

/// Lets the reactor take nothing more.
struct End(Arc<Reactor>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
        let (mut arrived, mut woken) = (Vec::new(), Vec::new());
        self.0.take(&mut arrived, &mut woken);
    }
}

struct Worker {
    poll: Poll,
    reactor: Arc<Reactor>,
    table: Table,
    arrived: Vec<Arrival>,
    woken: Vec<Arc<Record>>,
}

impl Worker {
    /// Waits until there is something to do, and does it; false once it is to end.
    fn turn(&mut self, events: &mut Events) -> io::Result<bool> {
        let Self { poll, reactor, table, arrived, woken } = self;
        match poll.poll(events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let registry = poll.registry();
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let Token(place) = event.token();
            if let Some(record) = table.record(place) {
                record.on_event(event);
                table.poll(place, registry);
            }
        }
        let goes_on = reactor.take(arrived, woken);
        for arrival in arrived.drain(..) {
            table.add(arrival, registry);
        }
        for record in woken.drain(..) {
            let place = record.place.load(Ordering::Relaxed) as usize;
            // The stream may have ended, and another one have its place.
            if table.record(place).is_some_and(|there| Arc::ptr_eq(there, &record)) {
                table.poll(place, registry);
            }
        }
        Ok(goes_on)
    }
}

/// All streams of a reactor. Their places are the tokens of their sockets.
#[derive(Default)]
struct Table {
    places: Vec<Option<Arrival>>,
    free: Vec<u32>,
}

impl Table {
    fn record(&self, place: usize) -> Option<&Arc<Record>> {
        Some(&self.places.get(place)?.as_ref()?.record)
    }

    /// Begins to wait for the stream's socket, and polls it once, so that it says what it waits for. The first event
    /// says what the socket is ready for now.
    fn add(&mut self, arrival: Arrival, registry: &Registry) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("a process has fewer than 2^32 sockets")
        });
        let socket = arrival.record.as_raw_fd();
        arrival.record.place.store(place, Ordering::Relaxed);
        let (place, interest) = (place as usize, Interest::READABLE | Interest::WRITABLE);
        self.places[place] = Some(arrival);
        match registry.register(&mut SourceFd(&socket), Token(place), interest) {
            Ok(()) => self.poll(place, registry),
            Err(error) => {
                tracing::error!(%error, "failed to wait for the socket of a stream");
                self.remove(place);
            }
        }
    }

    fn remove(&mut self, place: usize) {
        self.places[place] = None;
        self.free.extend(u32::try_from(place));
    }

    /// Polls a stream, and forgets it if it has ended.
    fn poll(&mut self, place: usize, registry: &Registry) {
        let Some(Arrival { record, run }) = self.places[place].take() else { return };
        record.on_poll();
        if let Some(run) = poll_contained(run, &Arc::clone(&record).into()) {
            self.places[place] = Some(Arrival { record, run });
            return;
        }
        // Others may still hold the socket, whose events would then be taken for those of the next stream here.
        if let Err(error) = registry.deregister(&mut SourceFd(&record.as_raw_fd())) {
            tracing::debug!(%error, "failed to end waiting for the socket of a stream");
        }
        self.remove(place);
    }
}

/// Polls once; returns what is to be polled again. What panics ends as if it had ended, and is dropped while the panic
/// unwinds, by which a stream knows why it ends.
fn poll_contained(mut run: Run, waker: &Waker) -> Option<Run> {
    let polled = catch_unwind(AssertUnwindSafe(move || {
        run.as_mut().poll(&mut Context::from_waker(waker)).is_pending().then_some(run)
    }));
    polled.ok().flatten()
}
