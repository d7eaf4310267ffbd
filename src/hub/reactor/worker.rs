//! The thread of a reactor: its table of streams, and when it polls them.

use std::{io, sync::Arc};

use mio::{Events, Poll, Token};
use tokio::runtime::Handle;

use super::{ALARM, Reactor, Record, RunningStream, poll_contained};

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
    arrived: Vec<RunningStream>,
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
        // An event may be the first that is heard of a stream.
        let goes_on = reactor.take(arrived, woken);
        for arrival in arrived.drain(..) {
            table.add(arrival);
        }
        for event in events.iter().filter(|event| event.token() != ALARM) {
            let Token(place) = event.token();
            if let Some(record) = table.record(place) {
                record.on_event(event);
                table.poll(place);
            }
        }
        for record in woken.drain(..) {
            let place = record.place() as usize;
            // The stream may have ended, and another one have its place.
            if table.record(place).is_some_and(|there| Arc::ptr_eq(there, &record)) {
                table.poll(place);
            }
        }
        reactor.free(&mut table.free);
        Ok(goes_on)
    }
}

/// All streams of a reactor. Their places are the tokens of their sockets.
#[derive(Default)]
struct Table {
    places: Vec<Option<RunningStream>>,
    /// Places that have become free in this turn. In the same turn others could be given to them whose streams are not
    /// meant by its events.
    free: Vec<u32>,
}

impl Table {
    fn record(&self, place: usize) -> Option<&Arc<Record>> {
        Some(&self.places.get(place)?.as_ref()?.record)
    }

    /// Takes in a stream, and polls it if it was woken before it was here.
    fn add(&mut self, arrival: RunningStream) {
        let (place, is_woken) = (arrival.record.place() as usize, arrival.record.is_woken());
        if place >= self.places.len() {
            self.places.resize_with(place + 1, || None);
        }
        self.places[place] = Some(arrival);
        if is_woken {
            self.poll(place);
        }
    }

    /// Polls a stream, and forgets it if it has ended.
    fn poll(&mut self, place: usize) {
        let Some(RunningStream { record, run }) = self.places[place].take() else { return };
        record.on_poll();
        if let Some(run) = poll_contained(run, &Arc::clone(&record).into()) {
            self.places[place] = Some(RunningStream { record, run });
            return;
        }
        if let Err(error) = record.deregister() {
            tracing::debug!(%error, "failed to end waiting for the socket of a stream");
        }
        self.free.push(record.place());
    }
}
