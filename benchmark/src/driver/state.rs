//! What a driver knows: tests that it prepared, tests that run, and whether its orchestrator is there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    DriverConfig,
    load::Load,
    run::{self, Orders, Report},
};
use crate::{
    bus::{
        Bus,
        event::Event,
        message::{Heartbeat, Register, SCHEMA, Status, Takeover, TestConfig, Trigger},
        unix_ms,
    },
    client::schedule::Share,
    report::terminal,
};

/// How many tests are remembered. The oldest is forgotten.
const TESTS_MAX: usize = 256;
/// How far two clocks may differ before a trigger counts as older than the driver.
const CLOCKS: Duration = Duration::from_secs(2);
/// The latest moment that can be agreed on.
const BEGIN_MAX: Duration = Duration::from_mins(10);

/// The state of a driver.
#[derive(Debug)]
pub(super) struct State {
    bus: Arc<dyn Bus>,
    config: DriverConfig,
    incarnation: String,
    /// When this process began, in milliseconds since 1970.
    born_unix_ms: u64,
    is_acknowledged: bool,
    /// When the orchestrator was heard last.
    heard: Instant,
    tests: VecDeque<Prepared>,
    /// Triggers that came before their tests.
    early: VecDeque<Trigger>,
    runs: JoinSet<String>,
}

/// A test that came.
#[derive(Debug)]
struct Prepared {
    config: TestConfig,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ready(Load),
    Refused(String),
    /// Takes orders.
    Running(watch::Sender<Orders>),
    Ended,
}

impl State {
    pub(super) fn new(bus: Arc<dyn Bus>, config: DriverConfig) -> Self {
        Self {
            bus,
            config,
            incarnation: format!("{:032x}", rand::random::<u128>()),
            born_unix_ms: unix_ms(),
            is_acknowledged: false,
            heard: Instant::now(),
            tests: VecDeque::new(),
            early: VecDeque::new(),
            runs: JoinSet::new(),
        }
    }

    /// Gives a sign of life, and stops load whose orchestrator is gone.
    pub(super) fn on_tick(&mut self) {
        if !self.is_acknowledged {
            self.register();
        }
        self.heartbeat();
        let silence = self.heard.elapsed();
        if silence > self.config.grace {
            let reason = format!("the orchestrator was not heard for {} s", silence.as_secs());
            // Those of other programs are not heard at all.
            self.stop(&reason, |config| config.schema.is_some());
        }
    }

    /// Hears the orchestrator.
    pub(super) fn on_control(&mut self, event: &Event) {
        let Event::Control(control) = event else { return };
        self.heard = Instant::now();
        let was = self.is_acknowledged;
        self.is_acknowledged = control.drivers.get(&self.config.node_id) == Some(&self.incarnation);
        if self.is_acknowledged && !was {
            self.say("the orchestrator knows this driver");
        } else if !self.is_acknowledged {
            self.register();
        }
        for id in &control.aborted {
            self.stop("aborted", |config| config.test_id == *id);
        }
        for takeover in &control.takeovers {
            self.take_over(takeover);
        }
    }

    /// Sends a part of the share of a lost driver; stops if that is this one.
    fn take_over(&mut self, takeover: &Takeover) {
        if takeover.lost == self.config.node_id {
            self.stop("others have taken its share over", |config| config.test_id == takeover.test_id);
            return;
        }
        let test = self.tests.iter().find(|test| test.config.test_id == takeover.test_id);
        let Some(Phase::Running(orders)) = test.map(|test| &test.phase) else { return };
        orders.send_if_modified(|orders| {
            let is_new = !orders.takeovers.contains(takeover);
            if is_new {
                orders.takeovers.push(takeover.clone());
            }
            is_new
        });
    }

    /// Prepares or begins a test.
    pub(super) async fn on_test(&mut self, event: Event, sent_unix_ms: u64) {
        match event {
            Event::TestConfig(config) => self.prepare(*config).await,
            Event::Trigger(trigger) => {
                let clocks = u64::try_from(CLOCKS.as_millis()).unwrap_or(u64::MAX);
                // Somebody else may have run it under this name: what was measured then must not be counted twice.
                if sent_unix_ms.saturating_add(clocks) < self.born_unix_ms {
                    self.forget(&trigger.test_id);
                } else if self.tests.iter().any(|test| test.config.test_id == trigger.test_id) {
                    self.begin(&trigger);
                } else {
                    if self.early.len() == TESTS_MAX {
                        self.early.pop_front();
                    }
                    self.early.push_back(trigger);
                }
            }
            _ => {}
        }
    }

    /// Takes note of a run that has ended. Pends while none runs.
    pub(super) async fn run_ended(&mut self) {
        match self.runs.join_next().await {
            Some(Ok(id)) => self.forget(&id),
            Some(Err(error)) => terminal::warn(&format!("a test failed: {error}")),
            None => std::future::pending().await,
        }
    }

    /// Stops all tests and waits until they have reported.
    pub(super) async fn stop_all(&mut self, reason: &str) {
        self.stop(reason, |_| true);
        while self.runs.join_next().await.is_some() {}
    }

