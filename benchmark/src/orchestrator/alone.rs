//! One test in one process: an orchestrator without an interface, and its drivers, on a bus in memory.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{report::Report, state::State};
use crate::{
    bus::{Bus, Topic, memory::MemoryBus, message::TestConfig},
    client::api::Credentials,
    driver::{DriverConfig, PERIOD, allowed::Allowed, drive},
};

/// How far away the agreed moment is: nothing has to travel.
const LEAD: Duration = Duration::from_millis(200);
/// When a driver of this process counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Runs a test until it has ended, or until `stop` is there; calls `told` each second with the figures so far.
///
/// # Errors
///
/// Fails if the test can't be made.
pub(crate) async fn run_alone(
    config: TestConfig,
    drivers: u32,
    allowed: &[Allowed],
    login: &Credentials,
    stop: impl Future<Output = ()>,
    mut told: impl FnMut(&Report),
) -> Result<Report> {
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new());
    let topics = [Topic::Register, Topic::Heartbeat, Topic::Control, Topic::Metrics];
    let mut messages = bus.subscribe(&topics, Duration::ZERO);
    // They end with this set.
    let mut running = JoinSet::new();
    for number in 1..=drivers {
        let config = DriverConfig {
            node_id: format!("driver-{number}"),
            address: "this process".to_owned(),
            allowed: allowed.to_vec(),
            target: None,
            login: login.clone(),
            is_quiet: true,
            watches_machine: number == 1,
            grace: Duration::MAX,
            shutdown: PERIOD,
        };
        running.spawn(drive(Arc::clone(&bus), config, std::future::pending()));
    }
    let mut state = State::new(Vec::new(), LOST_AFTER);
    state.begin_after(LEAD);
    let id = config.test_id.clone();
    let mut config = Some(config);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut stopped, mut triggered) = (false, false);
    tokio::pin!(stop);
    loop {
        let effects = tokio::select! {
            biased;
            () = &mut stop, if !stopped => {
                stopped = true;
                if config.is_some() {
                    return Ok(Report::default());
                }
                state.abort(&id)?
            }
            _ = ticks.tick() => {
                let effects = state.on_tick();
                if let Some(report) = state.watched(&id) {
                    told(&report);
                }
                effects
            }
            received = messages.recv() => {
                let received = received.context("the bus has ended")?;
                if let Some(event) = state.reader.read(&received) {
                    state.on_event(event);
                }
                if let Some(config) = config.take_if(|_| state.present() == drivers as usize) {
                    state.create(config)?
                } else if config.is_none() && !triggered {
                    triggered = true;
                    state.trigger(&id)?
                } else {
                    state.begin_if_ready()
                }
            }
        };
        for message in effects.messages {
            bus.publish(message);
        }
        if let Some(report) = state.ended(&id) {
            return Ok(report);
        }
    }
}
