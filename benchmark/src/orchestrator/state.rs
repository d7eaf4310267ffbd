//! All that an orchestrator knows, and what it does each second.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::time::Instant;

use super::{
    drivers::{Drivers, Listed},
    report::Report,
    test::{Phase, Record, Test},
};
use crate::{
    bus::{
        Outgoing,
        event::{Event, Reader},
        message::{Control, SCHEMA, TestConfig, Trigger},
        unix_ms,
    },
    driver::PERIOD,
    report::terminal,
};

/// How long drivers have to get ready after a trigger.
const READY: Duration = Duration::from_secs(30);
/// How far away the agreed moment is, so that every driver has heard of it.
const LEAD: Duration = Duration::from_secs(2);
/// How long an abort is repeated.
const REPEATED: Duration = Duration::from_mins(2);
/// What the bus may take to bring messages again, once it is back.
const EXCUSED: Duration = Duration::from_secs(8);
/// Tests that may be created or running at once.
const OPEN_MAX: usize = 100;
/// Tests that are kept in memory and shown; reports of older ones stay on disk.
const TESTS_MAX: usize = 1000;

/// All that an orchestrator knows.
#[derive(Debug)]
pub(super) struct State {
    drivers: Drivers,
    tests: Vec<Test>,
    pub(super) reader: Reader,
    lost_after: Duration,
    aborted: VecDeque<(String, Instant)>,
    /// When its own messages came back from the bus.
    echoed: Instant,
    is_bus_away: bool,
    /// How far away the agreed moment of a test is.
    lead: Duration,
}

/// What the caller has to do after a change: send messages, keep records.
#[derive(Debug, Default)]
pub(super) struct Effects {
    pub(super) messages: Vec<Outgoing>,
    pub(super) records: Vec<Record>,
}

/// Why a request is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("there is no test `{0}`")]
    NoTest(String),
    #[error("the test `{0}` was triggered before")]
    Triggered(String),
    #[error("the test `{0}` has ended")]
    Ended(String),
    #[error("no driver is there: start one with `shardcast-bench driver`")]
    NoDriver,
    #[error("{OPEN_MAX} tests are open: trigger or delete one of them")]
    TooMany,
}

/// A test as the list shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Summary {
    pub(crate) test_id: String,
    pub(crate) phase: Phase,
    pub(crate) config: TestConfig,
    pub(crate) created_unix_ms: u64,
    pub(crate) begin_unix_ms: Option<u64>,
    pub(crate) complete: bool,
    pub(crate) verdict: String,
}

impl State {
    pub(super) fn new(records: Vec<Record>, lost_after: Duration) -> Self {
        let is_open = |record: &&Record| record.aborted && record.report.is_none();
        let aborted =
            records.iter().filter(is_open).map(|record| (record.config.test_id.clone(), Instant::now()));
        Self {
            aborted: aborted.collect(),
            drivers: Drivers::default(),
            tests: records.into_iter().map(Test::new).collect(),
            reader: Reader::default(),
            lost_after,
            echoed: Instant::now(),
            is_bus_away: false,
            lead: LEAD,
        }
    }

    /// Lets tests begin so long after all drivers are ready.
    pub(super) fn begin_after(&mut self, lead: Duration) {
        self.lead = lead;
    }

    /// Takes a message of the bus.
    pub(super) fn on_event(&mut self, event: Event) {
        match event {
            Event::Register(register) => self.drivers.on_register(register),
            Event::Heartbeat(heartbeat) => self.drivers.on_heartbeat(heartbeat),
            Event::Metrics(metrics) => {
                self.drivers.on_report(&metrics.node_id);
                let (node_id, test_id) = (metrics.node_id.clone(), metrics.test_id.clone());
                let test = self.tests.iter_mut().find(|test| test.id() == test_id);
                if let Some(Err(reason)) = test.map(|test| test.on_report(*metrics)) {
                    terminal::warn(&format!(
                        "a report of `{node_id}` on `{test_id}` can't be read: {reason}"
                    ));
                }
            }
            Event::Control(_) => {
                self.echoed = Instant::now();
                if std::mem::take(&mut self.is_bus_away) {
                    // Nobody could be heard meanwhile.
                    self.drivers.excuse(EXCUSED);
                }
            }
            Event::TestConfig(_) | Event::Trigger(_) => {}
        }
    }

