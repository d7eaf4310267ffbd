//! Whether what was acknowledged is still there after the server was killed.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{
    client::{
        Nanos,
        account::Account,
        format::Format,
        message::{Reader, RunId},
        opener::nanos,
        publisher::Publisher,
        reactor::Reactor,
        schedule::Schedule,
        sender::{Ack, Endpoint, Sender},
        tally::Tally,
    },
    peer::Peer,
    process::child::OwnedChild,
    report::{figure::counts, progress::Progress, terminal},
    scenario::case::Bench,
};

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// How long answers are still looked for that the server sent before it was killed.
const AFTERMATH: Duration = Duration::from_millis(200);

/// Publish, kill -9 the server at a random moment, restart it, and look for every acknowledged message.
#[derive(Debug, Args)]
pub(crate) struct Durability {
    /// How often the server is killed.
    #[arg(long = "kills", default_value_t = 50)]
    kills: u32,
    /// Keep-alive connections that publish.
    #[arg(long, default_value_t = 16)]
    senders: usize,
    /// The latest moment of a kill, in milliseconds after the first publish.
    #[arg(long, default_value_t = 500)]
    within_ms: u64,
    /// Bytes of a message's text.
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// Where the server is started; its data folder must be fresh or hold nothing that matters.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The server's command line, which must listen at the address of `--against`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// What all rounds together found.
#[derive(Debug, Default)]
struct Findings {
    published: u64,
    acknowledged: u64,
    lost: Vec<String>,
    refused: u64,
}

impl Durability {
    /// Runs all rounds and prints what they found; returns whether nothing was lost.
    pub(crate) fn run(&self, peer: &Peer, bench: &Bench) -> Result<bool> {
        ensure!(peer.process.is_none(), "something listens at {} already", peer.address);
        let mut server = self.start()?;
        self.wait(peer, &mut server, bench)?;
        let account = Account::open(peer, 1, 0, Format::Json)?;
        let mut findings = Findings::default();
        let progress = Progress::new("kills", u64::from(self.kills));
        let mut chance = Chance(u64::from(std::process::id()));
        for round in 1..=self.kills {
            let run = bench.next_run();
            let moment = nanos(Duration::from_millis(chance.below(self.within_ms.max(1))));
            let acks =
                self.publish_and_kill(peer, &account, run, moment, &mut server, bench, &mut findings)?;
            server = self.start()?;
            self.wait(peer, &mut server, bench)?;
            verify(&account, run, &acks, round, &mut findings)?;
            progress.show(u64::from(round));
        }
        drop(progress);
        drop(account);
        server.terminate()?;
        server.inner().wait().context("failed to wait for the server")?;
        Ok(self.report(&findings))
    }

    fn start(&self) -> Result<OwnedChild> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        OwnedChild::start(&mut command)
    }

    fn wait(&self, peer: &Peer, server: &mut OwnedChild, bench: &Bench) -> Result<()> {
        let started = Instant::now();
        while !peer.api().is_some_and(|api| api.is_up()) {
            bench.stop.check()?;
            if let Some(status) = server.inner().try_wait().context("failed to look after the server")? {
                bail!("`{}` ended at once: {status}", self.command.join(" "));
            }
            ensure!(started.elapsed() < START, "the server does not answer {START:?} after its start");
            thread::sleep(POLL);
        }
        Ok(())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one round has this many parts, and they have nothing in common"
    )]
    fn publish_and_kill(
        &self,
        peer: &Peer,
        account: &Account,
        run: RunId,
        moment: Nanos,
        server: &mut OwnedChild,
        bench: &Bench,
        findings: &mut Findings,
    ) -> Result<Vec<Ack>> {
        let mut reactor =
            Reactor::new(bench.clock, Vec::new(), Tally::new(run, false, Format::Json), bench.stop.clone())?;
        for _ in 0..self.senders {
            reactor.add_sender(Sender::new(Endpoint::publish(peer.address)));
        }
        let start = bench.clock.now();
        let forever = Schedule::back_to_back(u32::MAX);
        let mut publisher = Publisher::new(account.template(run, self.size), forever, start);
        let mut acks = Vec::new();
        while bench.clock.now() < start + moment {
            publisher.pump(&mut reactor, |ack| acks.push(ack))?;
            reactor.turn(Duration::from_millis(1))?;
        }
        server.kill()?;
        let end = bench.clock.now() + nanos(AFTERMATH);
        while bench.clock.now() < end {
            reactor.turn(Duration::from_millis(5))?;
        }
        acks.append(&mut reactor.acks);
        // The kill ends the others.
        acks.retain(|ack| ack.outcome.is_ok());
        let all = acks.len();
        acks.retain(|ack| ack.outcome == Ok(200));
        findings.published += u64::from(publisher.published());
        findings.acknowledged += acks.len() as u64;
        findings.refused += (all - acks.len()) as u64;
        if !publisher.refused.is_empty() {
            terminal::warn(&format!("publishes answered: {}", counts(&publisher.refused)));
        }
        Ok(acks)
    }

    fn report(&self, findings: &Findings) -> bool {
        let Findings { published, acknowledged, lost, refused } = findings;
        terminal::line(&format!("durability: {} kills, {} senders", self.kills, self.senders));
        terminal::line(&format!("published     {published}"));
        terminal::line(&format!("acknowledged  {acknowledged}"));
        terminal::line(&format!("refused       {refused}"));
        terminal::line(&format!("lost          {}", lost.len()));
        for loss in lost.iter().take(10) {
            terminal::line(&format!("FAULT: {loss}"));
        }
        lost.is_empty() && *acknowledged > 0
    }
}

fn verify(account: &Account, run: RunId, acks: &[Ack], round: u32, findings: &mut Findings) -> Result<()> {
    let api = account.api().context("the baseline stores nothing")?;
    let mut reader = Reader::new(run, Format::Json);
    let stored: HashMap<u64, u32> = api
        .messages(account.application())?
        .into_iter()
        .filter_map(|stored| Some((stored.id, reader.read(stored.message.as_bytes())?.sequence)))
        .collect();
    for ack in acks {
        let found = ack.id.and_then(|id| stored.get(&id));
        if found != Some(&ack.sequence) {
            findings
                .lost
                .push(format!("kill {round}: message {:?} (number {}) is gone", ack.id, ack.sequence));
        }
    }
    api.clear(account.application())
}

/// A little generator for the moments of the kills.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moments_of_kills_differ_and_stay_below_the_bound() {
        let mut chance = Chance(1);
        let moments: Vec<u64> = (0..100).map(|_| chance.below(500)).collect();
        assert!(moments.iter().all(|moment| *moment < 500));
        let distinct: std::collections::BTreeSet<_> = moments.iter().collect();
        assert!(distinct.len() > 50, "{moments:?}");
    }
}
