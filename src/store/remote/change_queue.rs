//! Applications that are made and deleted, on a connection of their own: what waits becomes one transaction.
//!
//! Two changes of one user lock the same row until their commits. In transactions of their own, a user's changes would
//! each wait for one sync of the server's disk after the other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use super::kept::KeptConnection;
use super::pool::{Pool, store_error};
use super::{OPERATION, RemoteDialect};
use crate::model::Application;
use crate::store::StoreError;
use crate::store::sql::application_changes;
use crate::store::sql::{ApplicationChange, Lease as _};
use crate::task;

/// Most changes in one transaction: far more than wait at once.
const MOST_CHANGES: usize = 64;

/// Changes that wait. Whoever comes when there are so many waits for a place.
const QUEUE: usize = 1024;

/// What a transaction must have left of the time of each of its changes. A change that has less is refused.
const NEEDED: Duration = Duration::from_secs(1);

/// What came of a change.
type Outcome = Result<Option<Application>, StoreError>;

/// A change on its way to the database, and who waits for it.
struct Job {
    change: ApplicationChange,
    deadline: Instant,
    reply: oneshot::Sender<Outcome>,
}

/// The way to the task that makes the changes. The task ends when this is dropped.
#[derive(Debug)]
pub(super) struct ChangeQueue<D: RemoteDialect> {
    jobs: mpsc::Sender<Job>,
    connection: Arc<KeptConnection<D>>,
    _task: AbortOnDropHandle<()>,
}

impl<D: RemoteDialect> ChangeQueue<D> {
    /// Connects when the first change comes, by a pool of one connection.
    pub(super) fn spawn(pool: Pool<D>) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let connection = Arc::new(KeptConnection::new(pool));
        let task = task::spawn(make_all(Arc::clone(&connection), waiting));
        Self { jobs, connection, _task: AbortOnDropHandle::new(task) }
    }

    /// Makes a change, after those that came before it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the change is made or not.
    pub(super) async fn make(&self, change: ApplicationChange) -> Outcome {
        let operation = change.operation();
        let deadline = Instant::now() + OPERATION;
        let (reply, outcome) = oneshot::channel();
        match timeout_at(deadline, self.jobs.send(Job { change, deadline, reply })).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(store_error::<D>(operation, sqlx::Error::PoolClosed)),
            Err(_) => return Err(store_error::<D>(operation, sqlx::Error::PoolTimedOut)),
        }
        // The task keeps the deadline. It drops the reply if it panics.
        outcome.await.unwrap_or_else(|_| Err(store_error::<D>(operation, sqlx::Error::WorkerCrashed)))
    }

    /// Closes the connection once what runs on it has ended.
    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}

async fn make_all<D: RemoteDialect>(connection: Arc<KeptConnection<D>>, mut waiting: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(MOST_CHANGES);
    while waiting.recv_many(&mut jobs, MOST_CHANGES).await > 0 {
        if AssertUnwindSafe(make_some(&connection, &mut jobs)).catch_unwind().await.is_err() {
            tracing::error!("changing applications panicked, and goes on with the next change");
        }
        jobs.clear();
    }
}

/// Makes changes in one transaction. If the database refuses one of them, each is made alone.
async fn make_some<D: RemoteDialect>(connection: &KeptConnection<D>, jobs: &mut Vec<Job>) {
    let latest = Instant::now() + NEEDED;
    for late in jobs.extract_if(.., |job| job.deadline < latest) {
        let error = store_error::<D>(late.change.operation(), sqlx::Error::PoolTimedOut);
        let _ = late.reply.send(Err(error));
    }
    let (mut changes, mut replies) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    let Some(deadline) = jobs.iter().map(|job| job.deadline).min() else { return };
    for Job { change, reply, .. } in jobs.drain(..) {
        changes.push(change);
        replies.push(reply);
    }
    match make_together(connection, &changes, deadline).await {
        Ok(made) => {
            for (reply, made) in replies.into_iter().zip(made) {
                // Whoever went away has nobody to answer.
                let _ = reply.send(Ok(made));
            }
        }
        Err(error) if changes.len() == 1 => {
            let _ = replies.remove(0).send(Err(error));
        }
        Err(StoreError::Unavailable { source, .. }) => {
            let source = source.to_string();
            for (reply, change) in replies.into_iter().zip(changes) {
                let (operation, source) = (change.operation(), source.clone().into());
                let _ = reply.send(Err(StoreError::Unavailable { operation, source }));
            }
        }
        Err(_) => {
            for (reply, change) in replies.into_iter().zip(changes) {
                let made = make_together(connection, &[change], deadline).await;
                let _ = reply.send(made.map(|mut made| made.pop().flatten()));
            }
        }
    }
}

async fn make_together<D: RemoteDialect>(
    connection: &KeptConnection<D>,
    changes: &[ApplicationChange],
    deadline: Instant,
) -> Result<Vec<Option<Application>>, StoreError> {
    let operation = match changes {
        [change] => change.operation(),
        _ => "change applications",
    };
    let mut lease = connection.lease_until(operation, deadline).await?;
    let made = application_changes::apply(&mut lease.session(), changes).await;
    lease.end(made).await
}