    async fn prepare(&mut self, config: TestConfig) {
        if self.tests.iter().any(|test| test.config.test_id == config.test_id) {
            return;
        }
        let (wanted, driver) = (config.clone(), self.config.clone());
        // A resolver may take seconds.
        let prepared = tokio::task::spawn_blocking(move || {
            Load::prepare(&wanted, driver.target.as_deref(), &driver.allowed, &driver.login)
        });
        let prepared = prepared.await;
        let phase = match prepared.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(load) => Phase::Ready(load),
            Err(reason) => Phase::Refused(reason),
        };
        let id = config.test_id.clone();
        self.remember(Prepared { config, phase });
        if let Some(at) = self.early.iter().position(|trigger| trigger.test_id == id)
            && let Some(trigger) = self.early.remove(at)
        {
            self.begin(&trigger);
        }
        // At once, because somebody may wait for this driver to be ready.
        self.heartbeat();
    }

    /// Adds a test; the oldest one that does not run makes room.
    fn remember(&mut self, test: Prepared) {
        if self.tests.len() == TESTS_MAX {
            let idle = self.tests.iter().position(|test| !matches!(test.phase, Phase::Running(_)));
            self.tests.remove(idle.unwrap_or_default());
        }
        self.tests.push_back(test);
    }

    fn begin(&mut self, trigger: &Trigger) {
        let node_id = &self.config.node_id;
        let Some(test) = self.tests.iter_mut().find(|test| test.config.test_id == trigger.test_id) else {
            return;
        };
        if trigger.drivers.as_ref().is_some_and(|drivers| !drivers.contains(node_id)) {
            test.phase = Phase::Ended;
            return;
        }
        let id = test.config.test_id.clone();
        let mut said = None;
        match std::mem::replace(&mut test.phase, Phase::Ended) {
            Phase::Ready(load) => {
                let wait = trigger.begin_unix_ms.unwrap_or_default().saturating_sub(unix_ms());
                let begin = Instant::now() + Duration::from_millis(wait).min(BEGIN_MAX);
                let (orders, ordered) = watch::channel(Orders::default());
                let mut report = Report::new(node_id.clone(), id.clone(), self.incarnation.clone(), begin);
                if self.config.watches_machine {
                    report.watch_machine(load.address());
                }
                said = Some(format!("test `{id}` begins in {wait} ms"));
                self.heard = self.heard.max(Instant::now());
                let running = load.start(begin, share(trigger, node_id));
                self.runs.spawn(run::run(Arc::clone(&self.bus), report, running, ordered));
                test.phase = Phase::Running(orders);
            }
            Phase::Refused(reason) => {
                said = Some(format!("does not run test `{id}`: {reason}"));
                test.phase = Phase::Refused(reason);
            }
            // It came twice.
            other => test.phase = other,
        }
        if let Some(said) = said {
            self.say(&said);
        }
    }

    fn say(&self, text: &str) {
        if !self.config.is_quiet {
            terminal::warn(&format!("driver `{}`: {text}", self.config.node_id));
        }
    }

    fn forget(&mut self, id: &str) {
        if let Some(test) = self.tests.iter_mut().find(|test| test.config.test_id == id) {
            test.phase = Phase::Ended;
        } else {
            let config = TestConfig { test_id: id.to_owned(), ..TestConfig::default() };
            self.remember(Prepared { config, phase: Phase::Ended });
        }
    }

    fn stop(&mut self, reason: &str, which: impl Fn(&TestConfig) -> bool) {
        for test in self.tests.iter_mut().filter(|test| which(&test.config)) {
            match &test.phase {
                Phase::Running(orders) => {
                    orders.send_if_modified(|orders| {
                        let is_first = orders.stop.is_none();
                        orders.stop.get_or_insert_with(|| reason.to_owned());
                        is_first
                    });
                }
                Phase::Ready(_) => test.phase = Phase::Ended,
                Phase::Refused(_) | Phase::Ended => {}
            }
        }
    }

    fn register(&self) {
        let register = Register {
            node_id: self.config.node_id.clone(),
            node_ip: self.config.address.clone(),
            message_type: "DRIVER_NODE_REGISTER".to_owned(),
            schema: Some(SCHEMA),
            incarnation: Some(self.incarnation.clone()),
        };
        self.bus.publish(Event::Register(register).to_message());
    }

    fn heartbeat(&self) {
        let mut status =
            Status { schema: SCHEMA, incarnation: self.incarnation.clone(), ..Status::default() };
        let mut refused = BTreeMap::new();
        for test in &self.tests {
            let id = test.config.test_id.clone();
            match &test.phase {
                Phase::Ready(_) => status.ready.push(id),
                Phase::Refused(reason) => {
                    refused.insert(id, reason.clone());
                }
                Phase::Running(_) => status.running.push(id),
                Phase::Ended => {}
            }
        }
        status.refused = refused;
        let heartbeat = Heartbeat {
            node_id: self.config.node_id.clone(),
            heartbeat: "YES".to_owned(),
            timestamp: Value::from(unix_ms()),
            status: Some(status),
        };
        self.bus.publish(Event::Heartbeat(heartbeat).to_message());
    }
}

/// Returns what a driver sends of a plan: all of it, unless the trigger names several drivers.
fn share(trigger: &Trigger, node_id: &str) -> Share {
    let drivers = trigger.drivers.as_deref().unwrap_or_default();
    let place = drivers.iter().position(|driver| driver == node_id);
    place.map_or(Share::WHOLE, |place| Share { place: place as u64, of: drivers.len() as u64 })
}
