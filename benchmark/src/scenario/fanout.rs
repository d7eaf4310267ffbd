//! One message to all streams, again and again, far enough apart that each is done before the next.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use clap::Args;

use crate::{
    client::{
        address::socket_address, opener::nanos, publisher::Publisher, schedule::Schedule, tally::Tally,
    },
    process::{listener, usage::Process},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        session::Session,
        window::Window,
    },
};

/// Enough that a slow answer does not delay the next publish.
const SENDERS: usize = 4;
const WARM_UP: u32 = 2;
const LEAD: Duration = Duration::from_millis(20);

/// One message to N streams, every X ms, M times.
#[derive(Debug, Args)]
pub(crate) struct Fanout {
    /// Streams of one user.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) streams: usize,
    /// Messages published.
    #[arg(long, default_value_t = 20)]
    pub(crate) messages: u32,
    /// Milliseconds between them.
    #[arg(long, default_value_t = 500)]
    pub(crate) interval_ms: u64,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 64)]
    pub(crate) size: usize,
    /// More nodes of the server's cluster: each gets as many streams, and is only read from.
    #[arg(long = "node", value_name = "ADDRESS", value_parser = socket_address)]
    pub(crate) nodes: Vec<SocketAddr>,
}

impl Scenario for Fanout {
    fn title(&self) -> String {
        let Self { streams, messages, interval_ms, size, nodes } = self;
        let nodes =
            if nodes.is_empty() { String::new() } else { format!(" at each of {} nodes", nodes.len() + 1) };
        format!("fanout: {messages} messages of {size} B to {streams} streams{nodes}, {interval_ms} ms apart")
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let streams = (self.streams * (1 + self.nodes.len())) as u64;
        let mut session = Session::start(case, bench, SENDERS)?;
        session.open(self.streams, false, None)?;
        for node in &self.nodes {
            session.open_elsewhere(self.streams, *node)?;
        }
        session.warm_up(WARM_UP, self.size, streams)?;

        let template = session.begin_run(self.size);
        let spacing = Duration::from_millis(self.interval_ms);
        let schedule = Schedule::Spaced { requests: u64::from(self.messages), spacing };
        let others = self.nodes.iter().filter_map(|node| listener::find(node.port()).map(Process));
        let window = Window::open(case.process().into_iter().chain(others), &session.reactor)?;
        let start = session.reactor.clock.now() + nanos(LEAD);
        let mut publisher = Publisher::new(template, schedule, start);
        session.drive(&mut publisher, streams, &mut |_| Ok(()))?;
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        let tally = &session.reactor.tally;
        usage.push(&mut outcome, tally.received, DELIVERY_CPU);
        outcome.push_latency(&tally.latency, DELIVERY_LATENCY);
        if !self.nodes.is_empty() {
            push_elsewhere(&mut outcome, tally);
        }
        let ack = float(publisher.latency.value_at_quantile(0.99)) / 1e6;
        outcome.push(Figure::new("publish_p99_ms", "publish p99, ms", ack));
        let connect = float(session.reactor.admissions.latency.value_at_quantile(0.99)) / 1e6;
        outcome.push(Figure::new("connect_p99_ms", "connect p99, ms", connect));
        outcome.push(Figure::count("deliveries", "deliveries", tally.received));
        let bytes = float(tally.bytes) / float(tally.received.max(1));
        outcome.push(Figure::new("bytes_per_delivery", "bytes per delivery, frame header included", bytes));
        session.push_faults(&mut outcome, &publisher, false);
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}

/// Adds how much later the streams at other nodes than the one that is published to get a message.
fn push_elsewhere(outcome: &mut Outcome, tally: &Tally) {
    let [here, elsewhere] =
        [&tally.latency, &tally.latency_elsewhere].map(|latency| float(latency.value_at_quantile(0.99)));
    outcome.push(Figure::new("p99_elsewhere_ms", "delivery p99 at the other nodes, ms", elsewhere / 1e6));
    let times = elsewhere / here.max(1.0);
    outcome.push(Figure::new(
        "p99_elsewhere_times",
        "delivery p99 at the other nodes, times that here",
        times,
    ));
}

/// Names of the processor time per delivery, server and own.
pub(crate) const DELIVERY_CPU: [(&str, &str); 2] = [
    ("cpu_per_delivery_us", "server CPU per delivery, µs"),
    ("load_cpu_per_delivery_us", "load tester's CPU per delivery, µs"),
];

/// Names of the percentiles of delivery.
pub(crate) const DELIVERY_LATENCY: [(&str, &str); 5] = [
    ("p50_ms", "delivery p50, ms"),
    ("p95_ms", "delivery p95, ms"),
    ("p99_ms", "delivery p99, ms"),
    ("p999_ms", "delivery p99.9, ms"),
    ("max_ms", "delivery max, ms"),
];
