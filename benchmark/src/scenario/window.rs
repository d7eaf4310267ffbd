//! What server and load tester used while something was measured.

use std::time::Duration;

use anyhow::Result;

use crate::{
    client::{Nanos, reactor::Reactor},
    process::usage::Process,
    report::figure::{Figure, Outcome, float, micros_each},
};

/// Above this share of a core the load tester limits what it measures.
const BUSY_PERCENT: f64 = 90.0;

/// The counters when the window was opened.
#[derive(Debug)]
pub(crate) struct Window {
    servers: Vec<(Process, Duration)>,
    own: Duration,
    spun: Duration,
    opened: Nanos,
}

/// What was used while it was open.
#[derive(Debug)]
pub(crate) struct Usage {
    /// The servers' processor time, when they are on this machine.
    pub(crate) server: Option<Duration>,
    /// The load tester's own, without what it spent polling for nothing.
    pub(crate) own: Duration,
    pub(crate) wall: Duration,
}

impl Window {
    /// Looks at the processes of the server, or of all its nodes.
    pub(crate) fn open(processes: impl IntoIterator<Item = Process>, reactor: &Reactor) -> Result<Self> {
        let servers = processes.into_iter().map(|process| Ok((process, process.cpu()?)));
        Ok(Self {
            servers: servers.collect::<Result<_>>()?,
            own: Process::own().cpu()?,
            spun: reactor.spun,
            opened: reactor.clock.now(),
        })
    }

    pub(crate) fn close(&self, reactor: &Reactor) -> Result<Usage> {
        let wall = Duration::from_nanos(reactor.clock.now() - self.opened);
        let used = self.servers.iter().map(|(process, before)| Ok(process.cpu()?.saturating_sub(*before)));
        let server: Duration = used.sum::<Result<_>>()?;
        let own = Process::own().cpu()?.saturating_sub(self.own);
        Ok(Usage {
            server: (!self.servers.is_empty()).then_some(server),
            own: own.saturating_sub(reactor.spun.saturating_sub(self.spun)),
            wall,
        })
    }
}

impl Usage {
    /// Adds the processor time a piece of both sides under the given names, and whether this side was the limit.
    pub(crate) fn push(&self, outcome: &mut Outcome, pieces: u64, names: [(&'static str, &'static str); 2]) {
        let [(server_key, server_label), (own_key, own_label)] = names;
        match self.server {
            Some(server) => {
                outcome.push(Figure::new(server_key, server_label, micros_each(server, pieces)));
                outcome.push(Figure::new("server_cpu_percent", "server CPU, %", percent(server, self.wall)));
            }
            None => outcome.notes.push("the server's process is not known: no CPU figures".to_owned()),
        }
        outcome.push(Figure::new(own_key, own_label, micros_each(self.own, pieces)));
        let own = percent(self.own, self.wall);
        outcome.push(Figure::new("load_cpu_percent", "load tester's CPU, %", own));
        if own > BUSY_PERCENT {
            outcome.notes.push(format!("THE LOAD TESTER WAS THE BOTTLENECK: {own:.0} % of a core"));
        }
    }
}

fn percent(time: Duration, wall: Duration) -> f64 {
    100.0 * time.as_secs_f64() / wall.as_secs_f64().max(1e-9)
}

/// Returns a difference of memory in bytes a piece; negative when it shrank.
pub(crate) fn bytes_each(before: u64, after: u64, pieces: u64) -> f64 {
    (float(after) - float(before)) / float(pieces.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_load_tester_says_so() {
        let usage =
            |own| Usage { server: None, own: Duration::from_millis(own), wall: Duration::from_secs(1) };
        for (own, expected) in [(900, false), (910, true)] {
            let mut outcome = Outcome::default();
            usage(own).push(&mut outcome, 10, [("s", "s"), ("o", "o")]);
            assert_eq!(outcome.notes.iter().any(|note| note.contains("BOTTLENECK")), expected);
        }
    }

    #[test]
    fn memory_may_shrink() {
        assert!((bytes_each(100, 200, 10) - 10.0).abs() < 1e-9);
        assert!((bytes_each(200, 100, 10) + 10.0).abs() < 1e-9);
    }
}
