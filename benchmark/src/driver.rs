//! A driver: prepares tests, sends load at the agreed moment, and reports what it measured.
//!
//! One task reads the bus and keeps the state; one task per test sends its load and reports each second. Reports are
//! cumulative, so that a later one makes up for a lost one.

pub(crate) mod allowed;
mod command;
pub(crate) mod figures;
mod load;
mod run;
mod state;
mod target;
mod work;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

pub(crate) use self::command::DriverCommand;
use self::{allowed::Allowed, load::Load, state::State};
use crate::{
    bus::{Bus, Topic, event::Reader, message::TestConfig},
    client::api::Credentials,
};

/// How often a driver gives a sign of life, and reports.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// How old a test may be that a driver still prepares.
const OLDEST: Duration = Duration::from_hours(24);

/// What a driver is told when it starts.
#[derive(Debug, Clone)]
pub(crate) struct DriverConfig {
    /// Its name, which no other driver has.
    pub(crate) node_id: String,
    /// Its address, for people who look at the list.
    pub(crate) address: String,
    /// Where load may go, besides loopback.
    pub(crate) allowed: Vec<Allowed>,
    /// The target of tests that name none.
    pub(crate) target: Option<String>,
    /// An administrator of the notification servers that are loaded.
    pub(crate) login: Credentials,
    /// Whether it looks at what other programs do on its machine; one driver of a process is enough.
    pub(crate) watches_machine: bool,
    /// Whether it says nothing on the terminal.
    pub(crate) is_quiet: bool,
    /// How long the orchestrator may be away before load is stopped.
    pub(crate) grace: Duration,
    /// How long the end may take when the bus is away.
    pub(crate) shutdown: Duration,
}

/// Checks a test without running it. Waits for the resolver.
///
/// # Errors
///
/// Says which value is wrong, or that the target is not allowed.
pub(crate) fn check_config(config: &TestConfig, allowed: &[Allowed]) -> Result<(), String> {
    // Without a target it goes to that of each driver, who also has the login.
    let nobody = Credentials { user: String::new(), pass: String::new() };
    Load::prepare(config, Some("http://127.0.0.1/"), allowed, &nobody).map(|_| ())
}

/// Drives load until `stop` is there; then ends all tests, reports that, and waits for the bus for a bounded time.
pub(crate) async fn drive(bus: Arc<dyn Bus>, config: DriverConfig, stop: impl Future<Output = ()>) {
    let shutdown = config.shutdown;
    let mut state = State::new(Arc::clone(&bus), config);
    let mut reader = Reader::default();
    let mut tests = bus.subscribe(&[Topic::TestConfig, Topic::Trigger], OLDEST);
    // An orchestrator of another program has no such topic, and the others must not wait for it.
    let mut control = bus.subscribe(&[Topic::Control], PERIOD * 10);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = ticks.tick() => state.on_tick(),
            () = state.run_ended() => {}
            Some(received) = control.recv() => {
                if let Some(event) = reader.read(&received) {
                    state.on_control(&event);
                }
            }
            Some(received) = tests.recv() => {
                if let Some(event) = reader.read(&received) {
                    state.on_test(event, received.unix_ms).await;
                }
            }
        }
    }
    state.stop_all("the driver was told to end").await;
    bus.flush(shutdown).await;
}

#[cfg(test)]
mod tests;
