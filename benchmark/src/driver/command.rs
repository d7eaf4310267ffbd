//! The command `driver`.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{DriverConfig, allowed::Allowed, drive};
use crate::{
    bus::connection::{self, Connection},
    client::api::Credentials,
};

/// Send the load of an orchestrator's tests, until SIGINT or SIGTERM.
#[derive(Debug, Args)]
pub(crate) struct DriverCommand {
    #[command(flatten)]
    connection: Connection,
    /// The name of this driver, which no other driver has.
    #[arg(long, env = "SHARDCAST_BENCH_NODE_ID", value_name = "ID", value_parser = parse_node_id)]
    node_id: String,
    /// The address of this driver, shown in the orchestrator's list.
    #[arg(long, env = "SHARDCAST_BENCH_NODE_ADDRESS", value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    node_address: String,
    /// A host that may be loaded, besides loopback: `HOST` or `HOST:PORT`; several are separated by commas.
    #[arg(long, env = "SHARDCAST_BENCH_ALLOW", value_name = "HOST", value_delimiter = ',')]
    allow: Vec<Allowed>,
    /// The target of tests that name none, as those of other orchestrators.
    #[arg(long, env = "SHARDCAST_BENCH_TARGET", value_name = "URL")]
    target: Option<String>,
    /// Seconds that the orchestrator may be away before load is stopped.
    #[arg(long, env = "SHARDCAST_BENCH_GRACE", value_name = "SECONDS", default_value_t = 90)]
    grace: u64,
    /// Seconds that the end may take when Kafka is away.
    #[arg(long, env = "SHARDCAST_BENCH_SHUTDOWN", value_name = "SECONDS", default_value_t = 5)]
    shutdown: u64,
}

impl DriverCommand {
    /// Drives load until the process is asked to end.
    pub(crate) fn run(&self, login: Credentials) -> Result<()> {
        let config = DriverConfig {
            login,
            is_quiet: false,
            watches_machine: true,
            node_id: self.node_id.clone(),
            address: self.node_address.clone(),
            allowed: self.allow.clone(),
            target: self.target.clone(),
            grace: Duration::from_secs(self.grace),
            shutdown: Duration::from_secs(self.shutdown),
        };
        connection::block_on(async {
            let (bus, stop) = (self.connection.open(&self.node_id)?, connection::asked_to_end()?);
            drive(bus, config, stop).await;
            Ok(())
        })
    }
}

fn parse_node_id(text: &str) -> Result<String, String> {
    let is_good = (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 100 visible ASCII characters, such as `driver-1`".to_owned())
    }
}
