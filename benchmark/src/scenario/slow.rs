//! Streams that read, but slowly, while messages are published faster than they take them.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::{
    client::{Nanos, publisher::Publisher, reactor::Reactor, schedule::Schedule},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        memory::MemoryWatch,
        session::Session,
        window::Window,
    },
};

const TICK: Duration = Duration::from_millis(10);
/// Small enough that what a stream has not read stays the server's business.
const RECEIVE_BYTES: usize = 32 << 10;
const CPU: [(&str, &str); 2] = [
    ("cpu_per_delivery_us", "server CPU per delivery, µs"),
    ("load_cpu_per_delivery_us", "load tester's CPU per delivery, µs"),
];

/// M messages back to back to N streams that read at B bytes per second each.
#[derive(Debug, Args)]
pub(crate) struct Slow {
    /// Streams of one user.
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// Bytes per second that each of them reads.
    #[arg(long, default_value_t = 1_000_000)]
    bytes_per_s: u64,
    /// Messages published.
    #[arg(long, default_value_t = 2000)]
    messages: u32,
    /// Keep-alive connections that publish.
    #[arg(long, default_value_t = 1)]
    senders: usize,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 4096)]
    size: usize,
}

impl Scenario for Slow {
    fn title(&self) -> String {
        let Self { streams, bytes_per_s, messages, size, .. } = self;
        format!(
            "slow: {messages} messages of {size} B to {streams} streams that read {bytes_per_s} B per second each"
        )
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let streams = self.streams as u64;
        let mut session = Session::start(case, bench, self.senders)?;
        session.open(self.streams, true, Some(RECEIVE_BYTES))?;
        let template = session.begin_run(self.size);
        let mut memory = MemoryWatch::start(case.process())?;
        let window = Window::open(case.process(), &session.reactor)?;
        let start = session.reactor.clock.now();
        let mut allowance = Allowance::new(self.bytes_per_s, start);
        let mut publisher = Publisher::new(template, Schedule::back_to_back(self.messages), start);
        session.drive(&mut publisher, streams, &mut |reactor| {
            memory.look(reactor)?;
            allowance.spend(reactor);
            Ok(())
        })?;
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        let tally = &session.reactor.tally;
        let publishing = float(publisher.last_ack.saturating_sub(start)) / 1e9;
        let delivering = float(tally.last_receipt.saturating_sub(start)) / 1e9;
        outcome.push(Figure::new("publishing_s", "publishing, s", publishing));
        outcome.push(Figure::new("delivering_s", "until the last delivery, s", delivering));
        outcome.push(Figure::count("deliveries", "deliveries", tally.received));
        usage.push(&mut outcome, tally.received, CPU);
        memory.push(&mut outcome);
        session.push_faults(&mut outcome, &publisher, true);
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}

/// How much each stream may read by now. What a stream does not use lapses.
#[derive(Debug)]
struct Allowance {
    bytes_per_s: u64,
    spent_until: Nanos,
}

impl Allowance {
    fn new(bytes_per_s: u64, now: Nanos) -> Self {
        Self { bytes_per_s, spent_until: now }
    }

    /// Returns what each stream may read since the last time, once a tick has passed.
    fn due(&mut self, now: Nanos) -> Option<usize> {
        let passed = Duration::from_nanos(now - self.spent_until);
        if passed < TICK {
            return None;
        }
        self.spent_until = now;
        let bytes = u128::from(self.bytes_per_s) * passed.as_nanos() / 1_000_000_000;
        usize::try_from(bytes).ok()
    }

    fn spend(&mut self, reactor: &mut Reactor) {
        if let Some(bytes) = self.due(reactor.clock.now()) {
            reactor.read_held(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_may_read_its_rate_whatever_the_ticks() {
        let mut allowance = Allowance::new(1_000_000, 0);
        assert_eq!(allowance.due(9_000_000), None);
        assert_eq!(allowance.due(10_000_000), Some(10_000));
        assert_eq!(allowance.due(15_000_000), None);
        assert_eq!(allowance.due(110_000_000), Some(100_000));
    }
}
