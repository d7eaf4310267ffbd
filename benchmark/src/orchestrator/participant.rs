//! One driver's part in a running test.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::{
    drivers::Drivers,
    report::{DriverReport, Figures},
    statistics::{Recorded, Statistics},
};
use crate::{
    bus::message::{Latencies, Measured, Metrics},
    driver::figures::histogram,
};

/// A driver of another program that was silent for so long after its reports is done.
const SILENCE: Duration = Duration::from_secs(15);
/// A driver that is there and does not run the test is given up after this time.
const IDLE: Duration = Duration::from_secs(30);
/// Restarts of one driver whose figures are kept in a test.
const PROCESSES_MAX: usize = 16;

/// The latencies of several drivers, in microseconds.
#[derive(Debug)]
pub(super) struct Latest {
    pub(super) from_due: Histogram<u64>,
    pub(super) from_sent: Histogram<u64>,
    pub(super) deliveries: Histogram<u64>,
}

impl Default for Latest {
    fn default() -> Self {
        Self { from_due: histogram(), from_sent: histogram(), deliveries: histogram() }
    }
}

/// One driver's part in a running test.
#[derive(Debug)]
pub(super) struct Participant {
    is_foreign: bool,
    /// The process that was there when the test began.
    incarnation: Option<String>,
    processes: BTreeMap<String, Process>,
    told: Latencies,
    told_requests: u64,
    reports: u64,
    began: Instant,
    /// When the last report came.
    reported: Option<Instant>,
    pub(super) state: State,
}

/// How far a driver is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// Not heard, for less time than it takes to give it up.
    Missing,
    Done,
    /// It has stopped by itself before its work was done.
    Stopped(String),
    /// Given up, unless it reports again.
    Lost(String),
}

/// What one process of a driver has measured.
#[derive(Debug)]
struct Process {
    measured: Measured,
    from_due: Recorded,
    from_sent: Recorded,
    deliveries: Recorded,
    replaced: u64,
}

impl Participant {
    pub(super) fn new(is_foreign: bool, incarnation: Option<String>) -> Self {
        Self {
            is_foreign,
            incarnation,
            processes: BTreeMap::new(),
            told: Latencies::default(),
            told_requests: 0,
            reports: 0,
            began: Instant::now(),
            reported: None,
            state: State::Running,
        }
    }

    /// Takes a report. One that is older than what is known changes nothing.
    ///
    /// # Errors
    ///
    /// Says what can't be read in it.
    pub(super) fn on_report(&mut self, metrics: Metrics) -> Result<(), String> {
        let Some(mut measured) = metrics.measured else {
            self.is_foreign = true;
            self.told = metrics.metrics;
            self.told_requests += metrics.no_of_req.unwrap_or_default();
            self.reports += 1;
            self.reported = Some(Instant::now());
            return Ok(());
        };
        let id = measured.incarnation.clone();
        let known = self.processes.get(&id);
        if known.is_some_and(|known| known.measured.sequence >= measured.sequence) {
            return Ok(());
        }
        if known.is_none() && self.processes.len() == PROCESSES_MAX {
            return Err(format!("`{}` was restarted too often in one test", metrics.node_id));
        }
        let (from_due, from_sent) =
            (Recorded::read(&measured.from_due)?, Recorded::read(&measured.from_sent)?);
        let deliveries = match &mut measured.deliveries {
            Some(deliveries) => Recorded::read(&std::mem::take(&mut deliveries.latency))?,
            None => Recorded::default(),
        };
        // They are kept once.
        (measured.from_due, measured.from_sent) = (String::new(), String::new());
        let missed = match known {
            Some(known) => measured.sequence - known.measured.sequence - 1,
            None => measured.sequence,
        };
        let replaced = known.map_or(0, |known| known.replaced) + missed;
        self.incarnation.get_or_insert_with(|| id.clone());
        self.processes.insert(id, Process { measured, from_due, from_sent, deliveries, replaced });
        self.reports += 1;
        self.reported = Some(Instant::now());
        self.settle();
        Ok(())
    }

    /// Looks whether the driver is still at work; `lost_after` says when it is given up.
    pub(super) fn look(
        &mut self,
        test_id: &str,
        node_id: &str,
        asked: u64,
        drivers: &Drivers,
        lost_after: Duration,
    ) {
        self.settle();
        if !matches!(self.state, State::Running | State::Missing) {
            return;
        }
        if self.is_foreign {
            let is_silent = self.reported.is_some_and(|reported| reported.elapsed() > SILENCE);
            if self.told_requests >= asked && asked > 0 || is_silent {
                self.state = State::Done;
                return;
            }
        }
        let driver = drivers.get(node_id);
        let silent = driver.map_or_else(|| self.began.elapsed(), |driver| driver.heard.elapsed());
        self.state = match driver {
            _ if silent > lost_after => State::Lost(format!("was not heard for {} s", silent.as_secs())),
            Some(driver) if driver.is_present() => {
                let same = self.incarnation.is_none() || driver.incarnation() == self.incarnation.as_deref();
                let runs =
                    driver.status.as_ref().is_none_or(|status| status.running.iter().any(|id| id == test_id));
                let quiet = self.reported.unwrap_or(self.began).elapsed();
                match () {
                    () if !same => State::Lost("was restarted during the test".to_owned()),
                    () if !runs && quiet > IDLE => State::Lost("does not run the test".to_owned()),
                    () => State::Running,
                }
            }
            _ => State::Missing,
        };
    }

