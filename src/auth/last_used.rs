//! Writing down when tokens were last used, off the path of the requests that use them.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::Clock;
use crate::model::{ApplicationId, ClientId, Timestamp};
use crate::store::Database;

/// Uses that may wait to be written. When that many wait, a use is not noted; the token's next one is.
const QUEUE: usize = 1024;

/// What was used.
#[derive(Clone, Copy, Debug)]
pub(super) enum Used {
    Application(ApplicationId),
    Client(ClientId),
}

/// When a cached token was last used, as far as the database has been told or soon will be.
#[derive(Debug)]
pub(super) struct LastUsed(AtomicI64);

impl LastUsed {
    const NEVER: i64 = i64::MIN;

    /// A use is noted when the last one noted is longer ago than this.
    pub(super) const PRECISION_SECONDS: i64 = 5 * 60;

    pub(super) fn new(last_used: Option<Timestamp>) -> Self {
        Self(AtomicI64::new(last_used.map_or(Self::NEVER, |at| at.timestamp())))
    }

    /// Takes on the duty to note a use at `now`, in Unix seconds, if the last one is longer ago than that; of those
    /// who race for it, one gets it.
    pub(super) fn claim(&self, now: i64, precision_seconds: i64) -> Option<i64> {
        let noted = self.0.load(Ordering::Relaxed);
        if noted != Self::NEVER && now - noted <= precision_seconds {
            return None;
        }
        self.0.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).ok()
    }

    fn give_back(&self, noted: i64) {
        self.0.store(noted, Ordering::Relaxed);
    }

    /// Takes over what was noted of the same token before its row was read again.
    pub(super) fn renew(&self, previous: &Self) {
        self.0.fetch_max(previous.0.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// The task that writes uses down, a batch at a time. Dropping this ends it; what it has not written is lost,
/// and noted with the token's next use.
pub(super) struct LastUsedWriter {
    queue: mpsc::Sender<(Used, Timestamp)>,
    _task: AbortOnDropHandle<()>,
}

impl LastUsedWriter {
    pub(super) fn spawn(database: Arc<dyn Database>) -> Self {
        let (queue, uses) = mpsc::channel(QUEUE);
        Self { queue, _task: AbortOnDropHandle::new(tokio::spawn(write(database, uses))) }
    }

    /// Notes that a token was used `now`, in Unix milliseconds, if that is news: if the last use that was noted is
    /// longer ago than the precision. Never waits. Answers whether the use is noted.
    pub(super) fn note(
        &self,
        used: Used,
        last_used: &LastUsed,
        precision_seconds: i64,
        now: i64,
        clock: &Clock,
    ) -> bool {
        // Hardly ever news: the local time, which takes longer to get, is only asked for when it is.
        let Some(before) = last_used.claim(now.div_euclid(1000), precision_seconds) else {
            return false;
        };
        let is_noted = self.queue.try_send((used, clock.now())).is_ok();
        if !is_noted {
            last_used.give_back(before);
        }
        is_noted
    }
}

impl fmt::Debug for LastUsedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUsedWriter").finish_non_exhaustive()
    }
}

async fn write(database: Arc<dyn Database>, mut uses: mpsc::Receiver<(Used, Timestamp)>) {
    let mut batch = Vec::new();
    while uses.recv_many(&mut batch, QUEUE).await > 0 {
        let written = AssertUnwindSafe(write_batch(&*database, &batch)).catch_unwind();
        if written.await.is_err() {
            // The panic hook has said where and why. These uses are lost, and noted with the tokens' next ones.
            tracing::error!(part = "last used", "noting when tokens were last used panicked, and goes on");
        }
        batch.clear();
    }
}

async fn write_batch(database: &dyn Database, batch: &[(Used, Timestamp)]) {
    let (mut applications, mut clients) = (Vec::new(), Vec::new());
    let Some(latest) = batch.iter().map(|&(_, at)| at).max() else { return };
    for &(used, _) in batch {
        match used {
            Used::Application(id) => applications.push(id),
            Used::Client(id) => clients.push(id),
        }
    }
    if !applications.is_empty()
        && let Err(error) = database.touch_applications(&applications, latest).await
    {
        tracing::debug!(%error, "failed to note when applications were last used");
    }
    if !clients.is_empty()
        && let Err(error) = database.touch_clients(&clients, latest).await
    {
        tracing::debug!(%error, "failed to note when clients were last used");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn used_ago(seconds: i64) -> LastUsed {
        LastUsed(AtomicI64::new(NOW - seconds))
    }

    #[test]
    fn the_first_use_is_noted() {
        assert!(LastUsed::new(None).claim(NOW, 300).is_some());
    }

    #[test]
    fn a_use_is_noted_once_the_last_is_older_than_five_minutes() {
        assert!(used_ago(0).claim(NOW, 300).is_none());
        assert!(used_ago(300).claim(NOW, 300).is_none());
        assert!(used_ago(301).claim(NOW, 300).is_some());
    }

    #[test]
    fn a_noted_use_is_not_noted_again() {
        let last_used = used_ago(1000);
        assert!(last_used.claim(NOW, 300).is_some());
        assert!(last_used.claim(NOW, 300).is_none());
    }

    #[test]
    fn a_use_that_found_the_queue_full_is_left_to_the_next_one() {
        let last_used = used_ago(1000);
        let before = last_used.claim(NOW, 300).unwrap();
        last_used.give_back(before);
        assert!(last_used.claim(NOW, 300).is_some());
    }
}
