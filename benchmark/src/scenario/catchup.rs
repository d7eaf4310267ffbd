//! Streams that come back, each with the same messages to catch up on.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    client::{opener, publisher::Publisher, schedule::Schedule},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        memory::MemoryWatch,
        session::Session,
        window::Window,
    },
};

const SENDERS: usize = 4;
/// Names of the processor time per stream, admission included, server and own.
const STREAM_CPU: [(&str, &str); 2] = [
    ("cpu_per_stream_us", "server CPU per stream, µs"),
    ("load_cpu_per_stream_us", "load tester's CPU per stream, µs"),
];

/// Publish M messages, then open N streams that have none of them; the server is also measured with streams that have
/// them all.
#[derive(Debug, Args)]
pub(crate) struct Catchup {
    /// Streams of one user.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Messages that each of them lacks.
    #[arg(long, default_value_t = 100)]
    behind: u32,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Handshakes that are under way at once, at most.
    #[arg(long, default_value_t = opener::MAX_UNDER_WAY)]
    under_way: usize,
    /// Seconds to wait before the memory is read.
    #[arg(long, default_value_t = 5)]
    wait_s: u64,
}

impl Scenario for Catchup {
    fn title(&self) -> String {
        format!(
            "catchup: {} streams come back, {} messages of {} B behind",
            self.streams, self.behind, self.size
        )
    }

    fn reference(&self) -> Option<String> {
        Some("not behind".to_owned())
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let api = case.account.api().context("the baseline stores nothing that streams could catch up on")?;
        let mut session = Session::start(case, bench, SENDERS)?;
        let mut known = api.newest_message()?;
        let template = session.begin_run(self.size);
        let now = session.reactor.clock.now();
        let mut publisher = Publisher::new(template, Schedule::back_to_back(self.behind), now);
        session.drive(&mut publisher, 0, &mut |_| Ok(()))?;
        let streams = if case.is_reference { 0 } else { self.streams as u64 };
        if case.is_reference {
            known = api.newest_message()?;
        }
        session.reactor.set_handshakes(case.account.handshakes_since(known));

        let mut memory = MemoryWatch::start(case.process())?;
        let window = Window::open(case.process(), &session.reactor)?;
        let began = session.reactor.clock.now();
        session.open_watched(self.streams, self.under_way, &mut |reactor| memory.look(reactor))?;
        let admitted = session.reactor.clock.now();
        session.drive(&mut publisher, streams, &mut |reactor| memory.look(reactor))?;
        let usage = window.close(&session.reactor)?;
        let ended = session.reactor.tally.last_receipt.max(admitted);
        session.rest(Duration::from_secs(self.wait_s))?;
        memory.look(&session.reactor)?;

        let mut outcome = Outcome::default();
        let seconds = |until: u64| float(until - began) / 1e9;
        outcome.push(Figure::new("admitted_s", "until all streams are open, s", seconds(admitted)));
        outcome.push(Figure::new("caught_up_s", "until all have all messages, s", seconds(ended)));
        let deliveries = session.reactor.tally.received;
        outcome.push(Figure::count("deliveries", "deliveries", deliveries));
        usage.push(&mut outcome, self.streams as u64, STREAM_CPU);
        memory.push(&mut outcome);
        let expected = if case.is_reference { 0 } else { publisher.accepted() };
        outcome.push_fault(
            "unexpected",
            "unexpected",
            deliveries.saturating_sub(u64::from(expected) * streams),
        );
        session.push_faults_of(&mut outcome, &publisher, session.reactor.lost(expected, false));
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}
