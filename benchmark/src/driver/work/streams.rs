//! Streams that are opened when they are due, and held.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use anyhow::Result;

use super::{ANSWER, Bench};
use crate::client::{
    Nanos,
    address::{Begun, Connector},
    opener::nanos,
    reactor::{Admitted, Manner},
};

/// The streams of a load.
pub(super) struct Streams {
    connector: Connector,
    hold: Duration,
    /// Whether each leaves by itself; otherwise all stay until the end.
    leaves: bool,
    begun: u64,
    /// When those whose handshake is under way were due and begun.
    under_way: HashMap<usize, (Nanos, Nanos)>,
    /// Those that are open and leave, in the order of their time.
    leaving: VecDeque<(Nanos, usize)>,
    open: u64,
    /// Whether the last one that was due found too many handshakes under way.
    waits: bool,
    /// When the last one was opened.
    last: Nanos,
}

impl Streams {
    pub(super) fn new(address: SocketAddr, first: u64, hold: Duration, leaves: bool) -> Self {
        Self {
            connector: Connector::new(address, Begun::default()),
            hold,
            leaves,
            begun: first,
            under_way: HashMap::new(),
            leaving: VecDeque::new(),
            open: 0,
            waits: false,
            last: 0,
        }
    }

    /// Opens all of them, and holds them.
    pub(super) fn run(&mut self, bench: &mut Bench<'_>) -> Result<()> {
        bench.reactor.watch_admissions();
        loop {
            self.take_admitted(bench);
            let due = self.open_what_is_due(bench)?;
            let leave = self.leave_what_is_due(bench);
            if bench.is_time() {
                self.give_up(bench);
            }
            self.show(bench);
            if self.under_way.is_empty()
                && (bench.is_given_up(self.begun)? || bench.is_over(self.begun))
                && self.held_long_enough(bench)
            {
                return Ok(());
            }
            bench.turn(due.into_iter().chain(leave).min())?;
        }
    }

    fn held_long_enough(&self, bench: &Bench<'_>) -> bool {
        if self.leaves {
            return self.leaving.is_empty();
        }
        bench.reactor.clock.now() >= self.last + nanos(self.hold)
    }

    fn take_admitted(&mut self, bench: &mut Bench<'_>) {
        let admitted = std::mem::take(&mut bench.reactor.admitted);
        if admitted.is_empty() {
            return;
        }
        let now = bench.reactor.clock.now();
        for Admitted { at, refusal } in admitted {
            let is_open = refusal.is_none();
            if self.end(bench, at, refusal, now) && is_open {
                self.open += 1;
                self.last = now;
                if self.leaves {
                    self.leaving.push_back((now + nanos(self.hold), at));
                }
            }
        }
    }

    /// Counts the end of a handshake; returns whether it was one.
    fn end(&mut self, bench: &Bench<'_>, at: usize, refusal: Option<String>, now: Nanos) -> bool {
        let Some((due, begun)) = self.under_way.remove(&at) else { return false };
        if bench.counts(due) {
            let outcome = refusal.map_or(Ok(()), Err);
            let (from_due, from_begun) = (Duration::from_nanos(now - due), Duration::from_nanos(now - begun));
            let mut figures = bench.shared.figures.lock();
            figures.on_end(outcome, from_due, from_begun);
            figures.ended = Duration::from_nanos(now.saturating_sub(bench.started));
        }
        true
    }

    fn open_what_is_due(&mut self, bench: &mut Bench<'_>) -> Result<Option<Nanos>> {
        let most = bench.shared.load.concurrency as usize;
        if bench.is_too_late() {
            return Ok(None);
        }
        let has_waited = std::mem::take(&mut self.waits);
        loop {
            let Some(due) = bench.next_due(self.begun, 0) else { return Ok(None) };
            let now = bench.reactor.clock.now();
            if due > now {
                return Ok(Some(due));
            }
            if self.under_way.len() >= most {
                // The next admission wakes this thread.
                self.waits = true;
                return Ok(None);
            }
            self.begun += 1;
            let counts = bench.counts(due);
            if counts {
                bench.shared.figures.lock().on_start(Duration::from_nanos(now - due), has_waited);
            }
            match self.connector.connect(None) {
                Ok(socket) => {
                    let at = bench.reactor.adopt(socket, Manner::default())?;
                    self.under_way.insert(at, (due, now));
                }
                Err(error) if counts => {
                    let late = Duration::from_nanos(now - due);
                    bench.shared.figures.lock().on_end(Err(error.to_string()), late, Duration::ZERO);
                }
                Err(_) => {}
            }
        }
    }

    /// Returns when the next one leaves.
    fn leave_what_is_due(&mut self, bench: &mut Bench<'_>) -> Option<Nanos> {
        let now = bench.reactor.clock.now();
        while let Some((moment, at)) = self.leaving.front().copied() {
            if moment > now {
                return Some(moment);
            }
            self.leaving.pop_front();
            bench.reactor.leave(at);
            self.open -= 1;
        }
        None
    }

    fn give_up(&mut self, bench: &mut Bench<'_>) {
        let now = bench.reactor.clock.now();
        let is_late = |begun: Nanos| now.saturating_sub(begun) > nanos(ANSWER);
        let late: Vec<usize> =
            self.under_way.iter().filter(|(_, (_, begun))| is_late(*begun)).map(|(at, _)| *at).collect();
        for at in late {
            bench.reactor.leave(at);
            self.end(bench, at, Some("time-out".to_owned()), now);
        }
    }

    fn show(&self, bench: &Bench<'_>) {
        let closed = bench.reactor.tally.closed_streams();
        let mut figures = bench.shared.figures.lock();
        figures.streams.open = self.open.saturating_sub(if self.leaves { 0 } else { closed });
        figures.streams.closed = closed;
    }
}
