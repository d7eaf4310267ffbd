//! The connection by which messages are stored.
//!
//! sqlx asks the server about each connection that goes back to its pool, and the next batch would wait for the
//! answer. So this connection does not go back while it works.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::pool::{Pool, PoolLease, store_error};
use super::{RemoteDialect, history};
use crate::model::MessageId;
use crate::store::StoreError;
use crate::store::sql::{Lease, Session};

/// A connection for one operation at a time.
#[derive(Debug)]
pub(super) struct KeptConnection<D: RemoteDialect> {
    pool: Pool<D>,
    kept: Mutex<Option<PoolLease<D>>>,
    newest_stored: AtomicU64,
    went_back: AtomicBool,
}

impl<D: RemoteDialect> KeptConnection<D> {
    /// Connects when it is first needed, by a pool of one connection.
    pub(super) fn new(pool: Pool<D>) -> Self {
        Self {
            pool,
            kept: Mutex::new(None),
            newest_stored: AtomicU64::new(0),
            went_back: AtomicBool::new(false),
        }
    }

    /// Waits for the connection for an operation that has time until a deadline.
    pub(super) async fn lease_until(
        &self,
        operation: &'static str,
        deadline: Instant,
    ) -> Result<KeptLease<'_, D>, StoreError> {
        let kept = timeout_at(deadline, self.kept.lock()).await;
        let mut kept = kept.map_err(|_| store_error::<D>(operation, sqlx::Error::PoolTimedOut))?;
        let is_usable = match &mut *kept {
            Some(lease) => lease.renew(operation, deadline).await,
            None => false,
        };
        if !is_usable {
            // The one before must be closed first: the pool has place for one.
            *kept = None;
            let mut lease = self.pool.lease_until(operation, Some(deadline)).await?;
            let checked = history::check(&mut lease.session(), self.newest_stored()).await;
            lease.finish(checked).await?;
            lease.renew(operation, deadline).await;
            *kept = Some(lease);
        }
        Ok(KeptLease { kept })
    }

    /// The newest message that was stored by it.
    pub(super) fn newest_stored(&self) -> MessageId {
        MessageId(self.newest_stored.load(Ordering::Relaxed))
    }

    /// Notes that messages up to this one were stored.
    pub(super) fn note_stored(&self, newest: MessageId) {
        self.newest_stored.fetch_max(newest.0, Ordering::Relaxed);
    }

    /// Whether the database was found to have gone back, and the log does not say so yet. A transaction that has found it may
    /// be given up.
    pub(super) fn went_back(&self) -> &AtomicBool {
        &self.went_back
    }

    /// Closes the connection once what runs on it has ended.
    pub(super) async fn close(&self) {
        *self.kept.lock().await = None;
        self.pool.close().await;
    }
}

/// The connection, held for one operation. If that is dropped half-way, the connection is closed before the next one.
#[derive(Debug)]
pub(super) struct KeptLease<'k, D: RemoteDialect> {
    kept: MutexGuard<'k, Option<PoolLease<D>>>,
}

impl<D: RemoteDialect> KeptLease<'_, D> {
    fn lease(&mut self) -> &mut PoolLease<D> {
        self.kept.as_mut().expect("it is there until the lease is gone")
    }
}

impl<D: RemoteDialect> Lease for KeptLease<'_, D> {
    type Dialect = D;

    fn session(&mut self) -> Session<'_, D> {
        self.lease().session()
    }

    async fn end<T: Send>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.lease().finish(result).await
    }
}
