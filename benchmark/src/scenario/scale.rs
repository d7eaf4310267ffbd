//! As many streams as can be had, and what stops them.

mod message;
mod part;
mod parts;

use std::{str::FromStr, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    client::{publisher::Publisher, schedule::Schedule},
    process::{
        limits::{self, OpenFiles},
        usage::Process,
    },
    report::figure::{Figure, Outcome},
    scenario::{
        Scenario,
        case::{Bench, Case},
        fanout::{DELIVERY_CPU, DELIVERY_LATENCY},
        session::Session,
        window::{Window, bytes_each},
    },
};

use parts::Parts;

pub(crate) use part::hold;

/// Open files left for publishers, pipes, `/proc` and results.
const SPARE_FILES: u64 = 64;
const SENDERS: usize = 4;
const MESSAGES: u32 = 5;
const SIZE: usize = 64;
/// Between messages, for every thousand streams: several times what a fan-out to them takes.
const GAP_PER_THOUSAND: Duration = Duration::from_millis(50);

/// Open 1k, 10k or 100k streams, or as many as the limits allow, and send a few messages to all of them.
#[derive(Debug, Args)]
pub(crate) struct Scale {
    /// How many: a number, or thousands as `10k`.
    streams: Thousands,
    /// Streams that one process holds; more are spread over several. Without it, what its open files allow.
    #[arg(long, alias = "streams-a-process", value_parser = clap::value_parser!(u32).range(1..))]
    streams_per_process: Option<u32>,
}

impl Scale {
    fn each(&self) -> Result<usize> {
        let possible = limits::open_files().saturating_sub(SPARE_FILES).max(1);
        Ok(self.streams_per_process.map_or_else(|| usize::try_from(possible), usize::try_from)?)
    }
}

/// A count that may be written in thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Thousands(usize);

impl FromStr for Thousands {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_suffix('k') {
            Some(thousands) => thousands.parse().map(|count: usize| Self(count.saturating_mul(1000))),
            None => text.parse().map(Self),
        }
    }
}

impl Scenario for Scale {
    fn title(&self) -> String {
        format!("scale: {} streams", self.streams.0)
    }

    fn run(&self, case: &Case<'_>, bench: &Bench) -> Result<Outcome> {
        let Thousands(wanted) = self.streams;
        let process = case.process();
        let resident = || process.map(Process::resident_bytes).transpose();
        let mut outcome = Outcome::default();
        let mut session = Session::start(case, bench, SENDERS)?;
        // A server gives a connection that has asked nothing less time than one that has: opening may take long.
        session.warm_up(2 * u32::try_from(SENDERS)?, SIZE, 0)?;
        let before = resident()?;
        let each = self.each()?;
        let template = session.begin_run(SIZE);
        let run = template.run;
        let mut parts = (wanted > each).then(|| Parts::start(case, bench, run, wanted, each)).transpose()?;
        let (streams, limit) = if let Some(parts) = &parts {
            parts.opened(&mut session)?
        } else {
            let opened = session.open(wanted, false, None);
            (session.reactor.open_streams(), opened.err().map(|limit| format!("{limit:#}")))
        };
        bench.stop.check()?;
        if let Some(limit) = limit {
            outcome.notes.push(format!("stopped by: {limit}"));
            if let Some(process) = process {
                outcome.notes.push(what_stopped(process)?);
            }
        }
        session.rest(Duration::from_millis(200))?;
        ensure!(streams > 0, "no stream was admitted: {}", outcome.notes.join("; "));
        outcome.push(Figure::count("streams", "streams open", streams as u64));
        outcome.push_fault("missing", "streams missing", (wanted - streams) as u64);
        if let (Some(before), Some(after)) = (before, resident()?) {
            let bytes = bytes_each(before, after, streams as u64);
            outcome.push(Figure::new("bytes_per_stream", "server memory per stream, bytes", bytes));
        }

        let gap = GAP_PER_THOUSAND * u32::try_from(streams.div_ceil(1000))?;
        let window = Window::open(process, &session.reactor)?;
        let start = session.reactor.clock.now();
        let schedule = Schedule::Spaced { requests: u64::from(MESSAGES), spacing: gap };
        let mut publisher = Publisher::new(template, schedule, start);
        let here = if parts.is_some() { 0 } else { streams as u64 };
        session.drive(&mut publisher, here, &mut |_| Ok(()))?;
        let mut usage = window.close(&session.reactor)?;
        let mut lost = session.reactor.lost(publisher.accepted(), false);
        if let Some(parts) = &mut parts {
            let (lost_there, cpu) = parts.count_deliveries(&mut session, publisher.accepted())?;
            lost += lost_there;
            usage = window.close(&session.reactor)?;
            usage.own += cpu;
            outcome.push(Figure::count("load_processes", "load processes", parts.count() as u64));
        }
        usage.push(&mut outcome, session.reactor.tally.received, DELIVERY_CPU);
        outcome.push_latency(&session.reactor.tally.latency, DELIVERY_LATENCY);
        session.push_faults_of(&mut outcome, &publisher, lost);
        session.push_closed(&mut outcome);
        Ok(outcome)
    }
}

/// Says what the server still had when no more streams could be opened.
fn what_stopped(server: Process) -> Result<String> {
    let files = OpenFiles::of(server)?;
    let OpenFiles { used, limit } = files;
    let mebibytes = server.resident_bytes()? >> 20;
    let verdict = if files.is_full() {
        "THE SERVER'S LIMIT OF OPEN FILES is what stopped it (it keeps some for other things than streams): raise \
         `ulimit -n` where it is started"
    } else {
        "its open files are not what stopped it"
    };
    Ok(format!(
        "the server has {used} of at most {limit} files open and {mebibytes} MiB of memory: {verdict}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_may_be_counted_in_thousands() {
        assert_eq!("10k".parse(), Ok(Thousands(10_000)));
        assert_eq!("250".parse(), Ok(Thousands(250)));
        assert!("k".parse::<Thousands>().is_err());
        assert!("1m".parse::<Thousands>().is_err());
    }
}
