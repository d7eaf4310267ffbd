//! Comparing heads: how a node finds out that it has missed something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::node::Shared;
use crate::hub::{self, EndReason};
use crate::model::{MessageId, UserId};
use crate::store::{DatabaseTime, StoreError};

/// Users whose heads are asked for by one query.
const USERS_PER_QUERY: usize = 1000;

/// How often all heads are compared, whether or not they have moved.
const ALL: Duration = Duration::from_mins(5);

/// If the last comparison that succeeded is older, all heads of users who have streams here are fewer than those that have
/// moved since.
const LONG_AGO: Duration = Duration::from_mins(1);

/// A wait that took so much longer than it was to take: the process was stopped, or the machine suspended.
const STOPPED: Duration = Duration::from_secs(5);

/// A node that has reached neither the database nor the backplane for so long closes its streams, so that their clients
/// go to a node that does.
const CUT_OFF: Duration = Duration::from_mins(1);

/// Over how long it closes them, so that they do not come to the other nodes all at once.
const LEAVING: Duration = Duration::from_secs(10);

/// Asks for comparisons.
#[derive(Debug, Default)]
pub(crate) struct ComparisonRequest {
    all: AtomicBool,
    /// Events may have been lost too, and no comparison finds them.
    lost_events: AtomicBool,
    asked: Notify,
}

impl ComparisonRequest {
    /// Asks for a comparison of all heads of users who have streams here, because something may have been lost. Streams that
    /// ask for events are informed that they may have missed some.
    pub(crate) fn compare_all(&self) {
        self.lost_events.store(true, Ordering::Release);
        self.all.store(true, Ordering::Release);
        self.asked.notify_one();
    }
}

/// What is known from one comparison to the next.
#[derive(Debug, Default)]
struct Progress {
    /// When the last comparison that succeeded has begun, by the clock of the database.
    since: Option<(DatabaseTime, Instant)>,
    /// When all heads were compared last.
    all_at: Option<Instant>,
}

/// Compares heads, for ever.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut progress = Progress::default();
    let mut reached_at = Instant::now();
    loop {
        let began = Instant::now();
        // An error is the wait's end, and none is that somebody asks.
        let _ = timeout(shared.config.comparison_period, shared.comparison.asked.notified()).await;
        if began.elapsed() > shared.config.comparison_period + STOPPED {
            shared.comparison.all.store(true, Ordering::Release);
            // It has not tried.
            reached_at = Instant::now();
        }
        let lost_events = shared.comparison.lost_events.swap(false, Ordering::AcqRel);
        if shared.hub.stream_count() == 0 {
            // Streams that come later ask the database where they begin.
            reached_at = Instant::now();
            continue;
        }
        if lost_events {
            shared.hub.miss_events();
        }
        let all = shared.comparison.all.swap(false, Ordering::AcqRel)
            || progress.since.is_none_or(|(_, at)| at.elapsed() >= LONG_AGO)
            || progress.all_at.is_none_or(|at| at.elapsed() >= ALL);
        match compare(&shared, &mut progress, all).await {
            Ok(()) => {
                reached_at = Instant::now();
                shared.stats.comparisons.fetch_add(1, Ordering::Relaxed)
            }
            Err(error) => {
                tracing::debug!(%error, "failed to compare the newest messages");
                if all {
                    shared.comparison.all.store(true, Ordering::Release);
                }
                shared.stats.failed_comparisons.fetch_add(1, Ordering::Relaxed)
            }
        };
        if shared.subscriptions.is_connected() {
            reached_at = Instant::now();
        } else if reached_at.elapsed() >= CUT_OFF {
            tracing::warn!(
                "closes its streams: neither the database nor the backplane was reached for {} s",
                reached_at.elapsed().as_secs()
            );
            shared.hub.close_each_in(LEAVING, EndReason::CutOff).await;
        }
    }
}

async fn compare(shared: &Shared, progress: &mut Progress, all: bool) -> Result<(), StoreError> {
    let heads = &shared.heads;
    let now = heads.now().await?;
    let asked_at = Instant::now();
    if let Some((since, _)) = progress.since.filter(|_| !all) {
        learn(shared, heads.heads_moved_since(since.min(now)).await?);
    } else {
        let users: Vec<_> = shared.hub.users().into_iter().map(|user| UserId(user.0)).collect();
        for some in users.chunks(USERS_PER_QUERY) {
            learn(shared, heads.heads(some).await?);
        }
        progress.all_at = Some(asked_at);
    }
    progress.since = Some((now, asked_at));
    Ok(())
}

/// Lets the hub know of heads. Where it has heard of all, nothing happens.
fn learn(shared: &Shared, heads: Vec<(UserId, MessageId)>) {
    for (user, newest) in heads {
        shared.hub.catch_up(hub::UserId(user.0), hub::MessageId(newest.0));
    }
}
