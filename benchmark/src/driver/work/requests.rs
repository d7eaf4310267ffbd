//! Requests over HTTP: any, or publishes whose deliveries are checked on streams.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;

use super::{Bench, next_run, tally};
use crate::{
    bus::message::Deliveries,
    client::{
        Nanos,
        account::Account,
        address::{Begun, Connector},
        message::Template,
        opener::{self, Opening, nanos},
        reactor::Manner,
        sender::Ack,
    },
    driver::{
        figures::{Figures, histogram},
        load::Work,
    },
    plan::target::Action,
};

/// How long no delivery may come before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// The requests of a load.
pub(super) struct Requests<'a> {
    /// Where messages are published, if that is what is done.
    publish: Option<(&'a Account, usize, Template)>,
    /// Streams that must get every message.
    streams: u64,
    begun: u64,
    /// Of those, how many were sent before what counts.
    uncounted: u64,
    /// Messages that counted and that the server took.
    accepted: u64,
    /// Whether the last request that was due found no idle connection.
    waits: bool,
    /// When the last delivery came, and how many had come then.
    delivered: (Nanos, u64),
}

impl<'a> Requests<'a> {
    pub(super) fn new(first: u64, account: Option<(&'a Account, &Action)>) -> Self {
        let publish = account.map(|(account, action)| {
            let size = match action {
                Action::Publish { size } | Action::Fanout { size, .. } => *size,
                Action::Connect { .. } | Action::Churn { .. } => 0,
            };
            (account, size, account.template(next_run(), size))
        });
        Self {
            publish,
            streams: 0,
            begun: first,
            uncounted: first,
            accepted: 0,
            waits: false,
            delivered: (0, 0),
        }
    }

    /// Opens the streams, from `begin` on.
    pub(super) fn open_streams(
        &mut self,
        bench: &mut Bench<'_>,
        address: SocketAddr,
        count: u64,
        rate: u32,
        begin: Nanos,
    ) -> Result<()> {
        while bench.reactor.clock.now() < begin {
            bench.turn(Some(begin))?;
        }
        let of = u32::try_from(bench.shared.share.of).unwrap_or(u32::MAX);
        let opening = Opening {
            count: usize::try_from(count)?,
            rate: (rate / of).max(1),
            manner: Manner::default(),
            receive_bytes: None,
            max_under_way: opener::MAX_UNDER_WAY,
            patience: PATIENCE,
            is_shown: false,
        };
        let mut connector = Connector::new(address, Begun::after(1 << 16));
        opener::open(&mut bench.reactor, &mut connector, opening)?;
        self.streams = count;
        if let Some((_, _, template)) = &self.publish {
            bench.reactor.begin_run(tally(template.run));
        }
        Ok(())
    }

    /// Sends all of it.
    pub(super) fn run(&mut self, bench: &mut Bench<'_>) -> Result<()> {
        self.delivered.0 = bench.reactor.clock.now();
        loop {
            self.take_answers(bench);
            let due = self.send_what_is_due(bench);
            let is_time = bench.is_time();
            if is_time {
                self.show_deliveries(bench, false);
            }
            let is_answered = bench.reactor.under_way() == 0 && bench.reactor.acks.is_empty();
            if is_answered && self.has_ended(bench)? && self.all_came(bench) {
                self.show_deliveries(bench, true);
                return Ok(());
            }
            let turned = bench.turn(due);
            if turned.is_err() {
                // What was counted so far is to be reported.
                self.take_answers(bench);
                self.show_deliveries(bench, true);
            }
            turned?;
        }
    }

    fn take_answers(&mut self, bench: &mut Bench<'_>) {
        if bench.reactor.acks.is_empty() {
            return;
        }
        let mut acks = std::mem::take(&mut bench.reactor.acks);
        let mut figures = bench.shared.figures.lock();
        for ack in acks.drain(..) {
            if bench.counts(ack.due) {
                let outcome = judge(bench, &ack);
                self.accepted += u64::from(outcome.is_ok());
                record(&mut figures, outcome, &ack);
                figures.ended = Duration::from_nanos(ack.at.saturating_sub(bench.started));
            }
        }
        drop(figures);
        bench.reactor.acks = acks;
    }

    /// Returns when the next request is due that could not be sent yet.
    fn send_what_is_due(&mut self, bench: &mut Bench<'_>) -> Option<Nanos> {
        if bench.is_too_late() {
            return None;
        }
        let mut due = bench.next_due(self.begun, bench.reactor.under_way());
        if due.is_none_or(|due| due > bench.reactor.clock.now()) {
            return due;
        }
        // Those that were due meanwhile have waited with it.
        let has_waited = std::mem::take(&mut self.waits);
        let shared = bench.shared;
        let mut figures = shared.figures.lock();
        while let Some(moment) = due {
            let now = bench.reactor.clock.now();
            if moment > now {
                return due;
            }
            if !bench.reactor.has_idle_sender() {
                // The next answer wakes this thread.
                self.waits = true;
                return None;
            }
            let counts = bench.counts(moment);
            if counts {
                figures.on_start(Duration::from_nanos(now - moment), has_waited);
            } else {
                self.uncounted = self.begun + 1;
            }
            self.send(bench, moment, counts);
            self.begun += 1;
            due = bench.next_due(self.begun, bench.reactor.under_way());
        }
        None
    }

    fn send(&mut self, bench: &mut Bench<'_>, due: Nanos, counts: bool) {
        match (&bench.shared.load.work, &mut self.publish) {
            (Work::Http(http), _) => bench.reactor.send(0, due, |request| {
                if request.is_empty() {
                    request.extend_from_slice(&http.request);
                }
            }),
            (Work::Server { .. }, Some((account, size, template))) => {
                if counts && self.begun == self.uncounted && self.begun > bench.shared.first {
                    // The messages of the warm-up are of another run, whose deliveries are not looked at.
                    *template = account.template(next_run(), *size);
                    bench.reactor.begin_run(tally(template.run));
                }
                let sequence = u32::try_from(self.begun.saturating_sub(self.uncounted)).unwrap_or(u32::MAX);
                bench.reactor.publish(template, sequence, due);
            }
            (Work::Server { .. }, None) => {}
        }
    }

    /// Returns whether no more is sent.
    fn has_ended(&self, bench: &Bench<'_>) -> Result<bool> {
        let given_up = bench.is_given_up(self.begun);
        if given_up.is_err() {
            self.show_deliveries(bench, true);
        }
        Ok(bench.is_over(self.begun) || given_up?)
    }

    /// Returns whether every delivery has come, or nothing has for long.
    fn all_came(&mut self, bench: &Bench<'_>) -> bool {
        let (now, received) = (bench.reactor.clock.now(), bench.reactor.tally.received);
        if received != self.delivered.1 {
            self.delivered = (now, received);
        }
        let since = self.delivered.0.max(bench.started);
        received >= self.accepted * self.streams || now.saturating_sub(since) > nanos(PATIENCE)
    }

    fn show_deliveries(&self, bench: &Bench<'_>, is_end: bool) {
        if self.streams == 0 {
            return;
        }
        let tally = &bench.reactor.tally;
        let expected = self.accepted * self.streams;
        let mut latency = histogram();
        for step in tally.latency.iter_recorded() {
            latency.saturating_record_n(step.value_iterated_to() / 1000, step.count_at_value());
        }
        let mut figures = bench.shared.figures.lock();
        figures.deliveries = Some((
            Deliveries {
                expected,
                received: tally.received,
                lost: if is_end { expected.saturating_sub(tally.received) } else { 0 },
                duplicated: tally.duplicated,
                out_of_order: tally.out_of_order,
                latency: String::new(),
            },
            latency,
        ));
        figures.streams.open = self.streams - tally.closed_streams().min(self.streams);
        figures.streams.closed = tally.closed_streams();
    }
}

fn record(figures: &mut Figures, outcome: Result<(), String>, ack: &Ack) {
    let from_due = Duration::from_nanos(ack.at.saturating_sub(ack.due));
    let from_sent = Duration::from_nanos(ack.at.saturating_sub(ack.sent));
    figures.on_end(outcome, from_due, from_sent);
}

/// Says why an answer is not the right one, if so.
fn judge(bench: &Bench<'_>, ack: &Ack) -> Result<(), String> {
    let status = ack.outcome.as_ref().map_err(ToString::to_string)?;
    let expect = match &bench.shared.load.work {
        Work::Http(http) => http.expect,
        Work::Server { .. } => Some(200),
    };
    let is_right = expect.map_or((200..300).contains(status), |right| right == *status);
    if is_right { Ok(()) } else { Err(format!("status {status}")) }
}
