//! What a stream costs that does nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    client::opener,
    process::usage::Process,
    report::figure::{Figure, Outcome, float, micros_each},
    scenario::{
        Scenario,
        case::{Bench, Case},
        session::Session,
        window::{Window, bytes_each},
    },
};

const ADMISSION_CPU: [(&str, &str); 2] = [
    ("cpu_per_admission_us", "server CPU to admit a stream, µs"),
    ("load_cpu_per_admission_us", "load tester's CPU to open a stream, µs"),
];
const CONNECT_LATENCY: [(&str, &str); 5] = [
    ("connect_p50_ms", "connect p50, ms"),
    ("connect_p95_ms", "connect p95, ms"),
    ("connect_p99_ms", "connect p99, ms"),
    ("connect_p999_ms", "connect p99.9, ms"),
    ("connect_max_ms", "connect max, ms"),
];

/// Open N streams at a rate, then wait.
#[derive(Debug, Args)]
pub(crate) struct Idle {
    /// Streams, of one user unless `--users` says otherwise.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Users to make, with a client each; streams are theirs in turn.
    #[arg(long, default_value_t = 0)]
    users: u32,
    /// Handshakes that are under way at once, at most: above the usual number everybody comes back at once. A listener's
    /// backlog has often room for 4096.
    #[arg(long, default_value_t = opener::MAX_UNDER_WAY)]
    under_way: usize,
    /// Seconds to wait before the memory is read.
    #[arg(long, default_value_t = 10)]
    wait_s: u64,
}

impl Scenario for Idle {
    fn title(&self) -> String {
        let of = if self.users > 0 { format!(" of {} users", self.users) } else { String::new() };
        format!("idle: {} streams{of}, memory after {} s", self.streams, self.wait_s)
    }

    fn users(&self) -> u32 {
        self.users
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let streams = self.streams as u64;
        let process = case.process().context("the server's process is not known: give it with --pid")?;
        let mut session = Session::start(case, bench, 1)?;
        let (before, own_before) = (process.resident_bytes()?, Process::own().resident_bytes()?);
        let window = Window::open(Some(process), &session.reactor)?;
        session.open_at_once(self.streams, self.under_way)?;
        // What the server does behind the last 101 belongs to the admission too.
        session.rest(Duration::from_millis(200))?;
        let opening = window.close(&session.reactor)?;
        let window = Window::open(Some(process), &session.reactor)?;
        session.rest(Duration::from_secs(self.wait_s))?;
        let waiting = window.close(&session.reactor)?;
        let (after, own_after) = (process.resident_bytes()?, Process::own().resident_bytes()?);

        let mut outcome = Outcome::default();
        outcome.push(Figure::new(
            "bytes_per_stream",
            "server memory per stream, bytes",
            bytes_each(before, after, streams),
        ));
        outcome.push(Figure::new("resident_mib", "server memory, MiB", float(after) / 1_048_576.0));
        opening.push(&mut outcome, streams, ADMISSION_CPU);
        outcome.push(Figure::new(
            "idle_cpu_per_stream_us",
            "server CPU an idle stream and second, µs",
            micros_each(waiting.server.unwrap_or_default(), streams * self.wait_s.max(1)),
        ));
        outcome.push_latency(&session.reactor.admissions.latency, CONNECT_LATENCY);
        let own = bytes_each(own_before, own_after, streams);
        outcome.push(Figure::new("load_bytes_per_stream", "load tester's memory per stream, bytes", own));
        let gap = session.reactor.open_streams();
        outcome.push_fault("missing", "streams gone", streams - gap as u64);
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}
