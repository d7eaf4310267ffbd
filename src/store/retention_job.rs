//! The task that deletes messages which are not kept, see [`KeepMessages`](super::KeepMessages).
//!
//! It looks at all rules when it starts, when one was changed, and every ten minutes. While no application has a rule it
//! sleeps, unless other nodes can set one. Soon after a commit it looks at the applications of which only the newest
//! messages are kept. Several nodes may do this at once: each deletes what is there, and no message twice.
//!
//! The rules that it remembers say where to look, and not what to delete: whoever deletes looks at the rule in the same
//! transaction, see [`Retention`]. If it finds another one, or if another node has changed one, the task reads the rules
//! again. It applies a rule that is new then to the newest messages, since some may have been stored here under the one
//! before. The rest is done by the node that has changed it, or by the next look at all rules.

use std::collections::{HashMap, HashSet};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::{Commit, DeletedMessages, ExcessMessages, OldMessages, Retention, RetentionRule, StoreError};
use crate::model::{ApplicationId, MessageId, Timestamp, UserId};
use crate::task;

/// How often all rules are looked at.
const PERIOD: Duration = Duration::from_mins(10);

/// After a failure they are looked at again sooner.
const RETRY: Duration = Duration::from_mins(1);

/// How long commits gather before the newest messages of their applications are counted.
const GATHER: Duration = Duration::from_secs(1);

/// How many times as long as a count takes none is made after it: counting a million messages takes a while.
const REST: u32 = 20;
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Of an application that may have no old message, only a few are looked at.
const FIRST_LOOK: usize = 32;
const SLICE: usize = 1000;

/// What is called when messages were deleted.
type OnDeleted = dyn Fn(UserId, ApplicationId, DeletedMessages) + Send + Sync;

/// What the task needs besides the database.
pub(crate) struct RetentionJobParts {
    /// What time it is.
    pub(crate) now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Whether other nodes may set rules too.
    pub(crate) is_shared: bool,
    /// Notified when another node may have changed a rule.
    pub(crate) changed_elsewhere: Arc<Notify>,
    /// Called after each deletion.
    pub(crate) on_deleted: Box<OnDeleted>,
    /// Called once per round for each user whose messages were deleted.
    pub(crate) after_round: Box<dyn Fn(UserId) + Send + Sync>,
}

/// The task that deletes messages which are not kept. It ends with the last handle.
#[derive(Clone)]
pub struct RetentionJob {
    shared: Arc<Shared>,
    _task: Arc<AbortOnDropHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// A rule was changed.
    changed: Notify,
    /// Messages of an application were stored of which only the newest are kept.
    stored: Notify,
    /// Whether there is such an application: asked after each commit.
    keeps_newest: AtomicBool,
    newest: Mutex<Newest>,
}

type Rules = HashMap<ApplicationId, RetentionRule>;

/// The applications of which only the newest messages are kept.
#[derive(Default)]
struct Newest {
    rules: Rules,
    /// Those that got messages since they were looked at.
    due: HashSet<ApplicationId>,
}

impl Newest {
    /// Returns those that were due, and those that have another rule by now. What was stored here since it was set was looked
    /// at under the one before, if at all.
    fn due_under(&self, rules: &Rules) -> HashSet<ApplicationId> {
        let is_due = |(application, rule): &(&ApplicationId, &RetentionRule)| {
            self.due.contains(application) || self.rules.get(application) != Some(rule)
        };
        rules.iter().filter(is_due).map(|(application, _)| *application).collect()
    }
}

impl RetentionJob {
    /// Starts the task.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub(crate) fn spawn(database: Arc<dyn Retention>, parts: RetentionJobParts) -> Self {
        let shared = Arc::<Shared>::default();
        let task = Task { database, parts, shared: Arc::clone(&shared), deleted_of: Mutex::default() };
        Self { shared, _task: Arc::new(AbortOnDropHandle::new(task::spawn(task.run_on()))) }
    }

    /// To be called when a rule was changed.
    pub(crate) fn changed(&self) {
        self.shared.changed.notify_one();
    }

    /// To be called after each commit. Never waits, and does nothing while all messages are kept.
    pub(crate) fn stored(&self, commit: &Commit) {
        if !self.shared.keeps_newest.load(Ordering::Relaxed) {
            return;
        }
        let mut newest = self.shared.newest.lock();
        let mut is_due = false;
        for stored in commit.messages() {
            let application = stored.message.application_id;
            if newest.rules.contains_key(&application) {
                is_due |= newest.due.insert(application);
            }
        }
        drop(newest);
        if is_due {
            self.shared.stored.notify_one();
        }
    }
}

impl std::fmt::Debug for RetentionJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RetentionJob").finish_non_exhaustive()
    }
}

struct Task {
    database: Arc<dyn Retention>,
    parts: RetentionJobParts,
    shared: Arc<Shared>,
    /// The users whose messages were deleted since the last round.
    deleted_of: Mutex<HashSet<UserId>>,
}

/// The rules that failed in a round.
#[derive(Default)]
struct Failures {
    count: usize,
    first: Option<StoreError>,
}

impl Failures {
    fn add(&mut self, applied: Result<(), StoreError>) {
        if let Err(error) = applied {
            self.count += 1;
            self.first.get_or_insert(error);
        }
    }

    /// Says so, once for all of them.
    fn log(&self) {
        if let Some(error) = &self.first {
            let cause = std::error::Error::source(error).map(tracing::field::display);
            tracing::warn!(
                %error, cause, applications = self.count,
                "messages that are not kept are deleted later"
            );
        }
    }
}

