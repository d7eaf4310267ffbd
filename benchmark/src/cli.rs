//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::{
    baseline,
    client::{address::socket_address, api::Credentials, format::Format},
    driver::DriverCommand,
    echo::Echo,
    orchestrator::{LocalCommand, OrchestratorCommand},
    peer::{KnownProcess, Peer},
    process::{limits, sampler::Sample, stop::Stop},
    report::threshold::Threshold,
    rounds::{self, Plan},
    run::RunCommand,
    scenario::{
        Scenario,
        burst::Burst,
        case::Bench,
        catchup::Catchup,
        churn::Churn,
        durability::Durability,
        fanout::Fanout,
        idle::Idle,
        publish::Publish,
        scale::{self, Scale},
        slow::Slow,
        stalled::Stalled,
    },
    summary::Summary,
};

/// Load tester for Gotify-compatible push servers.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// What all kinds of load have in common.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
struct Options {
    /// A server: `[NAME=]http://[USER:PASS@]HOST[:PORT][/PREFIX]`; the first is measured, more are peers beside it.
    #[arg(long, global = true, value_name = "URL")]
    against: Vec<String>,
    /// Start the baseline, a bare epoll loop that does the least a server can do, and measure it in the same run.
    #[arg(long, global = true, alias = "floor")]
    baseline: bool,
    /// The core the baseline is pinned to: the server's own.
    #[arg(long, global = true, value_name = "CORE")]
    server_cpu: Option<usize>,
    /// User that may make applications and clients.
    #[arg(long, global = true, env = "SHARDCAST_BENCH_USER", default_value = "admin")]
    user: String,
    /// Its password.
    #[arg(
        long,
        global = true,
        env = "SHARDCAST_BENCH_PASS",
        default_value = "admin",
        hide_env_values = true
    )]
    pass: String,
    /// Process of the first server, or of the one of that name; without it, the one that listens on its port.
    #[arg(long, global = true, value_name = "[NAME=]PID")]
    pid: Vec<KnownProcess>,
    /// How often each server is measured, in turn.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Clients made at each server; streams take their tokens in turn, as the devices of a user would.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// The format of messages: what is published, and what streams ask for. Twice measures each server with both.
    #[arg(long, global = true, value_enum, default_values_t = [Format::Json])]
    format: Vec<Format>,
    /// Streams opened per second.
    #[arg(long, global = true, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    connect_rate: u32,
    /// Seconds without any arrival after which what is missing counts as lost.
    #[arg(long, global = true, default_value_t = 10, value_name = "SECONDS")]
    patience: u64,
    /// A threshold for the first server: `KEY<=VALUE`, `KEY>=VALUE`, or with `x` a multiple of the column beside it.
    #[arg(long = "threshold", alias = "bar", global = true, value_name = "THRESHOLD")]
    thresholds: Vec<Threshold>,
    /// Write every figure of every round there.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Options {
    fn login(&self) -> Credentials {
        Credentials { user: self.user.clone(), pass: self.pass.clone() }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Fanout(Fanout),
    Idle(Idle),
    Burst(Burst),
    Publish(Publish),
    Stalled(Stalled),
    Slow(Slow),
    Catchup(Catchup),
    Churn(Churn),
    Scale(Scale),
    /// Hold a part of the streams of `scale`, with orders from the standard input.
    #[command(hide = true)]
    ScalePart,
    Durability(Durability),
    Report(Summary),
    Sample(Sample),
    Echo(Echo),
    Run(RunCommand),
    Driver(DriverCommand),
    Orchestrator(OrchestratorCommand),
    Local(LocalCommand),
    /// Be the baseline: serve streams and publishes at ADDRESS until killed.
    #[command(alias = "floor")]
    Baseline {
        #[arg(value_parser = socket_address)]
        address: SocketAddr,
        /// The core to run on.
        #[arg(long)]
        cpu: Option<usize>,
    },
}

/// Does what the command line says; returns whether all was as it should be.
pub(crate) fn run(cli: &Cli) -> Result<bool> {
    limits::raise_open_files();
    let scenario: &dyn Scenario = match &cli.command {
        Command::Fanout(scenario) => scenario,
        Command::Idle(scenario) => scenario,
        Command::Burst(scenario) => scenario,
        Command::Publish(scenario) => scenario,
        Command::Stalled(scenario) => scenario,
        Command::Slow(scenario) => scenario,
        Command::Catchup(scenario) => scenario,
        Command::Churn(scenario) => scenario,
        Command::Scale(scenario) => scenario,
        Command::Durability(durability) => return kill_and_look(durability, &cli.options),
        Command::ScalePart => return scale::hold().map(|()| true),
        Command::Report(summary) => return summary.run().map(|()| true),
        Command::Sample(sample) => return sample.run(&Stop::on_signals()?).map(|()| true),
        Command::Run(run) => return run.run(&cli.options.login()),
        Command::Driver(driver) => return driver.run(cli.options.login()).map(|()| true),
        Command::Orchestrator(orchestrator) => return orchestrator.run().map(|()| true),
        Command::Local(local) => return local.run(&cli.options.login()).map(|()| true),
        Command::Echo(echo) => return echo.run().map(|()| true),
        Command::Baseline { address, cpu } => {
            if let Some(cpu) = cpu {
                pin(*cpu)?;
            }
            return baseline::serve(*address).map(|()| true);
        }
    };
    let options = &cli.options;
    let bench = bench(options)?;
    let peers = peers(options)?;
    let plan = Plan {
        rounds: options.rounds,
        clients: options.clients,
        formats: options.format.clone(),
        json: options.json.clone(),
        thresholds: options.thresholds.clone(),
    };
    rounds::measure(scenario, &peers, &bench, &plan)
}

fn bench(options: &Options) -> Result<Bench> {
    Ok(Bench::new(Stop::on_signals()?, options.connect_rate, Duration::from_secs(options.patience)))
}

fn kill_and_look(durability: &Durability, options: &Options) -> Result<bool> {
    let bench = bench(options)?;
    let mut peers = peers(options)?;
    let peer = peers.pop().filter(|_| peers.is_empty() && !options.baseline);
    durability.run(&peer.context("give the one server's address with `--against URL`")?, &bench)
}

fn peers(options: &Options) -> Result<Vec<Peer>> {
    let login = options.login();
    let mut peers = Vec::new();
    for text in &options.against {
        peers.push(Peer::parse(text, &login)?);
    }
    for known in &options.pid {
        known.assign(&mut peers)?;
    }
    if options.baseline {
        peers.push(Peer::baseline(options.server_cpu)?);
    }
    Ok(peers)
}

fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).with_context(|| format!("failed to pin to core {cpu}"))
}
