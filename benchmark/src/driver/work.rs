//! The thread of a load: all its connections and streams hang on one reactor.

mod requests;
mod streams;

use std::{cell::Cell, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use self::{requests::Requests, streams::Streams};
use super::load::{Shared, Work};
use crate::{
    client::{
        Clock, Nanos,
        account::Account,
        address::{Begun, Connector},
        api::{Api, Credentials},
        format::Format,
        message::RunId,
        opener::nanos,
        reactor::Reactor,
        sender::{Endpoint, Sender},
        tally::Tally,
    },
    peer::Peer,
    plan::target::Action,
};

/// How long an answer, or the admission of a stream, may take.
const ANSWER: Duration = Duration::from_secs(30);
/// The longest a thread sleeps: how late it notices that it is to stop.
const SLEEP: Duration = Duration::from_millis(50);
/// How often slow work is done: figures that are costly, requests that are too late.
const NOW_AND_THEN: Duration = Duration::from_millis(500);

/// Sends a load until all of it is answered.
///
/// # Errors
///
/// Says why it could not be made, or that it was stopped.
pub(super) fn run(shared: &Shared) -> Result<(), String> {
    let outcome = match &shared.load.work {
        Work::Http(_) => requests(shared, None),
        Work::Server { peer, login, action } => serve(shared, peer, login, action),
    };
    let cpu = thread_cpu();
    let mut figures = shared.figures.lock();
    (figures.cpu, figures.busiest) = (cpu, cpu);
    outcome.map_err(|error| format!("{error:#}"))
}

/// Returns the processor time of this thread.
fn thread_cpu() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// What a load works with.
struct Bench<'a> {
    shared: &'a Shared,
    reactor: Reactor,
    /// When the first request is due.
    started: Nanos,
    /// When slow work was done last.
    rested: Nanos,
}

impl<'a> Bench<'a> {
    fn new(shared: &'a Shared, account: Option<&Account>) -> Result<Self> {
        let clock = Clock::start();
        let tally = tally(next_run());
        let handshakes = account.map(Account::handshakes).unwrap_or_default();
        let reactor = Reactor::new(clock, handshakes, tally, shared.stop.clone())?;
        let begin = nanos(shared.begin.saturating_duration_since(Instant::now()));
        let late = nanos(Instant::now().saturating_duration_since(shared.begin));
        let started = (clock.now() + begin).saturating_sub(late);
        Ok(Self { shared, reactor, started, rested: 0 })
    }

    /// Returns whether what was due at this moment counts.
    fn counts(&self, due: Nanos) -> bool {
        due >= self.started + nanos(self.shared.load.warm_up)
    }

    /// Returns when the next request is due, if it is not before one of those under way has its answer.
    fn next_due(&self, begun: u64, under_way: usize) -> Option<Nanos> {
        let Shared { load, share, .. } = self.shared;
        let elapsed = Duration::from_nanos(self.reactor.clock.now().saturating_sub(self.started));
        let due = load.schedule.next(*share, begun, under_way as u64, elapsed)?;
        Some(self.started + nanos(due))
    }

    /// Returns whether no more requests are due.
    fn is_over(&self, begun: u64) -> bool {
        let now = self.reactor.clock.now();
        now >= self.started && self.next_due(begun, 0).is_none()
    }

    /// Returns whether what is due and not sent yet is given up: the target has held the load up for too long.
    fn is_too_late(&self) -> bool {
        let length = self.shared.load.schedule.duration();
        length.is_some_and(|length| {
            self.reactor.clock.now() > self.started + nanos(length + self.shared.load.drain)
        })
    }

    /// Serves the sockets until the next request is due.
    fn turn(&mut self, due: Option<Nanos>) -> Result<()> {
        self.reactor.turn_until(due, SLEEP)
    }

    /// Returns whether it is time for slow work.
    fn is_time(&mut self) -> bool {
        let now = self.reactor.clock.now();
        let is_time = now.saturating_sub(self.rested) >= nanos(NOW_AND_THEN);
        if is_time {
            self.rested = now;
            self.reactor.give_up(ANSWER);
            self.show();
        }
        is_time
    }

    /// Shows what the load costs this side.
    fn show(&self) {
        let cpu = thread_cpu();
        // Each request has a connection, which may be gone already.
        let open_files = self.reactor.open_sockets().max(self.reactor.most_under_way) as u64;
        let mut figures = self.shared.figures.lock();
        (figures.cpu, figures.busiest) = (cpu, cpu);
        figures.open_files = figures.open_files.max(open_files);
        figures.counts.again = self.reactor.again;
    }

