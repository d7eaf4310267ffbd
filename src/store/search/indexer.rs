//! The task that makes the index, after messages were stored: nobody who publishes waits for it.
//!
//! It counts what is stored for each user, and sleeps until some user has enough to be indexed. At the start it looks at
//! the users one after the other: another program may have stored messages, and messages may be there that were stored
//! before there was an index.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::IndexPace;
use crate::model::{MessageId, UserId};
use crate::store::{Commit, Database, StoreError};
use crate::task;

/// A user with so many new messages is indexed.
const WORTH_INDEXING: u64 = 128;

/// Users whose new messages are counted. When there are more, all are forgotten, and all users are looked at.
const COUNTED_USERS: usize = 65_536;

/// The least time from one round to the next.
const ROUND: Duration = Duration::from_secs(1);

/// When the database has refused something, the next round comes after so long.
const RETRY: Duration = Duration::from_mins(1);

/// After so many failures one after the other a round ends: each of them may take as long as a statement may.
const MOST_FAILURES: usize = 8;

/// Who stores more messages than this per second has no time to spare: the task takes a twentieth of a core then, and
/// half of one otherwise.
const MUCH_PER_SECOND: u128 = 500;
const RESTS_WHEN_BUSY: u32 = 19;
const RESTS: u32 = 1;

/// The task. It ends when this is dropped.
#[derive(Debug)]
pub(in crate::store) struct Indexer {
    task: AbortOnDropHandle<()>,
}

impl Indexer {
    /// Begins to look at all users.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(in crate::store) fn spawn(database: Arc<dyn Database>, counts: Arc<Counts>) -> Self {
        Self { task: AbortOnDropHandle::new(task::spawn(run(database, counts))) }
    }

    /// Ends it, before the database is closed. The next start goes on.
    pub(in crate::store) fn stop(&self) {
        self.task.abort();
    }
}

/// How many messages were stored for each user since its index was looked at, and whose were deleted.
#[derive(Debug)]
pub(crate) struct Counts {
    pending: Mutex<Pending>,
    wake: Notify,
    pace: IndexPace,
}

#[derive(Debug)]
struct Pending {
    users: HashMap<UserId, u64>,
    /// The users whose messages were deleted.
    renewed: HashSet<UserId>,
    all: bool,
    /// What was stored since then.
    stored: u64,
    since: Instant,
}

impl Pending {
    /// Keeps the bound. True if all users are to be looked at for it.
    fn limit(&mut self) -> bool {
        let is_over = self.users.len().max(self.renewed.len()) > COUNTED_USERS;
        if is_over {
            self.users.clear();
            self.renewed.clear();
            self.all = true;
        }
        is_over
    }
}

/// What one round does.
#[derive(Debug, Default)]
struct Round {
    users: Vec<UserId>,
    renewed: HashSet<UserId>,
    all: bool,
}

impl Counts {
    pub(crate) fn new() -> Self {
        let pending = Pending {
            users: HashMap::new(),
            renewed: HashSet::new(),
            all: true,
            stored: 0,
            since: Instant::now(),
        };
        Self { pending: Mutex::new(pending), wake: Notify::new(), pace: IndexPace::unlimited() }
    }

    /// Looks at a user's index: many of its messages were deleted.
    pub(crate) fn forget_deleted(&self, user: UserId) {
        let mut pending = self.pending.lock();
        pending.renewed.insert(user);
        pending.limit();
        drop(pending);
        self.wake.notify_one();
    }

    /// Takes note of what was stored.
    pub(in crate::store) fn add(&self, commit: &Commit) {
        let mut pending = self.pending.lock();
        let mut is_worth_it = false;
        for user in commit.users() {
            let stored = user.messages.len() as u64;
            pending.stored += stored;
            let count = pending.users.entry(user.user_id).or_default();
            *count += stored;
            is_worth_it |= *count >= WORTH_INDEXING;
        }
        is_worth_it |= pending.limit();
        drop(pending);
        if is_worth_it {
            self.wake.notify_one();
        }
    }

    /// Returns what is worth a look.
    fn take(&self) -> Round {
        let mut pending = self.pending.lock();
        let worth_it = pending.users.extract_if(|_, count| *count >= WORTH_INDEXING);
        let users = worth_it.map(|(user, _)| user).collect();
        let renewed = std::mem::take(&mut pending.renewed);
        Round { users, renewed, all: std::mem::take(&mut pending.all) }
    }

