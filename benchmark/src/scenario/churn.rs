//! Streams that come and go.

use std::{collections::VecDeque, time::Duration};

use anyhow::Result;
use clap::Args;

use crate::{
    client::{Nanos, opener::nanos, reactor::Manner},
    report::{
        figure::{Figure, Outcome, float},
        progress::Progress,
    },
    scenario::{
        Scenario,
        case::{Bench, Case},
        memory::MemoryWatch,
        session::Session,
        window::Window,
    },
};

const TICK: Duration = Duration::from_millis(2);
const CPU: [(&str, &str); 2] = [
    ("cpu_per_visit_us", "server CPU a coming and going, µs"),
    ("load_cpu_per_visit_us", "load tester's CPU a coming and going, µs"),
];
const CONNECT_LATENCY: [(&str, &str); 5] = [
    ("connect_p50_ms", "connect p50, ms"),
    ("connect_p95_ms", "connect p95, ms"),
    ("connect_p99_ms", "connect p99, ms"),
    ("connect_p999_ms", "connect p99.9, ms"),
    ("connect_max_ms", "connect max, ms"),
];

/// Streams connect, hold and leave at a rate.
#[derive(Debug, Args)]
pub(crate) struct Churn {
    /// Streams that come each second.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Milliseconds that each stays.
    #[arg(long, default_value_t = 1000)]
    hold_ms: u64,
    /// Seconds that it goes on.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

impl Scenario for Churn {
    fn title(&self) -> String {
        format!("churn: {} streams per second that stay {} ms, {} s", self.rate, self.hold_ms, self.seconds)
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let mut session = Session::start(case, bench, 0)?;
        let mut memory = MemoryWatch::start(case.process())?;
        let window = Window::open(case.process(), &session.reactor)?;
        let start = session.reactor.clock.now();
        let (end, hold) =
            (start + nanos(Duration::from_secs(self.seconds)), nanos(Duration::from_millis(self.hold_ms)));
        let mut guests: VecDeque<(Nanos, usize)> = VecDeque::new();
        let mut begun = 0_u64;
        let progress = Progress::new("streams came", u64::from(self.rate) * self.seconds);
        loop {
            let now = session.reactor.clock.now();
            let due = u128::from(now.min(end) - start) * u128::from(self.rate) / 1_000_000_000;
            while u128::from(begun) < due {
                let socket = session.connector.connect(None)?;
                guests.push_back((now + hold, session.reactor.adopt(socket, Manner::default())?));
                begun += 1;
            }
            while let Some(&(until, at)) = guests.front() {
                if until > now && session.reactor.has_stream(at) {
                    break;
                }
                guests.pop_front();
                session.reactor.leave(at);
            }
            if now >= end && guests.is_empty() {
                break;
            }
            progress.show(begun);
            memory.look(&session.reactor)?;
            session.reactor.turn(TICK)?;
        }
        let usage = window.close(&session.reactor)?;

        let mut outcome = Outcome::default();
        let admissions = &session.reactor.admissions;
        let seconds = usage.wall.as_secs_f64() - Duration::from_nanos(hold).as_secs_f64();
        outcome.push(Figure::new(
            "visits_per_s",
            "streams that came per second",
            float(admissions.opened) / seconds,
        ));
        outcome.push_latency(&admissions.latency, CONNECT_LATENCY);
        usage.push(&mut outcome, admissions.opened, CPU);
        memory.push(&mut outcome);
        outcome.push_fault("refused", "refused", admissions.failed);
        outcome.push_fault("late", "not admitted in time", begun - admissions.opened - admissions.failed);
        if let Some(error) = &admissions.last_error {
            outcome.notes.push(format!("the last refusal: {error:#}"));
        }
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}
