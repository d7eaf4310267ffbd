//! Clients that are not used any more: they are deleted when their time has come, and their streams closed. Streams
//! are also closed if their client is found to be gone without a word.
//!
//! A client that has expired is invisible to look-ups from that moment, whether or not its row is there still.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::Authenticator;
use super::stream_check::StreamCheck;
use crate::hub::Hub;
use crate::store::{Database, Owned, Revocation, StoreError};
use crate::task;

/// How often an open stream counts as a use of its client, as in Gotify.
const USE_PERIOD: Duration = Duration::from_mins(5);

/// The least time between two rounds, so that many clients that expire one after the other are one transaction.
const ROUND: Duration = Duration::from_secs(1);

/// How long to leave a database alone that did not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The task that looks after clients that expire. It ends with the last handle.
#[derive(Clone, Debug)]
pub struct ClientExpiry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    changed: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl ClientExpiry {
    /// Starts the task.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime.
    pub fn spawn(database: Arc<dyn Database>, auth: Authenticator, hub: Hub) -> Self {
        let changed = Arc::new(Notify::new());
        let streams = StreamCheck::new(Arc::clone(&database), auth.clone(), hub.clone());
        let task = Task { database, auth, hub, streams, changed: Arc::clone(&changed) };
        Self(Arc::new(Inner { changed, _task: AbortOnDropHandle::new(task::spawn(task.run_on())) }))
    }

    /// To be called when a client may expire sooner than any did before.
    pub fn changed(&self) {
        self.0.changed.notify_one();
    }
}

struct Task {
    database: Arc<dyn Database>,
    auth: Authenticator,
    hub: Hub,
    streams: StreamCheck,
    changed: Arc<Notify>,
}

impl Task {
    /// Runs the task, and runs it again after a while whenever it panics.
    async fn run_on(self) {
        while AssertUnwindSafe(self.run()).catch_unwind().await.is_err() {
            self.hub.report_panic("client expiry");
            sleep(PATIENCE).await;
        }
    }

    async fn run(&self) {
        let mut next_use = Instant::now() + USE_PERIOD;
        let mut earliest = Instant::now();
        loop {
            let next_round = match self.next_expiry().await {
                Ok(next) => next.map_or(next_use, |next| next.min(next_use)).max(earliest),
                Err(error) => {
                    tracing::debug!(%error, "failed to look for clients that expire");
                    Instant::now() + PATIENCE
                }
            };
            tokio::select! {
                biased;
                () = self.changed.notified() => continue,
                () = sleep_until(next_round) => {}
            }
            earliest = Instant::now() + ROUND;
            // In this order: a client whose stream is open at its last moment is used.
            if Instant::now() >= next_use {
                next_use = Instant::now() + USE_PERIOD;
                if let Err(error) = self.streams.check().await {
                    tracing::debug!(%error, "failed to note the clients that have streams as used");
                }
            }
            if let Err(error) = self.delete_expired().await {
                tracing::debug!(%error, "failed to delete clients that have expired");
                earliest = Instant::now() + PATIENCE;
            }
        }
    }

    async fn next_expiry(&self) -> Result<Option<Instant>, StoreError> {
        let Some(at) = self.database.next_client_expiry().await? else { return Ok(None) };
        let left = (at - self.auth.now()).to_std().unwrap_or_default();
        // Beyond what an instant can hold is never.
        Ok(Instant::now().checked_add(left))
    }

    async fn delete_expired(&self) -> Result<(), StoreError> {
        let deleted = self.database.delete_expired_clients(self.auth.now()).await?;
        if !deleted.is_empty() {
            tracing::debug!(clients = deleted.len(), "deleted clients that have expired");
        }
        for Owned { user_id, row: token } in deleted {
            Revocation::ClientExpired { user_id, token }.apply(&self.auth, &self.hub);
        }
        Ok(())
    }
}
