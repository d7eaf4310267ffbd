//! One test, from its creation to its report.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{
    drivers::Drivers,
    participant::{Latest, Participant, State, per_second, per_span, total},
    report::{Missing, Point, Report},
    statistics::Statistics,
    verdict, wording,
};
use crate::{
    bus::{
        message::{Metrics, Takeover, TestConfig},
        unix_ms,
    },
    driver::figures::{encoded, histogram},
    plan::{LostDriver, Plan},
};

/// Points of a series; when there are more, every second one goes.
const POINTS_MAX: usize = 3600;
/// How long drivers have to stop after an abort.
const ABORT: Duration = Duration::from_secs(8);
/// How long after its end a report may still be amended.
const AMENDED: Duration = Duration::from_mins(5);
/// How far away the moment is at which others take a share over, so that all of them have heard of it.
const LEAD_MS: u64 = 2000;

/// What is kept of a test on disk.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) config: TestConfig,
    pub(super) created_unix_ms: u64,
    pub(super) begin_unix_ms: Option<u64>,
    /// Our drivers that take part, with their incarnations.
    pub(super) drivers: BTreeMap<String, String>,
    /// Drivers of other programs.
    pub(super) foreign: Vec<String>,
    /// Drivers that were there and do not take part, and why.
    pub(super) refused: BTreeMap<String, String>,
    pub(super) aborted: bool,
    /// Shares of lost drivers that others send.
    pub(super) takeovers: Vec<Takeover>,
    /// The result, once the test has ended.
    pub(super) report: Option<Report>,
}

/// A test that is created, runs or has ended.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) record: Record,
    /// Since when it waits for drivers to be ready.
    pub(super) waiting: Option<Instant>,
    pub(super) aborted: Option<Instant>,
    /// What the test asks for, if it was made by a plan.
    plan: Option<Plan>,
    /// Kept for a time after the end, so that a report that comes late amends it.
    participants: BTreeMap<String, Participant>,
    ended: Option<Instant>,
    /// Whether a report came after the end.
    is_amended: bool,
    series: Vec<Point>,
    seen: Histogram<u64>,
    seen_counts: (u64, u64, u64),
}

/// How far a test is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Drivers prepare it; it waits for its trigger.
    Created,
    /// It was triggered, and waits until drivers are ready.
    Waiting,
    Running,
    Ended,
}