    /// Returns whether nothing more is waited for.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state, State::Running | State::Missing)
    }

    /// Returns whether it will send no more although its work was not done.
    pub(super) fn has_left(&self) -> bool {
        matches!(self.state, State::Lost(_) | State::Stopped(_))
    }

    /// Returns why its figures are not whole, if so.
    pub(super) fn missing(&self) -> Option<String> {
        match &self.state {
            State::Done if self.processes.len() > 1 => Some("was restarted during the test".to_owned()),
            State::Done => None,
            State::Stopped(reason) | State::Lost(reason) => Some(reason.clone()),
            State::Running | State::Missing => Some("its last report has not come".to_owned()),
        }
    }

    /// Adds its latencies to those of others.
    pub(super) fn add_to(&self, sum: &mut Latest) {
        for process in self.processes.values() {
            process.from_due.add_to(&mut sum.from_due);
            process.from_sent.add_to(&mut sum.from_sent);
            process.deliveries.add_to(&mut sum.deliveries);
        }
    }

    /// Returns how many requests it has begun, as far as is known.
    pub(super) fn started(&self) -> u64 {
        self.processes.values().map(|process| process.measured.counts.started).sum()
    }

    /// Returns its part of a report.
    pub(super) fn report(&self, node_id: &str) -> DriverReport {
        let mut report = DriverReport {
            node_id: node_id.to_owned(),
            state: match &self.state {
                State::Running => "running",
                State::Missing => "missing",
                State::Done => "done",
                State::Stopped(_) => "stopped",
                State::Lost(_) => "lost",
            }
            .to_owned(),
            reason: match &self.state {
                State::Stopped(reason) | State::Lost(reason) => Some(reason.clone()),
                _ => None,
            },
            is_foreign: self.is_foreign,
            reports: self.reports,
            ..DriverReport::default()
        };
        let figures = &mut report.figures;
        let mut span_us = 0;
        for process in self.processes.values() {
            let measured = &process.measured;
            figures.counts.add(measured.counts);
            for (kind, count) in &measured.errors {
                *figures.errors.entry(kind.clone()).or_default() += count;
            }
            figures.streams.add(measured.streams);
            if let Some(deliveries) = &measured.deliveries {
                let delivered = figures.deliveries.get_or_insert_default();
                delivered.counts.add(deliveries);
                delivered.latency = process.deliveries.statistics;
            }
            span_us += measured.span_us;
            report.cpu_ms += measured.cpu_ms;
            report.open_files = report.open_files.max(measured.open_files);
            report.replaced_reports += process.replaced;
            report.left_behind = report.left_behind.take().or_else(|| measured.left_behind.clone());
            report.busy = report.busy.take().or_else(|| measured.busy.clone());
            report.saturated = report.saturated.take().or_else(|| measured.saturated.clone());
        }
        figures.rate = per_span(figures.counts.done, span_us);
        if self.is_foreign {
            figures.counts.done = self.told_requests;
            figures.latency = Statistics::told(&self.told, self.told_requests);
        } else if let (1, Some(process)) = (self.processes.len(), self.processes.values().next()) {
            figures.latency = process.from_due.statistics;
            figures.latency_from_send = process.from_sent.statistics;
        } else {
            let mut sum = Latest::default();
            self.add_to(&mut sum);
            figures.latency = Statistics::of(&sum.from_due);
            figures.latency_from_send = Statistics::of(&sum.from_sent);
        }
        report
    }

    /// Returns the longest time that the figures of one of its processes are of.
    pub(super) fn span_us(&self) -> u64 {
        self.processes.values().map(|process| process.measured.span_us).max().unwrap_or_default()
    }

    /// Takes over what its newest process says.
    fn settle(&mut self) {
        let last = self.processes.values().find(|process| process.measured.is_final);
        if let Some(process) = last {
            self.state = match &process.measured.stopped {
                Some(reason) => State::Stopped(reason.clone()),
                None => State::Done,
            };
        } else if matches!(self.state, State::Lost(_))
            && self.reported.is_some_and(|at| at.elapsed() < SILENCE / 5)
        {
            // It is back.
            self.state = State::Running;
        }
    }
}

/// Returns the rate of what was done in some microseconds.
#[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
pub(super) fn per_span(count: u64, span_us: u64) -> f64 {
    if span_us == 0 { 0.0 } else { count as f64 * 1e6 / span_us as f64 }
}

#[expect(clippy::cast_precision_loss, reason = "counts and times are far below 2^52")]
pub(super) fn per_second(count: u64, elapsed_ms: u64) -> f64 {
    if elapsed_ms == 0 { 0.0 } else { count as f64 * 1000.0 / elapsed_ms as f64 }
}

/// Adds up what all drivers report; latencies come from merged histograms.
pub(super) fn total<'a>(drivers: impl Iterator<Item = &'a DriverReport>) -> Figures {
    let mut sum = Figures::default();
    for driver in drivers {
        sum.counts.add(driver.figures.counts);
        for (kind, count) in &driver.figures.errors {
            *sum.errors.entry(kind.clone()).or_default() += count;
        }
        sum.streams.add(driver.figures.streams);
        if let Some(delivered) = &driver.figures.deliveries {
            sum.deliveries.get_or_insert_default().counts.add(&delivered.counts);
        }
    }
    sum
}
