//! The connection by which messages are stored.
//!
//! sqlx asks the server about each connection that goes back to its pool, and the next batch would wait for the
//! answer. So this connection does not go back while it works.

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::RemoteDialect;
use super::pool::{Pool, PoolLease, store_error};
use crate::store::StoreError;
use crate::store::sql::{Lease, Session};

/// A connection for one operation at a time.
#[derive(Debug)]
pub(super) struct KeptConnection<D: RemoteDialect> {
    pool: Pool<D>,
    kept: Mutex<Option<PoolLease<D>>>,
}

impl<D: RemoteDialect> KeptConnection<D> {
    /// Connects when it is first needed, by a pool of one connection.
    pub(super) fn new(pool: Pool<D>) -> Self {
        Self { pool, kept: Mutex::new(None) }
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
            *kept = Some(self.pool.lease_until(operation, Some(deadline)).await?);
        }
        Ok(KeptLease { kept })
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
