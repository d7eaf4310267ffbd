//! Many publishes back to back, to many streams of one user.

use anyhow::Result;
use clap::Args;

use crate::{
    client::{publisher::Publisher, schedule::Schedule},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        fanout::{DELIVERY_CPU, DELIVERY_LATENCY},
        session::Session,
        window::Window,
    },
};

const WARM_UP: u32 = 2;

/// M publishes back to back from S senders to N streams.
#[derive(Debug, Args)]
pub(crate) struct Burst {
    /// Streams of one user.
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// Messages published by all senders together.
    #[arg(long, default_value_t = 2000)]
    messages: u32,
    /// Keep-alive connections that publish, each one message after the other.
    #[arg(long, default_value_t = 16)]
    senders: usize,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 64)]
    size: usize,
}

impl Scenario for Burst {
    fn title(&self) -> String {
        let Self { streams, messages, senders, size } = self;
        format!("burst: {messages} messages of {size} B from {senders} senders to {streams} streams")
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let streams = self.streams as u64;
        let mut session = Session::start(case, bench, self.senders)?;
        session.open(self.streams, false, None)?;
        session.warm_up(WARM_UP, self.size, streams)?;

        let template = session.begin_run(self.size);
        let window = Window::open(case.process(), &session.reactor)?;
        let start = session.reactor.clock.now();
        let mut publisher = Publisher::new(template, Schedule::back_to_back(self.messages), start);
        session.drive(&mut publisher, streams, &mut |_| Ok(()))?;
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        let tally = &session.reactor.tally;
        let delivering = float(tally.last_receipt.saturating_sub(start).max(1)) / 1e9;
        let publishing = float(publisher.last_ack.saturating_sub(start).max(1)) / 1e9;
        outcome.push(Figure::new(
            "deliveries_per_s",
            "deliveries per second",
            float(tally.received) / delivering,
        ));
        let acknowledged = f64::from(publisher.acknowledged());
        outcome.push(Figure::new("publishes_per_s", "publishes per second", acknowledged / publishing));
        outcome.push(Figure::count("deliveries", "deliveries", tally.received));
        usage.push(&mut outcome, tally.received, DELIVERY_CPU);
        outcome.push_latency(&tally.latency, DELIVERY_LATENCY);
        let ack = float(publisher.latency.value_at_quantile(0.99)) / 1e6;
        outcome.push(Figure::new("publish_p99_ms", "publish p99, ms", ack));
        session.push_faults(&mut outcome, &publisher, false);
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}