    /// Does what is due each second.
    pub(super) fn on_tick(&mut self) -> Effects {
        let mut effects = Effects::default();
        self.is_bus_away = self.echoed.elapsed() > PERIOD * 5;
        self.aborted.retain(|(_, since)| since.elapsed() < REPEATED);
        if !self.is_bus_away {
            self.drivers.forget();
            self.begin_waiting(&mut effects);
            self.look_after_running(&mut effects);
        }
        let control = Control {
            schema: SCHEMA,
            unix_ms: unix_ms(),
            drivers: self.drivers.acknowledged(),
            aborted: self.aborted.iter().map(|(id, _)| id.clone()).collect(),
            takeovers: self
                .tests
                .iter()
                .filter(|test| test.phase() == Phase::Running)
                .flat_map(|test| test.record.takeovers.iter().cloned())
                .collect(),
        };
        effects.messages.push(Event::Control(control).to_message());
        effects
    }

    /// Makes a test that waits for its trigger.
    pub(super) fn create(&mut self, config: TestConfig) -> Result<Effects, Refusal> {
        if self.tests.iter().filter(|test| test.phase() != Phase::Ended).count() >= OPEN_MAX {
            return Err(Refusal::TooMany);
        }
        if self.tests.len() >= TESTS_MAX
            && let Some(oldest) = self.tests.iter().position(|test| test.phase() == Phase::Ended)
        {
            self.tests.remove(oldest);
        }
        let record =
            Record { config: config.without_secrets(), created_unix_ms: unix_ms(), ..Record::default() };
        self.tests.push(Test::new(record.clone()));
        Ok(Effects {
            messages: vec![Event::TestConfig(Box::new(config)).to_message()],
            records: vec![record],
        })
    }

    /// Lets a test begin as soon as its drivers are ready.
    pub(super) fn trigger(&mut self, id: &str) -> Result<Effects, Refusal> {
        let has_driver = self.drivers.present().next().is_some();
        let test = self.test_mut(id)?;
        match test.phase() {
            Phase::Ended => return Err(Refusal::Ended(id.to_owned())),
            Phase::Running | Phase::Waiting => return Err(Refusal::Triggered(id.to_owned())),
            Phase::Created if !has_driver => return Err(Refusal::NoDriver),
            Phase::Created => test.waiting = Some(Instant::now()),
        }
        Ok(self.begin_if_ready())
    }

    /// Lets tests begin that were triggered and whose drivers are ready.
    pub(super) fn begin_if_ready(&mut self) -> Effects {
        let mut effects = Effects::default();
        self.begin_waiting(&mut effects);
        effects
    }

    /// Returns how many drivers are there.
    pub(super) fn present(&self) -> usize {
        self.drivers.present().count()
    }

    /// Returns the figures so far of a test that runs.
    pub(super) fn watched(&self, id: &str) -> Option<Report> {
        let test = self.tests.iter().find(|test| test.id() == id)?;
        (test.phase() == Phase::Running).then(|| test.watched())
    }

    /// Returns the report of a test that has ended.
    pub(super) fn ended(&self, id: &str) -> Option<Report> {
        let test = self.tests.iter().find(|test| test.id() == id)?;
        (test.phase() == Phase::Ended).then(|| test.report())
    }

    /// Ends a test early.
    pub(super) fn abort(&mut self, id: &str) -> Result<Effects, Refusal> {
        let test = self.test_mut(id)?;
        if test.phase() == Phase::Ended {
            return Err(Refusal::Ended(id.to_owned()));
        }
        test.record.aborted = true;
        test.aborted.get_or_insert_with(Instant::now);
        if test.phase() != Phase::Running {
            test.end();
        }
        let record = test.record.clone();
        self.aborted.push_back((id.to_owned(), Instant::now()));
        let mut effects = self.on_tick();
        effects.records.insert(0, record);
        Ok(effects)
    }

    pub(super) fn report(&self, id: &str) -> Result<Report, Refusal> {
        let test = self.tests.iter().find(|test| test.id() == id);
        test.map(Test::report).ok_or_else(|| Refusal::NoTest(id.to_owned()))
    }

    /// Returns a test, with its report so far.
    pub(super) fn shown(&self, id: &str) -> Result<Value, Refusal> {
        let test =
            self.tests.iter().find(|test| test.id() == id).ok_or_else(|| Refusal::NoTest(id.to_owned()))?;
        Ok(json!({ "test": summary(test), "report": test.report() }))
    }