    /// Returns the pace that leaves enough time for those who store messages now.
    fn pace(&self) -> &IndexPace {
        let mut pending = self.pending.lock();
        let passed = pending.since.elapsed();
        if passed >= ROUND {
            let is_busy = u128::from(pending.stored) * 1000 > MUCH_PER_SECOND * passed.as_millis();
            (pending.stored, pending.since) = (0, Instant::now());
            self.pace.set(if is_busy { RESTS_WHEN_BUSY } else { RESTS });
        }
        &self.pace
    }

    /// Gives back what was not done.
    fn give_back(&self, round: Round) {
        let mut pending = self.pending.lock();
        pending.all |= round.all;
        pending.renewed.extend(round.renewed);
        for user in round.users {
            *pending.users.entry(user).or_default() += WORTH_INDEXING;
        }
        pending.limit();
    }
}

async fn run(database: Arc<dyn Database>, counts: Arc<Counts>) {
    loop {
        let failures = index(&*database, counts.take(), &counts).await;
        if failures.in_all == 0 {
            sleep(ROUND).await;
            counts.wake.notified().await;
        } else {
            failures.log();
            counts.give_back(failures.left);
            sleep(ROUND).await;
            let _ = timeout(RETRY, counts.wake.notified()).await;
        }
    }
}

/// What failed in a round: one user's failure does not keep the others from being indexed.
#[derive(Debug, Default)]
struct Failures {
    in_all: usize,
    in_a_row: usize,
    first: Option<StoreError>,
    panicked: bool,
    /// What is to be done in another round.
    left: Round,
}

impl Failures {
    /// Whether it is the database that fails, and not a user's index.
    fn are_too_many(&self) -> bool {
        self.in_a_row >= MOST_FAILURES
    }

    /// Tries something; nothing if it failed.
    async fn attempt<T>(&mut self, work: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        match AssertUnwindSafe(work).catch_unwind().await {
            Ok(Ok(done)) => {
                self.in_a_row = 0;
                return Some(done);
            }
            Ok(Err(error)) => drop(self.first.get_or_insert(error)),
            Err(_) => self.panicked = true,
        }
        self.in_all += 1;
        self.in_a_row += 1;
        None
    }

    /// Says so, once for all of them.
    fn log(&self) {
        if let Some(error) = &self.first {
            let cause = std::error::Error::source(error).map(tracing::field::display);
            tracing::warn!(%error, cause, failures = self.in_all, "messages are indexed for the search later");
        }
        if self.panicked {
            tracing::error!("indexing messages for the search panicked, it is tried again");
        }
    }
}

/// Does what is worth it.
async fn index(database: &dyn Database, round: Round, counts: &Counts) -> Failures {
    let mut failures = Failures::default();
    for user in round.renewed {
        if failures.are_too_many() || failures.attempt(renew(database, user, counts)).await.is_none() {
            failures.left.renewed.insert(user);
        }
    }
    for user in round.users {
        if failures.are_too_many() || failures.attempt(index_all_of(database, user, counts)).await.is_none() {
            failures.left.users.push(user);
        }
    }
    if round.all {
        renew_all(database, counts, &mut failures).await;
    }
    failures
}

/// Looks at all users one after the other.
async fn renew_all(database: &dyn Database, counts: &Counts, failures: &mut Failures) {
    let mut last = UserId(0);
    while !failures.are_too_many()
        && let Some(users) = failures.attempt(database.users_after(last)).await
    {
        let Some(next) = users.last() else { return };
        last = *next;
        for user in users {
            if failures.are_too_many() {
                break;
            }
            if failures.attempt(renew(database, user, counts)).await.is_none() {
                failures.left.renewed.insert(user);
            }
        }
    }
    failures.left.all = true;
}

/// Makes those parts of a user's index anew whose messages are deleted, and indexes what is not indexed.
async fn renew(database: &dyn Database, user: UserId, counts: &Counts) -> Result<(), StoreError> {
    let mut after = MessageId(0);
    while let Some(next) = database.renew_index(user, after, counts.pace()).await? {
        after = next;
    }
    index_all_of(database, user, counts).await
}

async fn index_all_of(database: &dyn Database, user: UserId, counts: &Counts) -> Result<(), StoreError> {
    while database.index_messages(user, counts.pace()).await? {}
    Ok(())
}
