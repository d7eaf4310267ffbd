//! Watching a server's memory while it is loaded.

use std::time::Duration;

use anyhow::Result;

use crate::{
    client::{Nanos, opener::nanos, reactor::Reactor},
    process::usage::Process,
    report::figure::{Figure, Outcome, float},
};

const PERIOD: Duration = Duration::from_millis(100);
const MIB: f64 = 1_048_576.0;

/// The memory at the start, and the most that was seen since.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    process: Option<Process>,
    start: u64,
    peak: u64,
    last: u64,
    next: Nanos,
}

impl MemoryWatch {
    pub(crate) fn start(process: Option<Process>) -> Result<Self> {
        let start = process.map_or(Ok(0), Process::resident_bytes_quick)?;
        Ok(Self { process, start, peak: start, last: start, next: 0 })
    }

    /// Looks, ten times per second at most.
    pub(crate) fn look(&mut self, reactor: &Reactor) -> Result<()> {
        let now = reactor.clock.now();
        if let Some(process) = self.process.filter(|_| now >= self.next) {
            self.next = now + nanos(PERIOD);
            self.last = process.resident_bytes_quick()?;
            self.peak = self.peak.max(self.last);
        }
        Ok(())
    }

    /// Adds by how much memory grew, at most and in the end.
    pub(crate) fn push(&self, outcome: &mut Outcome) {
        if self.process.is_some() {
            let grown = |bytes: u64| (float(bytes) - float(self.start)) / MIB;
            outcome.push(Figure::new(
                "memory_growth_mib",
                "server memory growth at most, MiB",
                grown(self.peak),
            ));
            outcome.push(Figure::new(
                "memory_growth_end_mib",
                "server memory growth in the end, MiB",
                grown(self.last),
            ));
        }
    }
}
