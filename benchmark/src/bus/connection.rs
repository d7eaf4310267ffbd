//! What the commands that need a bus share: their options, their runtime, and how they are asked to end.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use clap::Args;
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use super::Bus;

/// How long threads that still talk to Kafka may delay the end of the process.
const THREADS: Duration = Duration::from_millis(500);

/// How to reach the bus.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// Kafka's servers, `HOST:PORT`, separated by commas.
    #[arg(long, env = "SHARDCAST_BENCH_BOOTSTRAP_SERVERS", value_name = "LIST")]
    bootstrap_servers: String,
    /// What the names of all topics begin with, so that several systems can share a Kafka.
    #[arg(long, env = "SHARDCAST_BENCH_TOPIC_PREFIX", value_name = "TEXT", default_value = "")]
    topic_prefix: String,
}

impl Connection {
    /// Returns a driver's bus.
    #[cfg(feature = "kafka")]
    pub(crate) fn open(&self, name: &str) -> Result<Arc<dyn Bus>> {
        Ok(Arc::new(super::kafka::KafkaBus::connect(&self.bootstrap_servers, &self.topic_prefix, name)?))
    }

    /// Returns the orchestrator's bus, when all topics are there.
    #[cfg(feature = "kafka")]
    pub(crate) async fn open_with_topics(&self, name: &str) -> Result<Arc<dyn Bus>> {
        let bus = super::kafka::KafkaBus::connect(&self.bootstrap_servers, &self.topic_prefix, name)?;
        bus.create_topics().await?;
        Ok(Arc::new(bus))
    }

    /// Says that this program can't talk to Kafka.
    #[cfg(not(feature = "kafka"))]
    pub(crate) fn open(&self, name: &str) -> Result<Arc<dyn Bus>> {
        anyhow::bail!(
            "`{name}` can't reach `{}` (topics `{}…`): this program was built without Kafka; \
             build it with `cargo build --release --package shardcast-bench --features kafka`",
            self.bootstrap_servers,
            self.topic_prefix
        )
    }

    /// Says that this program can't talk to Kafka.
    #[cfg(not(feature = "kafka"))]
    #[expect(clippy::unused_async, reason = "with Kafka it waits")]
    pub(crate) async fn open_with_topics(&self, name: &str) -> Result<Arc<dyn Bus>> {
        self.open(name)
    }
}

/// Runs a command. Its end is not delayed by threads that wait for a bus that is away.
pub(crate) fn block_on(command: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = Runtime::new().context("failed to start the runtime")?;
    let outcome = runtime.block_on(command);
    runtime.shutdown_timeout(THREADS);
    outcome
}

/// Returns when the process is asked to end, by SIGINT or SIGTERM.
pub(crate) fn asked_to_end() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("failed to catch SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("failed to catch SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
