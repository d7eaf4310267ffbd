//! Threads that wait for many sockets at once: an idle stream then needs no task, and no record of the runtime's.
//!
//! Those two are more than half of what a stream on a task costs. Here a stream is a future in a table of its reactor,
//! which polls it when its socket has become ready, or when somebody has woken it. The record of its socket is its
//! waker too.
//!
//! What such a future needs of the runtime, timers for instance, is there: the threads are in the runtime's context.

use std::{
    fmt,
    future::Future,
    io, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
    thread,
};

use mio::{Poll, Registry, Token};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::EndReason;

mod record;
#[cfg(test)]
mod tests;
mod worker;

pub use record::KernelSocket;
pub(super) use record::Record;

/// The event that says that there is something in [`Work`].
const ALARM: Token = Token(usize::MAX);

/// So much room is kept for those that are woken.
const KEPT_ROOM: usize = 1024;

/// What runs until a stream has ended.
type Run = Pin<Box<dyn Future<Output = EndReason> + Send>>;

/// The reactors of a hub. Each is started when the first stream comes to it, and again if it has failed.
pub(super) struct Reactors {
    runtime: Handle,
    /// `None` once the hub is gone.
    places: Mutex<Option<Places>>,
    next: AtomicUsize,
}

/// Those that were started.
type Places = Box<[Option<Arc<Reactor>>]>;

impl Reactors {
    /// At most `count` reactors, which run what needs this runtime.
    pub(super) fn new(runtime: Handle, count: usize) -> Self {
        Self { runtime, places: Mutex::new(Some(vec![None; count].into())), next: AtomicUsize::new(0) }
    }

    /// Returns the reactor for the next stream.
    pub(super) fn next(&self) -> io::Result<Arc<Reactor>> {
        let mut places = self.places.lock();
        let places = places.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        let place = self.next.fetch_add(1, Ordering::Relaxed) % places.len();
        match &places[place] {
            Some(reactor) if reactor.is_running() => Ok(Arc::clone(reactor)),
            _ => Ok(Arc::clone(places[place].insert(Reactor::start(self.runtime.clone())?))),
        }
    }

    /// Ends all reactors, and what they run.
    pub(super) fn end(&self) {
        let places = self.places.lock().take();
        for reactor in places.iter().flatten().flatten() {
            reactor.end();
        }
    }
}

/// What others know of one thread.
pub(super) struct Reactor {
    registry: Registry,
    alarm: mio::Waker,
    work: Mutex<Work>,
}

/// What waits for the thread.
#[derive(Default)]
struct Work {
    /// Streams that have come: bounded as open connections are. The thread need not know of them before something
    /// happens on their sockets, so no alarm is raised.
    arrived: Vec<RunningStream>,
    /// Those that are to be polled, each at most once. Whoever puts in the first one raises the alarm.
    woken: Vec<Arc<Record>>,
    /// Places that are free in the thread's table, and how many there are in all.
    free: Vec<u32>,
    place_count: u32,
    /// It takes no more.
    has_ended: bool,
}

/// A stream that a reactor runs.
struct RunningStream {
    record: Arc<Record>,
    run: Run,
}

impl Reactor {
    fn start(runtime: Handle) -> io::Result<Arc<Self>> {
        let poll = Poll::new()?;
        let alarm = mio::Waker::new(poll.registry(), ALARM)?;
        let registry = poll.registry().try_clone()?;
        let reactor = Arc::new(Self { registry, alarm, work: Mutex::default() });
        let own = Arc::clone(&reactor);
        let body = move || worker::work(poll, own, &runtime);
        thread::Builder::new().name("streams".to_owned()).spawn(body)?;
        Ok(reactor)
    }

    /// Runs `run` until it ends; `record` must be that of the socket that it uses. A reactor that has ended drops it.
    ///
    /// It is polled here for the first time, so that a stream on which nothing happens takes nothing of the thread.
    pub(super) fn add(&self, record: &Arc<Record>, run: Run) {
        let Some(run) = poll_contained(run, &Arc::clone(record).into()) else { return };
        let arrival = RunningStream { record: Arc::clone(record), run };
        if let Err(error) = self.accept(arrival) {
            tracing::error!(%error, "failed to wait for the socket of a stream");
        } else if record.is_woken() {
            // The thread may have looked for it before it was there.
            self.raise_alarm();
        }
    }

    /// Gives the stream a place, and begins to wait for its socket. What is not accepted is dropped once the lock is
    /// released, because the end of a stream may wake others.
    fn accept(&self, arrival: RunningStream) -> io::Result<()> {
        let mut work = self.work.lock();
        if work.has_ended {
            return Ok(());
        }
        let place = work.free.last().copied().unwrap_or(work.place_count);
        // The thread takes the lock before it looks at an event.
        arrival.record.register(place)?;
        if work.free.pop().is_none() {
            work.place_count += 1;
        }
        work.arrived.push(arrival);
        Ok(())
    }

    fn wake(&self, record: Arc<Record>) {
        let mut work = self.work.lock();
        if work.has_ended {
            return;
        }
        let is_first = work.woken.is_empty();
        work.woken.push(record);
        drop(work);
        if is_first {
            self.raise_alarm();
        }
    }

    fn end(&self) {
        self.work.lock().has_ended = true;
        self.raise_alarm();
    }

    fn is_running(&self) -> bool {
        !self.work.lock().has_ended
    }

    fn raise_alarm(&self) {
        if let Err(error) = self.alarm.wake() {
            tracing::error!(%error, "failed to wake a thread that serves streams");
        }
    }

    /// Lets the next streams have these places.
    fn free(&self, places: &mut Vec<u32>) {
        if !places.is_empty() {
            self.work.lock().free.append(places);
        }
    }

    /// Takes what waits in exchange for the empty lists given; false once the reactor is to end.
    fn take(&self, arrived: &mut Vec<RunningStream>, woken: &mut Vec<Arc<Record>>) -> bool {
        woken.shrink_to(KEPT_ROOM);
        let mut work = self.work.lock();
        *arrived = mem::take(&mut work.arrived);
        mem::swap(woken, &mut work.woken);
        !work.has_ended
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

impl fmt::Debug for Reactors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactors").finish_non_exhaustive()
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").finish_non_exhaustive()
    }
}
