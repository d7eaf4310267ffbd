//! How fast and at what cost messages are taken.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    client::{publisher::Publisher, schedule::Schedule},
    report::figure::{Figure, Outcome, float},
    scenario::{
        Scenario,
        case::{Bench, Case},
        fanout::DELIVERY_LATENCY,
        session::Session,
        window::Window,
    },
};

const WARM_UP: u32 = 5;
const PUBLISH_CPU: [(&str, &str); 2] = [
    ("cpu_per_publish_us", "server CPU per publish, µs"),
    ("load_cpu_per_publish_us", "load tester's CPU per publish, µs"),
];
const PUBLISH_LATENCY: [(&str, &str); 5] = [
    ("publish_p50_ms", "publish p50, ms"),
    ("publish_p95_ms", "publish p95, ms"),
    ("publish_p99_ms", "publish p99, ms"),
    ("publish_p999_ms", "publish p99.9, ms"),
    ("publish_max_ms", "publish max, ms"),
];

/// Publish from S senders, back to back or at a rate, with or without streams.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Keep-alive connections that publish.
    #[arg(long, default_value_t = 64)]
    senders: usize,
    /// Seconds to publish for.
    #[arg(long, default_value_t = 5, conflicts_with = "messages")]
    seconds: u64,
    /// Messages to publish, instead of a time.
    #[arg(long)]
    messages: Option<u32>,
    /// Publishes per second, timed from the moment each was due; back to back without it.
    #[arg(long)]
    rate: Option<f64>,
    /// Streams of the user that listen meanwhile.
    #[arg(long, default_value_t = 0)]
    streams: usize,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Measure the first server also with so many senders, as a column of its own.
    #[arg(long, alias = "baseline-senders")]
    reference_senders: Option<usize>,
    /// Measure the first server also with so many streams, as a column of its own.
    #[arg(long, alias = "baseline-streams")]
    reference_streams: Option<usize>,
}

impl Publish {
    fn schedule(&self) -> Result<Schedule> {
        let over = self.messages.map_or(Duration::from_secs(self.seconds), |_| Duration::MAX);
        let requests = self.messages.map_or(u64::MAX, u64::from);
        let Some(rate) = self.rate else { return Ok(Schedule::BackToBack { requests, over }) };
        ensure!(rate > 0.0 && rate.is_finite(), "{rate} is not a rate");
        let spacing = Duration::from_secs_f64(1.0 / rate);
        let within = u64::try_from(over.as_nanos().div_ceil(spacing.as_nanos().max(1))).unwrap_or(u64::MAX);
        Ok(Schedule::Spaced { requests: requests.min(within), spacing })
    }

    fn variant(&self, is_reference: bool) -> (usize, usize) {
        if is_reference {
            (self.reference_senders.unwrap_or(self.senders), self.reference_streams.unwrap_or(self.streams))
        } else {
            (self.senders, self.streams)
        }
    }
}

impl Scenario for Publish {
    fn title(&self) -> String {
        let Self { senders, streams, size, .. } = self;
        let pace = self.rate.map_or("back to back".to_owned(), |rate| format!("{rate} per second"));
        format!("publish: messages of {size} B from {senders} senders, {pace}, {streams} streams")
    }

    fn reference(&self) -> Option<String> {
        let senders = self.reference_senders.map(|senders| format!("{senders} senders"));
        let streams = self.reference_streams.map(|streams| format!("{streams} streams"));
        let parts: Vec<String> = senders.into_iter().chain(streams).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let (senders, count) = self.variant(case.is_reference);
        let streams = count as u64;
        let schedule = self.schedule()?;
        let mut session = Session::start(case, bench, senders)?;
        session.open(count, false, None)?;
        session.warm_up(WARM_UP, self.size, streams)?;

        let template = session.begin_run(self.size);
        let window = Window::open(case.process(), &session.reactor)?;
        let start = session.reactor.clock.now();
        let mut publisher = Publisher::new(template, schedule, start);
        session.drive(&mut publisher, streams, &mut |_| Ok(()))?;
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        let elapsed = float(publisher.last_ack.saturating_sub(start).max(1)) / 1e9;
        let rate = f64::from(publisher.acknowledged()) / elapsed;
        outcome.push(Figure::new("publishes_per_s", "publishes per second", rate));
        outcome.push_latency(&publisher.latency, PUBLISH_LATENCY);
        usage.push(&mut outcome, u64::from(publisher.acknowledged()), PUBLISH_CPU);
        outcome.push(Figure::count("publishes", "publishes", u64::from(publisher.acknowledged())));
        if streams > 0 {
            outcome.push_latency(&session.reactor.tally.latency, DELIVERY_LATENCY);
            session.push_faults(&mut outcome, &publisher, false);
            session.push_closed(&mut outcome);
        } else if !publisher.refused.is_empty() {
            outcome.faults.push(format!("answers: {}", crate::report::figure::counts(&publisher.refused)));
        }
        Ok(outcome)
    }
}
