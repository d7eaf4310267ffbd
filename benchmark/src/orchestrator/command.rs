//! The commands `orchestrator` and `local`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{OrchestratorConfig, serve};
use crate::{
    bus::{
        connection::{self, Connection},
        memory::MemoryBus,
    },
    client::{address::socket_address, api::Credentials},
    driver::{DriverConfig, PERIOD, allowed::Allowed, drive},
    report::terminal,
};

/// How long the drivers of this process may take to end.
const END: Duration = Duration::from_secs(5);
/// Shorter tokens can be guessed.
const TOKEN_CHARS_MIN: usize = 16;

/// Make tests for drivers, and put their reports together: HTTP interface, live page, reports on disk.
#[derive(Debug, Args)]
pub(crate) struct OrchestratorCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    options: Options,
}

/// Be an orchestrator and its drivers in one process, without Kafka.
#[derive(Debug, Args)]
pub(crate) struct LocalCommand {
    /// How many drivers there are.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1000))]
    drivers: u32,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
struct Options {
    /// Where to listen.
    #[arg(long, env = "SHARDCAST_BENCH_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8090", value_parser = socket_address)]
    listen: SocketAddr,
    /// The token of all that starts load, at least 16 characters; without it one is made and printed.
    #[arg(long, env = "SHARDCAST_BENCH_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The folder in which tests and reports are kept.
    #[arg(long, env = "SHARDCAST_BENCH_FOLDER", value_name = "FOLDER", default_value = "load-tests")]
    folder: PathBuf,
    /// An origin whose pages may use the interface, such as `https://tests.example.org`; several are separated by commas.
    #[arg(long, env = "SHARDCAST_BENCH_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    origin: Vec<String>,
    /// A host that may be loaded, besides loopback: `HOST` or `HOST:PORT`; each driver has a list of its own.
    #[arg(long, env = "SHARDCAST_BENCH_ALLOW", value_name = "HOST", value_delimiter = ',')]
    allow: Vec<Allowed>,
    /// Seconds without a sign of life after which a driver's share of a test is given up.
    #[arg(long, env = "SHARDCAST_BENCH_LOST_AFTER", value_name = "SECONDS", default_value_t = 30)]
    lost_after: u64,
}

impl OrchestratorCommand {
    /// Serves until the process is asked to end.
    pub(crate) fn run(&self) -> Result<()> {
        connection::block_on(async {
            let stop = connection::asked_to_end()?;
            tokio::pin!(stop);
            let (config, listener) = self.options.open().await?;
            let bus = tokio::select! {
                bus = self.connection.open_with_topics("orchestrator") => bus?,
                () = &mut stop => return Ok(()),
            };
            serve(bus, config, listener, connection::asked_to_end()?).await
        })
    }
}

impl LocalCommand {
    /// Serves until the process is asked to end.
    pub(crate) fn run(&self, login: &Credentials) -> Result<()> {
        connection::block_on(async {
            let stop = connection::asked_to_end()?;
            let (config, listener) = self.options.open().await?;
            let bus = Arc::new(MemoryBus::new());
            let (end, ended) = watch::channel(false);
            let mut drivers = JoinSet::new();
            for number in 1..=self.drivers {
                let config = DriverConfig {
                    node_id: format!("driver-{number}"),
                    address: "this process".to_owned(),
                    allowed: self.options.allow.clone(),
                    target: None,
                    login: login.clone(),
                    is_quiet: false,
                    watches_machine: number == 1,
                    grace: Duration::MAX,
                    shutdown: PERIOD,
                };
                let mut ended = ended.clone();
                let told = async move { drop(ended.wait_for(|ended| *ended).await) };
                drivers.spawn(drive(Arc::<MemoryBus>::clone(&bus), config, told));
            }
            // First the drivers, so that what they made is removed and their last reports come.
            let stop = async move {
                stop.await;
                end.send_replace(true);
                let all = async { while drivers.join_next().await.is_some() {} };
                if timeout(END, all).await.is_ok() {
                    sleep(PERIOD * 2).await;
                }
            };
            serve(bus, config, listener, stop).await
        })
    }
}

impl Options {
    async fn open(&self) -> Result<(OrchestratorConfig, TcpListener)> {
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.with_context(|| format!("failed to bind `{}`", self.listen))?;
        let config = OrchestratorConfig {
            folder: self.folder.clone(),
            token: self.token()?,
            origins: self.origin.clone(),
            allowed: self.allow.clone(),
            lost_after: Duration::from_secs(self.lost_after),
        };
        Ok((config, listener))
    }

    fn token(&self) -> Result<String> {
        match self.token.as_deref().map(str::trim) {
            Some(token) if token.len() < TOKEN_CHARS_MIN => {
                bail!("the token has {} characters: it must have at least {TOKEN_CHARS_MIN}", token.len())
            }
            Some(token) => Ok(token.to_owned()),
            None => {
                let token = format!("{:032x}", rand::random::<u128>());
                terminal::line(&format!("token: {token}"));
                Ok(token)
            }
        }
    }
}
