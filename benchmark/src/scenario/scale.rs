//! As many streams as can be had, and what stops them.

use std::{str::FromStr, time::Duration};

use anyhow::{Result, ensure};
use clap::Args;

use crate::{
    client::publisher::{Limit, Pace, Publisher},
    process::{limits::OpenFiles, usage::Process},
    report::figure::{Figure, Outcome},
    scenario::{
        Scenario,
        fanout::{DELIVERY_CPU, DELIVERY_LATENCY},
        lane::{Bench, Lane},
        session::Session,
        window::{Window, bytes_each},
    },
};

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

    fn run(&self, lane: &Lane<'_>, bench: &Bench) -> Result<Outcome> {
        let Thousands(wanted) = self.streams;
        let process = lane.process();
        let resident = || process.map(Process::resident_bytes).transpose();
        let mut outcome = Outcome::default();
        let mut session = Session::start(lane, bench, SENDERS)?;
        let before = resident()?;
        let opened = session.open(wanted, false, None);
        bench.stop.check()?;
        if let Err(limit) = opened {
            outcome.notes.push(format!("stopped by: {limit:#}"));
            if let Some(process) = process {
                outcome.notes.push(what_stopped(process)?);
            }
        }
        session.rest(Duration::from_millis(200))?;
        let streams = session.reactor.open_streams();
        ensure!(streams > 0, "no stream was admitted: {}", outcome.notes.join("; "));
        outcome.push(Figure::count("streams", "streams open", streams as u64));
        outcome.push_fault("missing", "streams missing", (wanted - streams) as u64);
        if let (Some(before), Some(after)) = (before, resident()?) {
            let bytes = bytes_each(before, after, streams as u64);
            outcome.push(Figure::new("bytes_per_stream", "server memory a stream, bytes", bytes));
        }

        let template = session.begin_run(SIZE);
        let gap = GAP_PER_THOUSAND * u32::try_from(streams.div_ceil(1000))?;
        let window = Window::open(process, &session.reactor)?;
        let start = session.reactor.clock.now();
        let mut publisher = Publisher::new(template, Pace::Every(gap), Limit::Messages(MESSAGES), start);
        session.drive(&mut publisher, streams as u64, &mut |_| Ok(()))?;
        let usage = window.close(&session.reactor)?;
        usage.push(&mut outcome, session.reactor.tally.received, DELIVERY_CPU);
        outcome.push_latency(&session.reactor.tally.latency, DELIVERY_LATENCY);
        session.push_faults(&mut outcome, &publisher, false);
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
