//! One case under load: its streams, its publishers, and the loop that drives them.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Result, bail};

use crate::{
    client::{
        Nanos,
        address::Connector,
        message::Template,
        opener::{self, Opening, nanos},
        publisher::Publisher,
        reactor::{Manner, Reactor},
        schedule::Schedule,
        sender::{Endpoint, Sender},
        tally::Tally,
    },
    report::{
        figure::{Outcome, counts},
        progress::Progress,
    },
    scenario::case::{Bench, Case},
};

/// The longest the loop sleeps: how late Ctrl-C may be noticed.
const MAX_SLEEP: Duration = Duration::from_millis(50);
/// A timer is only as good as a millisecond: closer to the due time the loop polls without sleeping.
const SPIN: Duration = Duration::from_millis(2);

/// The load on one case.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) reactor: Reactor,
    pub(crate) connector: Connector,
    case: &'a Case<'a>,
    bench: &'a Bench,
    senders: usize,
}

impl<'a> Session<'a> {
    /// Makes `senders` publishers; there are no streams yet.
    pub(crate) fn start(case: &'a Case<'a>, bench: &'a Bench, senders: usize) -> Result<Self> {
        let tally = Tally::new(bench.next_run(), false, case.account.format());
        let mut reactor = Reactor::new(bench.clock, case.account.handshakes(), tally, bench.stop.clone())?;
        for _ in 0..senders {
            reactor.add_sender(Sender::new(Endpoint::publish(case.peer.address)));
        }
        Ok(Self {
            reactor,
            connector: Connector::new(case.peer.address, bench.begun.clone()),
            case,
            bench,
            senders,
        })
    }

    /// Opens `count` streams at the bench's rate.
    pub(crate) fn open(&mut self, count: usize, held: bool, receive_bytes: Option<usize>) -> Result<()> {
        let manner = Manner { held, ..Manner::default() };
        let opening = Opening { receive_bytes, ..self.opening(count, manner) };
        opener::open(&mut self.reactor, &mut self.connector, opening)
    }

    /// Opens `count` streams at the bench's rate, with so many handshakes at once.
    pub(crate) fn open_at_once(&mut self, count: usize, max_under_way: usize) -> Result<()> {
        let opening = Opening { max_under_way, ..self.opening(count, Manner::default()) };
        opener::open(&mut self.reactor, &mut self.connector, opening)
    }

    /// Does the same, and calls `tick` at every turn.
    pub(crate) fn open_watched(
        &mut self,
        count: usize,
        max_under_way: usize,
        tick: &mut dyn FnMut(&mut Reactor) -> Result<()>,
    ) -> Result<()> {
        let opening = Opening { max_under_way, ..self.opening(count, Manner::default()) };
        opener::open_watched(&mut self.reactor, &mut self.connector, opening, tick)
    }

    /// Opens `count` streams at another node of the same cluster.
    pub(crate) fn open_elsewhere(&mut self, count: usize, node: SocketAddr) -> Result<()> {
        let mut connector = Connector::new(node, self.bench.begun.clone());
        let opening = self.opening(count, Manner { elsewhere: true, ..Manner::default() });
        opener::open(&mut self.reactor, &mut connector, opening)
    }

    fn opening(&self, count: usize, manner: Manner) -> Opening {
        let Bench { connect_rate: rate, patience, .. } = *self.bench;
        let max_under_way = opener::MAX_UNDER_WAY;
        Opening { count, rate, manner, receive_bytes: None, max_under_way, patience, is_shown: true }
    }

    /// Forgets what came so far; returns the request of a new run.
    pub(crate) fn begin_run(&mut self, text_bytes: usize) -> Template {
        let run = self.bench.next_run();
        let judge_order = self.case.account.orders_by_id() || self.senders == 1;
        self.reactor.begin_run(Tally::new(run, judge_order, self.case.account.format()));
        self.case.account.template(run, text_bytes)
    }

    /// Publishes a few messages to all streams and waits for them, so that nothing is done for the first time while
    /// it is measured.
    pub(crate) fn warm_up(&mut self, messages: u32, text_bytes: usize, streams: u64) -> Result<()> {
        let template = self.begin_run(text_bytes);
        let now = self.reactor.clock.now();
        let mut publisher = Publisher::new(template, Schedule::back_to_back(messages), now);
        self.drive(&mut publisher, streams, &mut |_| Ok(()))?;
        self.rest(Duration::from_millis(200))
    }

