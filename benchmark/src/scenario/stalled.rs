//! A share of the streams never reads: what the others notice, and what becomes of the share.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    client::{opener::nanos, publisher::Publisher, schedule::Schedule},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        fanout::{DELIVERY_CPU, DELIVERY_LATENCY},
        memory::MemoryWatch,
        session::Session,
        window::Window,
    },
};

const SENDERS: usize = 4;
const WARM_UP: u32 = 2;
/// The least the kernel grants.
const RECEIVE_BYTES: usize = 2304;
/// How long a stream that the server has closed may take to show it once it is read again.
const READ_OUT: Duration = Duration::from_secs(3);

/// Some of N streams never read while messages are published; the server is also measured without them.
#[derive(Debug, Args)]
pub(crate) struct Stalled {
    /// Streams of one user, all together.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// How many of them never read.
    #[arg(long = "stalled", default_value_t = 1000)]
    stuck: usize,
    /// Messages published.
    #[arg(long, default_value_t = 60)]
    messages: u32,
    /// Milliseconds between them.
    #[arg(long, default_value_t = 500)]
    interval_ms: u64,
    /// Bytes of a message's text: a stalled stream shows only once it has filled the server's send buffer.
    #[arg(long, default_value_t = 4096)]
    size: usize,
    /// Seconds from the last delivery until it is counted which streams the server has closed.
    #[arg(long, default_value_t = 12)]
    linger_s: u64,
}

impl Scenario for Stalled {
    fn title(&self) -> String {
        let Self { streams, stuck, messages, interval_ms, size, .. } = self;
        format!(
            "stalled: {stuck} of {streams} streams never read, {messages} messages of {size} B, {interval_ms} ms apart"
        )
    }

    fn reference(&self) -> Option<String> {
        Some("without them".to_owned())
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        ensure!(self.stuck < self.streams, "some streams must read");
        let reading = self.streams - self.stuck;
        let stalled = if case.is_reference { 0 } else { self.stuck };
        let mut session = Session::start(case, bench, SENDERS)?;
        session.open(reading, false, None)?;
        session.warm_up(WARM_UP, self.size, reading as u64)?;
        session.open(stalled, true, Some(RECEIVE_BYTES))?;

        let template = session.begin_run(self.size);
        let mut memory = MemoryWatch::start(case.process())?;
        let window = Window::open(case.process(), &session.reactor)?;
        let start = session.reactor.clock.now();
        let spacing = Duration::from_millis(self.interval_ms);
        let schedule = Schedule::Spaced { requests: u64::from(self.messages), spacing };
        let mut publisher = Publisher::new(template, schedule, start);
        session.drive(&mut publisher, reading as u64, &mut |reactor| memory.look(reactor))?;
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        usage.push(&mut outcome, session.reactor.tally.received, DELIVERY_CPU);
        outcome.push_latency(&session.reactor.tally.latency, DELIVERY_LATENCY);
        let ack = float(publisher.latency.value_at_quantile(0.99)) / 1e6;
        outcome.push(Figure::new("publish_p99_ms", "publish p99, ms", ack));
        session.push_faults(&mut outcome, &publisher, false);
        session.push_closed(&mut outcome);
        if stalled > 0 {
            let until = session.reactor.clock.now() + nanos(Duration::from_secs(self.linger_s));
            while session.reactor.clock.now() < until {
                session.rest(Duration::from_millis(100))?;
                memory.look(&session.reactor)?;
            }
            let left = read_out(&mut session)?;
            let closed = (stalled - left) as u64;
            outcome.push(Figure::count("stalled_closed", "stalled streams closed", closed));
        }
        memory.push(&mut outcome);
        Ok(outcome)
    }
}

/// Reads what the stalled streams were sent, to find those the server has given up; returns how many it has not.
fn read_out(session: &mut Session<'_>) -> Result<usize> {
    let until = session.reactor.clock.now() + nanos(READ_OUT);
    loop {
        let open = session.reactor.read_held(usize::MAX);
        if open == 0 || session.reactor.clock.now() > until {
            return Ok(open);
        }
        session.rest(Duration::from_millis(50))?;
    }
}