impl Test {
    /// Returns a test as it was kept.
    pub(super) fn new(record: Record) -> Self {
        let own = record
            .drivers
            .iter()
            .map(|(id, incarnation)| (id.clone(), Participant::new(false, Some(incarnation.clone()))));
        let foreign = record.foreign.iter().map(|id| (id.clone(), Participant::new(true, None)));
        // Of a test that has ended only the report is known: a message that is read again must not replace it.
        let is_open = record.report.is_none();
        Self {
            participants: own.chain(foreign).filter(|_| is_open).collect(),
            plan: record.config.plan.as_ref().and_then(|plan| Plan::from_json(plan).ok()),
            waiting: None,
            ended: None,
            is_amended: false,
            aborted: record.aborted.then(Instant::now),
            series: Vec::new(),
            seen: histogram(),
            seen_counts: (0, 0, 0),
            record,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.record.config.test_id
    }

    pub(super) fn phase(&self) -> Phase {
        match (&self.record.report, self.record.begin_unix_ms, self.waiting) {
            (Some(_), _, _) => Phase::Ended,
            (_, Some(_), _) => Phase::Running,
            (_, _, Some(_)) => Phase::Waiting,
            _ => Phase::Created,
        }
    }

    /// Begins it with these drivers.
    pub(super) fn begin(&mut self, begin_unix_ms: u64, own: BTreeMap<String, String>, foreign: Vec<String>) {
        self.record.begin_unix_ms = Some(begin_unix_ms);
        self.record.drivers = own;
        self.record.foreign = foreign;
        self.participants = Self::new(self.record.clone()).participants;
        self.waiting = None;
    }

    /// Takes a report of a driver that takes part, or of another program's driver that came late.
    pub(super) fn on_report(&mut self, metrics: Metrics) -> Result<(), String> {
        if self.phase() == Phase::Ended && self.participants.contains_key(&metrics.node_id) {
            self.is_amended = true;
        } else if self.phase() != Phase::Running {
            return Ok(());
        }
        if metrics.measured.is_none() && !self.participants.contains_key(&metrics.node_id) {
            self.record.foreign.push(metrics.node_id.clone());
            self.participants.insert(metrics.node_id.clone(), Participant::new(true, None));
        }
        match self.participants.get_mut(&metrics.node_id) {
            Some(participant) => participant.on_report(metrics),
            None => Ok(()),
        }
    }

    /// Looks after the drivers; returns whether the test has ended.
    pub(super) fn look(&mut self, drivers: &Drivers, lost_after: Duration) -> bool {
        let id = self.id().to_owned();
        let asked = self.record.config.message_count_per_driver;
        for (node_id, participant) in &mut self.participants {
            participant.look(&id, node_id, asked, drivers, lost_after);
        }
        self.redistribute();
        let has_ended = self.participants.values().all(Participant::has_ended)
            || self.aborted.is_some_and(|aborted| aborted.elapsed() > ABORT);
        self.add_point();
        has_ended
    }

    /// Gives the shares of lost drivers to others, if the plan says so.
    fn redistribute(&mut self) {
        let redistributes = |plan: &Plan| plan.lost_driver == LostDriver::Redistribute;
        if self.record.aborted || !self.plan.as_ref().is_some_and(redistributes) {
            return;
        }
        let by: Vec<String> = self
            .participants
            .iter()
            .filter(|(id, participant)| {
                participant.state == State::Running && self.record.drivers.contains_key(*id)
            })
            .map(|(id, _)| id.clone())
            .collect();
        if by.is_empty() {
            return;
        }
        // In the order in which the trigger has them.
        for (place, id) in self.record.drivers.keys().enumerate() {
            let is_known = self.record.takeovers.iter().any(|takeover| takeover.lost == *id);
            let lost = self.participants.get(id).filter(|participant| participant.has_left());
            let Some(lost) = lost.filter(|_| !is_known) else { continue };
            self.record.takeovers.push(Takeover {
                test_id: self.record.config.test_id.clone(),
                lost: id.clone(),
                place: place as u64,
                of: self.record.drivers.len() as u64,
                by: by.clone(),
                from_ms: unix_ms().saturating_sub(self.record.begin_unix_ms.unwrap_or_default()) + LEAD_MS,
                started: lost.started(),
            });
        }
    }

    /// Looks after a test that has ended; returns whether its report has changed.
    pub(super) fn look_back(&mut self) -> bool {
        if std::mem::take(&mut self.is_amended) {
            let (ended_unix_ms, series) = match self.record.report.take() {
                Some(report) => (report.ended_unix_ms, report.series),
                None => (None, Vec::new()),
            };
            self.series = series;
            self.end();
            if let Some(report) = &mut self.record.report {
                report.ended_unix_ms = ended_unix_ms;
                report.notes.push("a report that came after the end has amended this one".to_owned());
            }
            return true;
        }
        if self.ended.is_some_and(|ended| ended.elapsed() > AMENDED) {
            self.participants = BTreeMap::new();
        }
        false
    }

    /// Ends it: from now on its report is what there is.
    pub(super) fn end(&mut self) {
        let mut report = self.report();
        report.ended_unix_ms = Some(unix_ms());
        self.ended.get_or_insert_with(Instant::now);
        report.missing = self
            .participants
            .iter()
            .filter_map(|(id, participant)| {
                Some(Missing { node_id: id.clone(), reason: participant.missing()? })
            })
            .collect();
        let refused = self.record.refused.iter();
        report.missing.extend(refused.map(|(id, why)| Missing { node_id: id.clone(), reason: why.clone() }));
        if report.is_all_failed() {
            report.notes.push("no request succeeded".to_owned());
        }
        report.complete = report.missing.is_empty() && !self.record.aborted && !self.participants.is_empty();
        for takeover in &self.record.takeovers {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds are far below 2^52")]
            let second = takeover.from_ms as f64 / 1000.0;
            let Takeover { lost, by, .. } = takeover;
            report.notes.push(format!(
                "from second {second:.1} on {} had to send the share of `{lost}`; what it left before is missing",
                by.join(", ")
            ));
        }
        self.record.report = Some(report);
        if self.participants.values().all(|participant| participant.missing().is_none()) {
            // No more can come.
            self.participants = BTreeMap::new();
        }
        self.series = Vec::new();
    }

    /// Returns the report, or what there is of it so far.
    pub(super) fn report(&self) -> Report {
        if let Some(report) = &self.record.report {
            return report.clone();
        }
        let (mut report, latest) = self.draft();
        report.series.clone_from(&self.series);
        report.histogram = encoded(&latest.from_due);
        report
    }

    /// Returns what there is of the report so far, with the last second of its series, for those who watch.
    pub(super) fn watched(&self) -> Report {
        let (mut report, _) = self.draft();
        // A watcher has the older ones, or asks for them.
        report.series = self.series.last().copied().into_iter().collect();
        report
    }

    /// Returns the figures so far, and all latencies.
    fn draft(&self) -> (Report, Latest) {
        let mut latest = Latest::default();
        let mut drivers = Vec::new();
        for (id, participant) in &self.participants {
            participant.add_to(&mut latest);
            drivers.push(participant.report(id));
        }
        let mut figures = total(drivers.iter());
        let span_us = self.participants.values().map(Participant::span_us).max().unwrap_or_default();
        figures.rate = per_span(figures.counts.done, span_us);
        figures.latency = Statistics::of(&latest.from_due);
        figures.latency_from_send = Statistics::of(&latest.from_sent);
        if let Some(delivered) = &mut figures.deliveries {
            delivered.latency = Statistics::of(&latest.deliveries);
        }
        let own = drivers.iter().filter(|driver| !driver.is_foreign).count();
        let thresholds = self.plan.iter().flat_map(|plan| &plan.thresholds);
        let report = Report {
            test_id: self.id().to_owned(),
            config: self.record.config.clone(),
            created_unix_ms: self.record.created_unix_ms,
            begin_unix_ms: self.record.begin_unix_ms,
            aborted: self.record.aborted,
            load: match &self.plan {
                Some(plan) => plan.to_string(),
                None => wording::described(&self.record.config),
            },
            asked_rate: match &self.plan {
                Some(plan) => wording::planned_rate(plan),
                None => wording::asked_rate(&self.record.config, own),
            },
            notes: wording::notes(&drivers),
            thresholds: thresholds
                .map(|threshold| verdict::judge(threshold, &figures, &latest.from_due, &latest.deliveries))
                .collect(),
            phases: self.plan.as_ref().map(wording::phases).unwrap_or_default(),
            total: figures,
            drivers,
            ..Report::default()
        };
        (report, latest)
    }

    /// Adds what has changed since the last second to the series.
    fn add_point(&mut self) {
        let (Report { total: figures, .. }, Latest { from_due, .. }) = self.draft();
        let now = unix_ms().saturating_sub(self.record.begin_unix_ms.unwrap_or_default());
        let (then, done, failed) =
            std::mem::replace(&mut self.seen_counts, (now, figures.counts.done, figures.failed()));
        let mut part = from_due.clone();
        // Fails when figures have become fewer, which one point does not show.
        let latency = match part.subtract(&self.seen) {
            Ok(()) => Some(part).filter(|part| !part.is_empty()),
            Err(_) => None,
        };
        self.seen = from_due;
        if now <= then {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds and latencies are far below 2^52")]
        let quantile =
            |quantile| latency.as_ref().map(|part| part.value_at_quantile(quantile) as f64 / 1000.0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are far below 2^52")]
        let second = now as f64 / 1000.0;
        self.series.push(Point {
            second,
            rate: per_second(figures.counts.done.saturating_sub(done), now - then),
            errors: per_second(figures.failed().saturating_sub(failed), now - then),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
        });
        if self.series.len() > POINTS_MAX {
            let mut number = 0;
            self.series.retain(|_| {
                number += 1;
                number % 2 == 0
            });
        }
    }
}
