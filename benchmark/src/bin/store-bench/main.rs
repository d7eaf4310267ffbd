//! Durable publishes on PostgreSQL and MariaDB: the store, beside a bare client that runs the same statements through
//! the same driver, in batches of the same size.
//!
//! The servers are those that the tests use, by the same variables: `.ci/servers.py target/release/store-bench`.

use std::io::{Write as _, stdout};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use shardcast::store::{NewMessage, PublishError};
use tokio::task::JoinSet;
use tokio::time::Instant;

mod bare;
mod server;

use bare::{Bare, BareMysql, BarePostgres};
use server::Server;

/// Compares the store with a bare client.
#[derive(Debug, Parser)]
struct Cli {
    /// How often both are measured, in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
}

/// How many senders publish at once; each has a user and an application of its own.
const SENDERS: [usize; 2] = [1, 64];

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let server = server::postgres().await.context("failed to prepare PostgreSQL")?;
    let bare = BarePostgres::connect(&server).await?;
    compare(&cli, "PostgreSQL", server, bare).await?;
    let server = server::mysql().await.context("failed to prepare MariaDB or MySQL")?;
    let bare = BareMysql::connect(&server).await?;
    compare(&cli, "MariaDB or MySQL", server, bare).await
}

/// Measures both, and prints medians with the least and the most of the rounds.
async fn compare<C>(cli: &Cli, name: &str, server: Server<C>, mut bare: impl Bare) -> Result<()> {
    for senders in SENDERS {
        let mut rounds = Vec::with_capacity(cli.rounds);
        for _ in 0..cli.rounds {
            let duration = Duration::from_secs(cli.seconds);
            let store = publish(&server, senders, duration).await?;
            let batch = store.messages.div_ceil(store.transactions);
            let bare = repeat(&mut bare, usize::try_from(batch)?.min(senders), duration).await?;
            let (store, bare) = (store.per_second(), bare.per_second());
            rounds.push([store, bare, store / bare, float(batch)]);
        }
        let [store, bare, ratio, batch] =
            [0, 1, 2, 3].map(|column| Spread::new(rounds.iter().map(|round| round[column]).collect()));
        writeln!(
            stdout(),
            "{name}, {senders} senders: store {store:.0} per second, bare {bare:.0}, ratio {ratio:.2}, messages per \
             transaction {batch:.0}",
        )?;
    }
    Ok(())
}

/// What was stored in which time.
struct Rate {
    messages: u64,
    transactions: u64,
    took: Duration,
}

impl Rate {
    fn per_second(&self) -> f64 {
        float(self.messages) / self.took.as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures are shown to a few digits")]
fn float(count: u64) -> f64 {
    count as f64
}

/// The median of some values, with the least and the most.
struct Spread(Vec<f64>);

impl Spread {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = out.precision().unwrap_or(2);
        let (least, median, most) = (self.0[0], self.0[self.0.len() / 2], self.0[self.0.len() - 1]);
        write!(out, "{median:.digits$} ({least:.digits$} – {most:.digits$})")
    }
}

/// Lets senders publish, each its next message when the last one is durable.
async fn publish<C>(server: &Server<C>, senders: usize, duration: Duration) -> Result<Rate> {
    let (messages, transactions) = server.commits.counted();
    let began_at = Instant::now();
    let mut running = JoinSet::new();
    for message in server.messages(senders) {
        let store = server.store.clone();
        running.spawn(async move {
            while began_at.elapsed() < duration {
                store.publish(NewMessage::clone(&message)).await?;
            }
            Ok::<_, PublishError>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let took = began_at.elapsed();
    let counted = server.commits.counted();
    Ok(Rate { messages: counted.0 - messages, transactions: counted.1 - transactions, took })
}

/// Lets the bare client store batch after batch.
async fn repeat(bare: &mut impl Bare, batch: usize, duration: Duration) -> Result<Rate> {
    let began_at = Instant::now();
    let mut transactions = 0;
    while began_at.elapsed() < duration {
        bare.store(batch).await?;
        transactions += 1;
    }
    Ok(Rate { messages: transactions * batch as u64, transactions, took: began_at.elapsed() })
}