impl Task {
    /// Runs the task, and runs it again after a while whenever it panics.
    async fn run_on(self) {
        while AssertUnwindSafe(self.run()).catch_unwind().await.is_err() {
            tracing::error!("deleting messages that are not kept panicked, it is tried again");
            sleep(RETRY).await;
        }
    }

    async fn run(&self) {
        let mut next = Some(Instant::now());
        loop {
            let next_round = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.shared.changed.notified() => next = self.all_rules().await,
                () = next_round => next = self.all_rules().await,
                () = self.parts.changed_elsewhere.notified() => next = self.read_rules_again(next).await,
                () = self.shared.stored.notified() => self.newest_of_some().await,
            }
        }
    }

    /// Applies all rules, and returns when to do it again.
    async fn all_rules(&self) -> Option<Instant> {
        let rules = match self.database.retention_rules().await {
            Ok(rules) => rules,
            Err(error) => {
                Failures { count: 0, first: Some(error) }.log();
                return Some(Instant::now() + RETRY);
            }
        };
        // What was stored before is looked at now.
        self.note(&rules, |_, _| HashSet::new());
        let mut failures = Failures::default();
        for rule in &rules {
            failures.add(self.apply(rule).await);
        }
        failures.log();
        let deleted_of = std::mem::take(&mut *self.deleted_of.lock());
        deleted_of.into_iter().for_each(&self.parts.after_round);
        let wait = if failures.count > 0 { RETRY } else { PERIOD };
        (!rules.is_empty() || self.parts.is_shared).then(|| Instant::now() + wait)
    }

    /// Reads the rules, of which others have changed some, and returns when to apply all of them.
    async fn read_rules_again(&self, next: Option<Instant>) -> Option<Instant> {
        let wait = match self.database.retention_rules().await {
            Ok(rules) => {
                self.note(&rules, Newest::due_under);
                self.shared.stored.notify_one();
                if rules.is_empty() {
                    return next;
                }
                PERIOD
            }
            Err(error) => {
                Failures { count: 0, first: Some(error) }.log();
                RETRY
            }
        };
        let at = Instant::now() + wait;
        Some(next.map_or(at, |next| next.min(at)))
    }

    /// Notes whose commits are to be looked at from now on, and which applications are due already.
    fn note(&self, rules: &[RetentionRule], due: impl FnOnce(&Newest, &Rules) -> HashSet<ApplicationId>) {
        let rules = rules.iter().filter(|rule| rule.keep.newest > 0);
        let rules: Rules = rules.map(|rule| (rule.application_id, *rule)).collect();
        self.shared.keeps_newest.store(!rules.is_empty(), Ordering::Relaxed);
        let mut newest = self.shared.newest.lock();
        let due = due(&newest, &rules);
        *newest = Newest { rules, due };
    }

    async fn apply(&self, rule: &RetentionRule) -> Result<(), StoreError> {
        let is_in_force = rule.keep.days == 0 || self.delete_old(rule).await?;
        if is_in_force && rule.keep.newest > 0 {
            self.keep_newest(rule).await?;
        }
        Ok(())
    }

    /// Answers whether the rule is still in force.
    async fn delete_old(&self, rule: &RetentionRule) -> Result<bool, StoreError> {
        let days = i64::try_from(rule.keep.days).ok().and_then(TimeDelta::try_days);
        let Some(before) = days.and_then(|days| (self.parts.now)().checked_sub_signed(days)) else {
            return Ok(true);
        };
        let (mut after, mut limit) = (MessageId(0), FIRST_LOOK);
        loop {
            let OldMessages { deleted, kept, rule_changed } =
                self.database.delete_older(rule, after, before, limit).await?;
            if rule_changed {
                self.parts.changed_elsewhere.notify_one();
                return Ok(false);
            }
            // Messages come in the order of their dates, unless a clock was wrong: behind one whose time has not come yet there
            // may be old ones.
            let is_done = deleted.is_none()
                && kept.is_none_or(|kept| kept.oldest.is_some_and(|oldest| oldest <= (self.parts.now)()));
            if let Some(deleted) = deleted {
                self.is_deleted(rule, deleted);
            }
            if is_done {
                return Ok(true);
            }
            after = kept.map_or(after, |kept| kept.newest_id);
            limit = SLICE;
        }
    }

    fn is_deleted(&self, rule: &RetentionRule, deleted: DeletedMessages) {
        self.deleted_of.lock().insert(rule.user_id);
        (self.parts.on_deleted)(rule.user_id, rule.application_id, deleted);
    }

    async fn keep_newest(&self, rule: &RetentionRule) -> Result<(), StoreError> {
        let ExcessMessages { deleted_up_to, rule_changed } =
            self.database.delete_all_but_newest(rule).await?;
        if let Some(up_to) = deleted_up_to {
            self.is_deleted(rule, DeletedMessages::UpTo(up_to));
        }
        if rule_changed {
            self.parts.changed_elsewhere.notify_one();
        }
        Ok(())
    }

    /// Looks at the applications that got messages.
    async fn newest_of_some(&self) {
        if self.shared.newest.lock().due.is_empty() {
            return;
        }
        sleep(GATHER).await;
        let began_at = Instant::now();
        let due: Vec<_> = {
            let mut newest = self.shared.newest.lock();
            let due = std::mem::take(&mut newest.due);
            due.into_iter().filter_map(|application| newest.rules.get(&application).copied()).collect()
        };
        let mut failures = Failures::default();
        for rule in &due {
            // What fails is left to the next look at all rules.
            failures.add(self.keep_newest(rule).await);
        }
        failures.log();
        sleep((began_at.elapsed() * REST).min(LONGEST_REST)).await;
    }
}

#[cfg(test)]
mod tests;
