//! Writing down when tokens were last used, off the path of the requests that use them.

use std::collections::HashMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::Clock;
use crate::model::{ApplicationId, ClientId, Timestamp};
use crate::store::{Database, StoreError};
use crate::task;

/// Uses that may wait to be written. When that many wait, a use is not noted; the token's next one is.
const CAPACITY: usize = 1024;

/// How long to leave a database alone that did not take them.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenHolder {
    /// An application.
    Application(ApplicationId),
    /// A client.
    Client(ClientId),
}

/// When a cached token was last used, as far as the database knows, or soon will.
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

/// The task that writes uses down, whatever waits at a time. Dropping this ends it; what it has not written is lost,
/// and noted with the token's next use.
pub(super) struct LastUsedWriter {
    unwritten: Arc<UnwrittenUses>,
    _task: AbortOnDropHandle<()>,
}

/// The uses that the database does not know of yet.
#[derive(Default)]
struct UnwrittenUses {
    uses: Mutex<HashMap<TokenHolder, Timestamp>>,
    added: Notify,
}

impl LastUsedWriter {
    pub(super) fn spawn(database: Arc<dyn Database>) -> Self {
        let unwritten = Arc::<UnwrittenUses>::default();
        let task = task::spawn(write(database, Arc::clone(&unwritten)));
        Self { unwritten, _task: AbortOnDropHandle::new(task) }
    }

    /// Notes that a token was used `now`, in Unix milliseconds, if that is news: if the last use that was noted is
    /// longer ago than the precision. Never waits. Answers whether the use is noted.
    pub(super) fn note(
        &self,
        holder: TokenHolder,
        last_used: &LastUsed,
        precision_seconds: i64,
        now: i64,
        clock: &Clock,
    ) -> bool {
        // Hardly ever news: the local time, which takes longer to get, is only asked for when it is.
        let Some(before) = last_used.claim(now.div_euclid(1000), precision_seconds) else {
            return false;
        };
        let is_noted = self.unwritten.add(holder, clock.now());
        if !is_noted {
            last_used.give_back(before);
        }
        is_noted
    }

    /// Returns when a token of this holder was last used, if that is not written yet.
    pub(super) fn unwritten(&self, holder: TokenHolder) -> Option<Timestamp> {
        self.unwritten.uses.lock().get(&holder).copied()
    }
}

impl UnwrittenUses {
    /// Answers whether there was room.
    fn add(&self, holder: TokenHolder, at: Timestamp) -> bool {
        let mut uses = self.uses.lock();
        if uses.len() >= CAPACITY && !uses.contains_key(&holder) {
            return false;
        }
        uses.insert(holder, at);
        drop(uses);
        self.added.notify_one();
        true
    }

    fn batch(&self) -> Vec<(TokenHolder, Timestamp)> {
        self.uses.lock().iter().map(|(&holder, &at)| (holder, at)).collect()
    }

    /// Takes out what is written, but not what was used again since.
    fn remove(&self, written: &[(TokenHolder, Timestamp)]) {
        let mut uses = self.uses.lock();
        for (holder, at) in written {
            if uses.get(holder) == Some(at) {
                uses.remove(holder);
            }
        }
    }
}

impl fmt::Debug for LastUsedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUsedWriter").finish_non_exhaustive()
    }
}

async fn write(database: Arc<dyn Database>, unwritten: Arc<UnwrittenUses>) {
    loop {
        let batch = unwritten.batch();
        if batch.is_empty() {
            unwritten.added.notified().await;
            continue;
        }
        match AssertUnwindSafe(write_batch(&*database, &batch)).catch_unwind().await {
            Ok(Ok(())) => unwritten.remove(&batch),
            Ok(Err(error)) => {
                tracing::debug!(%error, "failed to note when tokens were last used");
                sleep(PATIENCE).await;
            }
            Err(_) => {
                // The panic hook has said where and why. These uses are lost, and noted with the tokens' next ones.
                tracing::error!(
                    part = "last used",
                    "noting when tokens were last used panicked, and goes on"
                );
                unwritten.remove(&batch);
            }
        }
    }
}

async fn write_batch(database: &dyn Database, batch: &[(TokenHolder, Timestamp)]) -> Result<(), StoreError> {
    let (mut applications, mut clients) = (Vec::new(), Vec::new());
    let Some(latest) = batch.iter().map(|&(_, at)| at).max() else { return Ok(()) };
    for &(holder, _) in batch {
        match holder {
            TokenHolder::Application(id) => applications.push(id),
            TokenHolder::Client(id) => clients.push(id),
        }
    }
    if !applications.is_empty() {
        database.touch_applications(&applications, latest).await?;
    }
    if !clients.is_empty() {
        database.touch_clients(&clients, latest).await?;
    }
    Ok(())
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
    fn a_use_that_is_not_noted_is_left_to_the_next_one() {
        let last_used = used_ago(1000);
        let before = last_used.claim(NOW, 300).unwrap();
        last_used.give_back(before);
        assert!(last_used.claim(NOW, 300).is_some());
    }

    #[test]
    fn a_use_is_unwritten_until_it_is_written() {
        let unwritten = UnwrittenUses::default();
        let at = |seconds| chrono::DateTime::from_timestamp(NOW + seconds, 0).unwrap().into();
        let phone = TokenHolder::Client(ClientId(1));
        assert!(unwritten.add(phone, at(0)));
        assert!(unwritten.add(TokenHolder::Application(ApplicationId(1)), at(0)));
        let batch = unwritten.batch();
        assert_eq!(batch.len(), 2);
        assert!(unwritten.add(phone, at(1)), "it is used again while that is written");
        unwritten.remove(&batch);
        assert_eq!(unwritten.batch(), [(phone, at(1))]);
    }

    #[test]
    fn a_use_for_which_there_is_no_room_is_not_noted() {
        let unwritten = UnwrittenUses::default();
        let at = chrono::DateTime::from_timestamp(NOW, 0).unwrap().into();
        for id in 0..CAPACITY as u64 {
            assert!(unwritten.add(TokenHolder::Client(ClientId(id)), at));
        }
        assert!(!unwritten.add(TokenHolder::Client(ClientId(CAPACITY as u64)), at));
        assert!(unwritten.add(TokenHolder::Client(ClientId(0)), at), "it is there already");
    }
}
