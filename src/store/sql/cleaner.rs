//! The task that deletes what is left of applications and users that were deleted.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::deletions::Deletion;
use super::{Connections, Dialect, Lease as _, Session, keyed, query, search};
use crate::model::{ApplicationId, MessageId};
use crate::store::StoreError;
use crate::task;

/// When a slice was refused, the next one is tried after so long.
const RETRY: Duration = Duration::from_mins(1);

/// After so long without such a look, it looks for what others have left, which nobody has told it of.
const OF_OTHERS: Duration = Duration::from_hours(24);

/// Of more than so many applications it is not remembered which they are.
const MOST_KNOWN: usize = 1000;

/// Whose messages may be left.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    /// Those of these applications, which were deleted.
    Of(Vec<ApplicationId>),
    /// Those of anybody, and the index of anybody: all that have some are compared with those that are there.
    OfAnybody,
}

impl Left {
    fn add(&mut self, more: Self) {
        match (&mut *self, more) {
            (Self::Of(known), Self::Of(more)) if known.len() + more.len() <= MOST_KNOWN => known.extend(more),
            _ => *self = Self::OfAnybody,
        }
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Default for Left {
    fn default() -> Self {
        Self::Of(Vec::new())
    }
}

/// The task. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Cleaner {
    left: Arc<Mutex<Left>>,
    wake: Arc<Notify>,
    is_stopped: Arc<AtomicBool>,
    task: AbortOnDropHandle<()>,
}

impl Cleaner {
    /// Waits until there may be something left.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(crate) fn spawn(readers: Arc<impl Connections>, writers: Arc<impl Connections>) -> Self {
        let (left, wake, is_stopped) = (Arc::default(), Arc::default(), Arc::default());
        let told = (Arc::clone(&wake), Arc::clone(&is_stopped));
        let task = task::spawn(clean((readers, writers), Arc::clone(&left), told));
        Self { left, wake, is_stopped, task: AbortOnDropHandle::new(task) }
    }

    /// Ends it, before the connections are closed that it needs. The next start deletes what is left.
    pub(crate) fn stop(&self) {
        // It may be at work on another thread until it waits again.
        self.is_stopped.store(true, Ordering::Release);
        self.task.abort();
    }

    /// There may be messages and an index of anybody.
    pub(crate) fn look_everywhere(&self) {
        self.look_for(Left::OfAnybody);
    }

    /// This application was deleted.
    pub(crate) fn look_for_application(&self, application: ApplicationId) {
        self.look_for(Left::Of(vec![application]));
    }

    fn look_for(&self, more: Left) {
        self.left.lock().add(more);
        self.wake.notify_one();
    }
}

async fn clean(
    (readers, writers): (Arc<impl Connections>, Arc<impl Connections>),
    known: Arc<Mutex<Left>>,
    (wake, is_stopped): (Arc<Notify>, Arc<AtomicBool>),
) {
    // What another program deletes leaves keys, so that only the first time looks for them.
    let mut keys_from = Some(MessageId(0));
    let mut next_look = Instant::now() + OF_OTHERS;
    loop {
        let mut left = match timeout_at(next_look, wake.notified()).await {
            Ok(()) => known.lock().take(),
            Err(_) => Left::OfAnybody,
        };
        while !is_cleaned((&*readers, &*writers), &left, &mut keys_from, &is_stopped).await {
            // Whoever deletes something may find that it works again. The database may have gone back meanwhile, and what
            // was deleted be there again.
            let _ = timeout(RETRY, wake.notified()).await;
            known.lock().take();
            left = Left::OfAnybody;
        }
        if left == Left::OfAnybody {
            next_look = Instant::now() + OF_OTHERS;
        }
    }
}

/// Deletes all that is left; false if that is to be tried again.
async fn is_cleaned(
    (readers, writers): (&impl Connections, &impl Connections),
    left: &Left,
    keys_from: &mut Option<MessageId>,
    is_stopped: &AtomicBool,
) -> bool {
    let clean = async {
        delete_messages(readers, writers, left).await?;
        if *left == Left::OfAnybody {
            search::delete_of_nobody(readers, writers).await?;
        }
        forget_stale_keys(readers, writers, keys_from).await
    };
    match AssertUnwindSafe(clean).catch_unwind().await {
        Ok(Ok(())) => true,
        // There are no connections any more.
        Ok(Err(_)) if is_stopped.load(Ordering::Acquire) => false,
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(tracing::field::display);
            tracing::warn!(%error, cause, "messages of deleted applications are deleted later");
            false
        }
        Err(_) => {
            tracing::error!("deleting messages of deleted applications panicked, it is tried again");
            false
        }
    }
}

async fn delete_messages(
    readers: &impl Connections,
    writers: &impl Connections,
    left: &Left,
) -> Result<(), StoreError> {
    let mut lease = readers.lease("look for messages of deleted applications").await?;
    let mut session = lease.session();
    let found = async {
        let applications = match left {
            Left::Of(applications) => applications.clone(),
            Left::OfAnybody => orphaned(&mut session).await?,
        };
        let deletion = Deletion::whole(applications);
        Ok(deletion.is_left(&mut session).await?.then_some(deletion))
    };
    let found = found.await;
    match lease.end(found).await? {
        Some(deletion) => deletion.run(writers).await,
        None => Ok(()),
    }
}

/// Returns the applications that have messages and are not there.
async fn orphaned<D: Dialect>(session: &mut Session<'_, D>) -> Result<Vec<ApplicationId>, sqlx::Error> {
    let found = session.all(query(D::ORPHANED)).await?;
    found.iter().map(|found| found.unsigned(0).map(ApplicationId)).collect()
}

/// Forgets the keys of messages that are gone, above an id, and notes how far it has come. Whoever stores messages waits
/// only where some are found.
async fn forget_stale_keys(
    readers: &impl Connections,
    writers: &impl Connections,
    from: &mut Option<MessageId>,
) -> Result<(), StoreError> {
    while let Some(after) = *from {
        let mut lease = readers.lease("look for keys of messages that are gone").await?;
        let found = keyed::stale(&mut lease.session(), after).await;
        let (stale, last) = lease.end(found).await?;
        if !stale.is_empty() {
            let mut lease = writers.lease("forget the keys of messages that are gone").await?;
            let forgotten = keyed::forget(&mut lease.session(), &stale).await;
            lease.end(forgotten).await?;
        }
        *from = last;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_deleted_applications_it_is_not_remembered_which_they_are() {
        let some = |count| Left::Of((0..count).map(ApplicationId).collect());
        let mut left = some(600);
        left.add(some(400));
        assert!(matches!(left.take(), Left::Of(known) if known.len() == MOST_KNOWN));
        assert_eq!(left, Left::default());
        left.add(some(1001));
        assert_eq!(left, Left::OfAnybody);
        left.add(some(1));
        assert_eq!(left.take(), Left::OfAnybody);
    }
}