    /// Returns all tests, the newest first.
    pub(super) fn tests(&self) -> Vec<Summary> {
        self.tests.iter().rev().map(summary).collect()
    }

    pub(super) fn drivers(&self) -> Vec<Listed> {
        self.drivers.listed()
    }

    /// Returns what the live view shows.
    pub(super) fn live(&self) -> Value {
        let running = self.tests.iter().filter(|test| test.phase() == Phase::Running).map(Test::watched);
        json!({
            "unix_ms": unix_ms(),
            "bus_away": self.is_bus_away,
            "unreadable": self.reader.unreadable(),
            "drivers": self.drivers.listed(),
            "tests": self.tests.iter().rev().take(50).map(summary).collect::<Vec<_>>(),
            "running": running.collect::<Vec<_>>(),
        })
    }

    /// Returns how long ago the oldest test that has not ended was made.
    pub(super) fn oldest(&self) -> Duration {
        let open = self.tests.iter().filter(|test| test.phase() != Phase::Ended);
        let oldest = open.map(|test| test.record.created_unix_ms).min();
        oldest.map_or(Duration::ZERO, |created| Duration::from_millis(unix_ms().saturating_sub(created)))
    }

    fn test_mut(&mut self, id: &str) -> Result<&mut Test, Refusal> {
        let test = self.tests.iter_mut().find(|test| test.id() == id);
        test.ok_or_else(|| Refusal::NoTest(id.to_owned()))
    }

    /// Begins tests whose drivers are ready, or have had time enough.
    fn begin_waiting(&mut self, effects: &mut Effects) {
        for test in self.tests.iter_mut().filter(|test| test.phase() == Phase::Waiting) {
            let id = test.id().to_owned();
            let (mut ready, mut refused, mut late, mut foreign) =
                (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
            for (node_id, driver) in self.drivers.present() {
                match &driver.status {
                    None => foreign.push(node_id.clone()),
                    Some(status) if status.ready.contains(&id) => {
                        ready.insert(node_id.clone(), status.incarnation.clone());
                    }
                    Some(status) => match status.refused.get(&id) {
                        Some(reason) => {
                            refused.insert(node_id.clone(), format!("refused: {reason}"));
                        }
                        None => {
                            late.insert(
                                node_id.clone(),
                                format!("was not ready after {} s", READY.as_secs()),
                            );
                        }
                    },
                }
            }
            let is_over = test.waiting.is_some_and(|since| since.elapsed() > READY);
            if !late.is_empty() && !is_over
                || ready.is_empty() && refused.is_empty() && foreign.is_empty() && !is_over
            {
                continue;
            }
            refused.append(&mut late);
            test.record.refused = refused;
            if ready.is_empty() && foreign.is_empty() {
                test.end();
            } else {
                let begin = unix_ms() + u64::try_from(self.lead.as_millis()).unwrap_or(u64::MAX / 2);
                let trigger = Trigger {
                    test_id: id,
                    trigger: "YES".to_owned(),
                    begin_unix_ms: Some(begin),
                    drivers: Some(ready.keys().cloned().collect()),
                };
                test.begin(begin, ready, foreign);
                effects.messages.push(Event::Trigger(trigger).to_message());
            }
            effects.records.push(test.record.clone());
        }
    }

    fn look_after_running(&mut self, effects: &mut Effects) {
        for test in self.tests.iter_mut().filter(|test| test.phase() == Phase::Running) {
            let takeovers = test.record.takeovers.len();
            let has_ended = test.look(&self.drivers, self.lost_after);
            if has_ended {
                test.end();
            }
            if has_ended || test.record.takeovers.len() > takeovers {
                effects.records.push(test.record.clone());
            }
        }
        for test in self.tests.iter_mut().filter(|test| test.phase() == Phase::Ended) {
            if test.look_back() {
                effects.records.push(test.record.clone());
            }
        }
    }
}

fn summary(test: &Test) -> Summary {
    let report = test.record.report.as_ref();
    Summary {
        test_id: test.id().to_owned(),
        phase: test.phase(),
        config: test.record.config.clone(),
        created_unix_ms: test.record.created_unix_ms,
        begin_unix_ms: test.record.begin_unix_ms,
        complete: report.is_some_and(|report| report.complete),
        verdict: report.map_or_else(|| "not ended yet".to_owned(), Report::verdict),
    }
}
