//! The connection by which messages are stored.
//!
//! A new connection may be to a database that went back to an earlier state, and that is looked for before its first batch.
//! So it does not go back to its pool while it works.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::pool::{Pool, PoolLease, store_error};
use super::{RemoteDialect, history};
use crate::model::MessageId;
use crate::store::StoreError;
use crate::store::sql::{Lease, Session, query};

/// A connection for one operation at a time.
#[derive(Debug)]
pub(super) struct KeptConnection<D: RemoteDialect> {
    pool: Pool<D>,
    kept: Mutex<Option<PoolLease<D>>>,
    newest_stored: AtomicU64,
    went_back: AtomicBool,
    most_bytes: AtomicUsize,
}

impl<D: RemoteDialect> KeptConnection<D> {
    /// Connects when it is first needed, by a pool of one connection.
    pub(super) fn new(pool: Pool<D>) -> Self {
        Self {
            pool,
            kept: Mutex::new(None),
            newest_stored: AtomicU64::new(0),
            went_back: AtomicBool::new(false),
            most_bytes: AtomicUsize::new(usize::MAX),
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
            let checked = self.check(&mut lease.session()).await;
            lease.finish(checked).await?;
            lease.renew(operation, deadline).await;
            *kept = Some(lease);
        }
        Ok(KeptLease { kept })
    }

    /// Looks at what a new connection is to.
    async fn check(&self, session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
        history::check(session, self.newest_stored()).await?;
        if let Some(most_bytes) = D::MOST_BYTES {
            let found = session.one(query(most_bytes)).await?.unsigned(0)?;
            self.most_bytes.store(usize::try_from(found).unwrap_or(usize::MAX), Ordering::Relaxed);
        }
        Ok(())
    }

    /// How many bytes a statement may have.
    pub(super) fn most_bytes(&self) -> usize {
        self.most_bytes.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn set_most_bytes(&self, most_bytes: usize) {
        self.most_bytes.store(most_bytes, Ordering::Relaxed);
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
