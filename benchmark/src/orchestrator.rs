//! The orchestrator: makes tests, lets all drivers begin at one moment, and puts their reports together.
//!
//! One task takes messages from the bus and looks after tests each second; requests over HTTP change the same state
//! under a short lock. Every second the state goes to the live view of all who watch.

mod access;
mod alone;
mod command;
mod drivers;
mod folder;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod live;
mod participant;
pub(crate) mod report;
mod rest;
mod state;
mod statistics;
mod test;
pub(crate) mod verdict;
mod wording;

use std::{future::Future, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use self::{
    access::Access,
    folder::Folder,
    state::{Effects, State},
};
pub(crate) use self::{
    alone::run_alone,
    command::{LocalCommand, OrchestratorCommand},
};
use crate::{
    bus::{
        Bus, Topic,
        message::{SCHEMA, TestConfig, TestType},
        unix_ms,
    },
    client::schedule::{Schedule, Share},
    driver::{PERIOD, allowed::Allowed},
    plan::Plan,
    report::terminal,
};

/// How much older than the oldest open test a message may be that is still read after a restart.
const BEFORE: Duration = Duration::from_secs(10);
/// How far the clocks of Kafka and of this machine may differ.
const CLOCKS_MS: u64 = 5000;
/// How long requests that are under way may delay the end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What an orchestrator is told when it starts.
#[derive(Debug)]
pub(crate) struct OrchestratorConfig {
    /// Where tests and reports are kept.
    pub(crate) folder: PathBuf,
    /// Who has it may start load.
    pub(crate) token: String,
    /// Origins of other pages that may use the interface.
    pub(crate) origins: Vec<String>,
    /// Where load may go, besides loopback.
    pub(crate) allowed: Vec<Allowed>,
    /// When a driver that is not heard is given up.
    pub(crate) lost_after: Duration,
}

/// What all requests share.
#[derive(Debug)]
struct Shared {
    bus: Arc<dyn Bus>,
    state: Mutex<State>,
    folder: Folder,
    access: Access,
    allowed: Vec<Allowed>,
    /// The newest state of the live view.
    live: watch::Sender<Utf8Bytes>,
}

impl Shared {
    /// Sends and keeps what a change has brought.
    async fn apply(self: &Arc<Self>, effects: Effects) -> Result<()> {
        // First on disk: what drivers know of must survive a restart.
        if !effects.records.is_empty() {
            let shared = Arc::clone(self);
            let kept = tokio::task::spawn_blocking(move || {
                effects.records.iter().try_for_each(|record| shared.folder.write(record))
            });
            kept.await.context("failed to keep a test")??;
        }
        for message in effects.messages {
            self.bus.publish(message);
        }
        Ok(())
    }
}

/// Serves on a listener until `stop` is there.
pub(crate) async fn serve(
    bus: Arc<dyn Bus>,
    config: OrchestratorConfig,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let folder = Folder::open(&config.folder)?;
    let address = listener.local_addr().context("failed to look up the listener's address")?;
    let shared = Arc::new(Shared {
        state: Mutex::new(State::new(folder.read()?, config.lost_after)),
        access: Access::new(config.token, config.origins),
        allowed: config.allowed,
        bus: Arc::clone(&bus),
        folder,
        live: watch::Sender::new(Utf8Bytes::default()),
    });
    let (ended, end) = watch::channel(false);
    let mut looking = tokio::spawn(look(Arc::clone(&shared), end));
    terminal::line(&format!("listening on http://{}", shown(address)));
    let served = axum::serve(listener, rest::router(Arc::clone(&shared)));
    let outcome = tokio::select! {
        outcome = async { served.await } => outcome.context("failed to serve"),
        outcome = &mut looking => outcome.context("the orchestrator's task failed"),
        () = stop => Ok(()),
    };
    ended.send_replace(true);
    // Open requests and live views end with the runtime.
    if !looking.is_finished() {
        timeout(SHUTDOWN, looking).await.ok();
    }
    bus.flush(SHUTDOWN).await;
    outcome
}

/// Reads the bus and looks after tests until the orchestrator ends.
async fn look(shared: Arc<Shared>, mut end: watch::Receiver<bool>) {
    let since = shared.state.lock().oldest();
    let since = if since.is_zero() { Duration::ZERO } else { since + BEFORE };
    let born = unix_ms().saturating_sub(CLOCKS_MS);
    // One subscription: when its own messages come back, those of drivers do as well.
    let topics = [Topic::Register, Topic::Heartbeat, Topic::Control, Topic::Metrics];
    let mut messages = shared.bus.subscribe(&topics, since);
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let received = tokio::select! {
            biased;
            _ = end.changed() => return,
            _ = ticks.tick() => None,
            Some(received) = messages.recv() => Some(received),
        };
        match received {
            None => tick(&shared).await,
            // Signs of life from before this process say nothing of now.
            Some(received) if received.topic != Topic::Metrics && received.unix_ms < born => {}
            Some(received) => {
                let mut state = shared.state.lock();
                let event = state.reader.read(&received);
                if let Some(event) = event {
                    state.on_event(event);
                }
            }
        }
    }
}

async fn tick(shared: &Arc<Shared>) {
    let (effects, live) = {
        let mut state = shared.state.lock();
        (state.on_tick(), state.live())
    };
    shared.live.send_replace(live.to_string().into());
    if let Err(error) = shared.apply(effects).await {
        terminal::warn(&format!("{error:#}"));
    }
}

/// Returns the test of a plan, with a new id. The published fields describe it for other programs.
pub(crate) fn planned(json: Value, plan: &Plan) -> TestConfig {
    let requests = plan.schedule.requests(Share::WHOLE).unwrap_or(0);
    let per_request = match &plan.schedule {
        Schedule::Spaced { spacing, .. } => *spacing,
        schedule => {
            let requests = u32::try_from(requests).unwrap_or(u32::MAX).max(1);
            schedule.duration().unwrap_or_default() / requests
        }
    };
    TestConfig {
        test_id: format!("{:032x}", rand::random::<u128>()),
        test_type: if per_request.is_zero() { TestType::Avalanche } else { TestType::Tsunami },
        test_message_delay: u64::try_from(per_request.as_millis()).unwrap_or(u64::MAX),
        message_count_per_driver: requests,
        schema: Some(SCHEMA),
        plan: Some(json),
        ..TestConfig::default()
    }
}

fn shown(address: SocketAddr) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { [127, 0, 0, 1].into() } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests;