    /// Returns whether the target has held the load up so long that the rest of it is given up.
    ///
    /// # Errors
    ///
    /// Fails if there is a rest.
    fn is_given_up(&self, begun: u64) -> Result<bool> {
        let Shared { load, share, .. } = self.shared;
        if !self.is_too_late() {
            return Ok(false);
        }
        let rest = load.schedule.requests(*share).map_or(0, |requests| requests.saturating_sub(begun));
        ensure!(
            rest == 0,
            "{rest} requests were not sent: {} s after the end of the load all connections of `concurrency` were \
             still taken",
            load.drain.as_secs()
        );
        Ok(true)
    }
}

thread_local! {
    static RUNS: Cell<u32> = Cell::new(rand::random());
}

/// Returns a tally of a run. Whether messages come in order shows by the ids that the server gives them.
fn tally(run: RunId) -> Tally {
    Tally::new(run, true, Format::Json)
}

/// Returns an id for messages that those of other threads hardly have.
fn next_run() -> RunId {
    RUNS.set(RUNS.get().wrapping_add(1));
    RunId::nth(RUNS.get())
}

fn requests(shared: &Shared, account: Option<(&Account, &Peer, &Action)>) -> Result<()> {
    let mut bench = Bench::new(shared, account.map(|(account, ..)| account))?;
    let endpoint = match (&shared.load.work, account) {
        (Work::Http(http), _) => Arc::clone(&http.endpoint),
        (Work::Server { peer, .. }, _) => Endpoint::publish(peer.address),
    };
    bench.reactor.connect_with(Connector::new(endpoint.address, Begun::default()));
    // No more than there is work for.
    let most = shared.load.schedule.requests(shared.share).unwrap_or(u64::MAX);
    for _ in 0..u64::from(shared.load.concurrency).min(most) {
        bench.reactor.add_sender(Sender::new(Arc::clone(&endpoint)));
    }
    let mut requests = Requests::new(shared.first, account.map(|(account, _, action)| (account, action)));
    if let Some((_, peer, Action::Fanout { streams, connect_rate, .. })) = account {
        let mine = shared.share.count(u64::from(*streams));
        ensure!(mine > 0, "there are fewer streams than drivers: this one has none");
        let begin = bench.started;
        // The same on all drivers, so that they begin at one moment.
        bench.started += nanos(shared.load.opening);
        shared.figures.lock().opening = shared.load.opening;
        requests.open_streams(&mut bench, peer.address, mine, *connect_rate, begin)?;
    }
    let outcome = requests.run(&mut bench);
    bench.show();
    outcome
}

/// Loads a notification server, as a user of its own, who is removed at the end.
fn serve(shared: &Shared, peer: &Peer, login: &Credentials, action: &Action) -> Result<()> {
    let user = OwnUser::make(shared, peer, login)?;
    let own = peer.with(user.login.clone());
    let account = Account::open(&own, 1, 0, Format::Json)?;
    match action {
        Action::Publish { .. } | Action::Fanout { .. } => requests(shared, Some((&account, &own, action))),
        Action::Connect { hold } | Action::Churn { hold } => {
            let leaves = matches!(action, Action::Churn { .. });
            let mut bench = Bench::new(shared, Some(&account))?;
            let outcome = Streams::new(own.address, shared.first, *hold, leaves).run(&mut bench);
            bench.show();
            outcome
        }
    }
}

/// A user that this load alone has, so that no other one gets its messages.
struct OwnUser<'a> {
    shared: &'a Shared,
    api: Api,
    id: u64,
    login: Credentials,
}

impl<'a> OwnUser<'a> {
    fn make(shared: &'a Shared, peer: &Peer, login: &Credentials) -> Result<Self> {
        let api = peer.with(login.clone()).api().context("the server has no user")?;
        let name = format!("shardcast-bench-{:016x}", rand::random::<u64>());
        let login = Credentials { pass: format!("{:032x}", rand::random::<u128>()), user: name };
        let id = api.make_user(&login).context(
            "failed to make a user for the load (`--user` and `--pass` must be an administrator's)",
        )?;
        // Until it is removed.
        let left_behind = format!("the user `{}` of the load is still at {}", login.user, peer.host);
        shared.figures.lock().left_behind = Some(left_behind);
        Ok(Self { shared, api, id, login })
    }
}

impl Drop for OwnUser<'_> {
    fn drop(&mut self) {
        let removed = self.api.remove("user", self.id);
        let mut figures = self.shared.figures.lock();
        figures.left_behind = match (removed, figures.left_behind.take()) {
            (Err(error), Some(left_behind)) => Some(format!("{left_behind}: {error:#}")),
            _ => None,
        };
    }
}