    /// Publishes until the publisher is done and `streams` streams have every message, or nothing has come for as
    /// long as the bench's patience. Calls `tick` at every turn.
    pub(crate) fn drive(
        &mut self,
        publisher: &mut Publisher,
        streams: u64,
        tick: &mut dyn FnMut(&mut Reactor) -> Result<()>,
    ) -> Result<()> {
        let progress = Progress::new("deliveries", 0);
        let mut last = (0, self.reactor.clock.now());
        loop {
            publisher.pump(&mut self.reactor, |_| {})?;
            tick(&mut self.reactor)?;
            let now = self.reactor.clock.now();
            let received = self.reactor.tally.received;
            if publisher.is_done(now) && received >= u64::from(publisher.accepted()) * streams {
                return Ok(());
            }
            let count = received + u64::from(publisher.acknowledged());
            let next = publisher.next_due(now);
            let waits = next.is_some_and(|due| due > now);
            if count != last.0 || waits {
                last = (count, now);
            } else if now - last.1 > nanos(self.bench.patience) {
                if publisher.published() > publisher.acknowledged() {
                    bail!("no publish was answered for {:?}", self.bench.patience);
                }
                return Ok(());
            }
            progress.show(received.max(u64::from(publisher.acknowledged())));
            let idle = self.reactor.has_idle_sender();
            self.reactor.turn(sleep(next.filter(|_| idle), now))?;
        }
    }

    /// Serves streams for a while without publishing.
    pub(crate) fn rest(&mut self, length: Duration) -> Result<()> {
        let until = self.reactor.clock.now() + nanos(length);
        while let Some(left) = until.checked_sub(self.reactor.clock.now()).filter(|left| *left > 0) {
            self.reactor.turn(Duration::from_nanos(left).min(MAX_SLEEP))?;
        }
        Ok(())
    }

    /// Adds what must be zero: lost, duplicated and disordered deliveries, streams that were closed, refusals.
    pub(crate) fn push_faults(&self, outcome: &mut Outcome, publisher: &Publisher, held: bool) {
        self.push_faults_of(outcome, publisher, self.reactor.lost(publisher.accepted(), held));
    }

    /// Does the same when it is already known how many were lost.
    pub(crate) fn push_faults_of(&self, outcome: &mut Outcome, publisher: &Publisher, lost: u64) {
        let tally = &self.reactor.tally;
        outcome.push_fault("lost", "lost", lost);
        outcome.push_fault("duplicated", "duplicated", tally.duplicated);
        outcome.push_fault("out_of_order", "out of order", tally.out_of_order);
        if !publisher.refused.is_empty() {
            outcome.faults.push(format!("publishes answered: {}", counts(&publisher.refused)));
        }
        if tally.foreign > 0 {
            outcome.notes.push(format!("{} deliveries were not of this run", tally.foreign));
        }
        if self.reactor.reconnects > 0 {
            let count = self.reactor.reconnects;
            outcome.notes.push(format!("the server ended {count} idle connections of publishers"));
        }
        if let Some(violation) = &tally.violation {
            outcome.faults.push(format!("a stream broke: {violation}"));
        }
    }

    /// Adds how many streams the server closed, and with which codes.
    pub(crate) fn push_closed(&self, outcome: &mut Outcome) {
        let tally = &self.reactor.tally;
        outcome.push_fault("closed", "streams closed", tally.closed_streams());
        if !tally.closes.is_empty() {
            outcome.notes.push(format!("closed by code: {}", counts(&tally.closes)));
        }
    }
}

fn sleep(next: Option<Nanos>, now: Nanos) -> Duration {
    let Some(due) = next else { return MAX_SLEEP };
    match Duration::from_nanos(due.saturating_sub(now)).checked_sub(SPIN) {
        Some(sleep) => sleep.min(MAX_SLEEP),
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_wakes_before_a_publish_is_due_and_then_polls() {
        assert_eq!(sleep(None, 0), MAX_SLEEP);
        assert_eq!(sleep(Some(10_000_000), 0), Duration::from_millis(8));
        assert_eq!(sleep(Some(2_000_000), 0), Duration::ZERO);
        assert_eq!(sleep(Some(5), 10), Duration::ZERO);
        assert_eq!(sleep(Some(1_000_000_000), 0), MAX_SLEEP);
    }
}
