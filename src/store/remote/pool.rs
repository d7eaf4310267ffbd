//! Connections to a server, and what becomes of one after its operation.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::Connection as _;
use sqlx::pool::{PoolConnection, PoolOptions};
use tokio::time::{Instant, timeout, timeout_at};

use super::dialect::Options;
use super::{Fault, OPERATION, RemoteDialect};
use crate::store::StoreError;
use crate::store::sql::dialect::Connection;
use crate::store::sql::{self, Connections, Lease, Session};

/// A connection that was not used for so long is tried before it is used: the server may have been restarted.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// A connection that is kept is replaced after so long, as those of a pool are: servers and proxies end old ones.
const MOST_AGE: Duration = Duration::from_mins(30);

/// How long it may take to roll back. After that the connection is closed, which does the same.
const ROLLBACK: Duration = Duration::from_secs(1);

/// A few connections that are prepared in the same way.
#[derive(Debug)]
pub(crate) struct Pool<D: RemoteDialect> {
    dialect: Arc<D>,
    connections: sqlx::Pool<D::Database>,
    last_cut: Arc<LastCut>,
}

/// When a connection was last found to be cut. What cut it may have cut all that were not used since.
#[derive(Debug, Default)]
struct LastCut(Mutex<Option<Instant>>);

impl LastCut {
    fn is_within(&self, idle_for: Duration) -> bool {
        self.0.lock().is_some_and(|at| at.elapsed() <= idle_for)
    }

    fn set(&self) {
        *self.0.lock() = Some(Instant::now());
    }
}

impl<D: RemoteDialect> Pool<D> {
    /// Opens none yet: each is opened when first needed.
    pub(super) fn new(dialect: &Arc<D>, options: &Options<D>, most: u32, prepare: &'static str) -> Self {
        let last_cut = Arc::new(LastCut::default());
        let known = Arc::clone(&last_cut);
        let connections = PoolOptions::new()
            .max_connections(most)
            .acquire_timeout(OPERATION)
            .test_before_acquire(false)
            .before_acquire(move |connection: &mut Connection<D>, state| {
                let is_trusted = state.idle_for < TRIED_AFTER && !known.is_within(state.idle_for);
                Box::pin(async move { Ok(is_trusted || answers::<D>(connection).await) })
            })
            .after_connect(move |connection, _| D::batch(connection, prepare))
            .connect_lazy_with(options.clone());
        Self { dialect: Arc::clone(dialect), connections, last_cut }
    }

    /// Waits for a connection for an operation that has time until a deadline.
    pub(super) async fn lease_until(
        &self,
        operation: &'static str,
        deadline: Option<Instant>,
    ) -> Result<PoolLease<D>, StoreError> {
        let acquired = match deadline {
            Some(deadline) => timeout_at(deadline, self.connections.acquire())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut)),
            None => self.connections.acquire().await,
        };
        let connection = acquired.map_err(|error| store_error::<D>(operation, error))?;
        Ok(PoolLease {
            operation,
            dialect: Arc::clone(&self.dialect),
            connection,
            deadline,
            has_ended: false,
            leased_at: Instant::now(),
            ended_at: Instant::now(),
            last_cut: Arc::clone(&self.last_cut),
        })
    }

    /// The dialect that its connections speak.
    pub(super) fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Connects once, and returns why that is not possible.
    pub(super) async fn connect(&self) -> Result<(), sqlx::Error> {
        self.connections.acquire().await.map(drop)
    }

    /// Closes the connections once what runs on them has ended.
    pub(super) async fn close(&self) {
        self.connections.close().await;
    }
}

impl<D: RemoteDialect> Connections for Pool<D> {
    type Dialect = D;
    type Lease<'a> = PoolLease<D>;

    async fn lease(&self, operation: &'static str) -> Result<PoolLease<D>, StoreError> {
        self.lease_until(operation, Some(Instant::now() + OPERATION)).await
    }
}

/// A connection, held for one operation.
#[derive(Debug)]
pub(crate) struct PoolLease<D: RemoteDialect> {
    operation: &'static str,
    dialect: Arc<D>,
    connection: PoolConnection<D::Database>,
    deadline: Option<Instant>,
    /// Whether its operation has ended in such a way that the connection can be used again.
    has_ended: bool,
    leased_at: Instant,
    ended_at: Instant,
    last_cut: Arc<LastCut>,
}

impl<D: RemoteDialect> PoolLease<D> {
    /// Goes on with the next operation, without the pool. False if the connection can't be used again, or is old.
    pub(super) async fn renew(&mut self, operation: &'static str, deadline: Instant) -> bool {
        let is_usable = std::mem::replace(&mut self.has_ended, false);
        (self.operation, self.deadline) = (operation, Some(deadline));
        let is_young = self.leased_at.elapsed() < MOST_AGE;
        is_usable
            && is_young
            && (self.ended_at.elapsed() < TRIED_AFTER || answers::<D>(&mut self.connection).await)
    }

    /// Takes what came of the operation. Rolls back if it failed.
    pub(super) async fn finish<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.has_ended = match &result {
            Ok(_) => true,
            Err(sqlx::Error::Database(_) | sqlx::Error::RowNotFound | sqlx::Error::Encode(_)) => {
                let rolled_back = D::batch(&mut self.connection, "ROLLBACK");
                matches!(timeout(ROLLBACK, rolled_back).await, Ok(Ok(())))
            }
            Err(_) => false,
        };
        if is_cut::<D, _>(&result) {
            self.last_cut.set();
        }
        self.ended_at = Instant::now();
        result.map_err(|error| store_error::<D>(self.operation, error))
    }

    /// Closes the connection, whatever came of its operation.
    pub(super) fn discard(mut self) {
        self.connection.close_on_drop();
        self.has_ended = true;
    }
}

impl<D: RemoteDialect> Lease for PoolLease<D> {
    type Dialect = D;

    fn session(&mut self) -> Session<'_, D> {
        Session::new(&self.dialect, &mut self.connection, self.deadline)
    }

    fn was_cut<T>(&self, result: &Result<T, sqlx::Error>) -> bool {
        let was_cut = is_cut::<D, _>(result);
        if was_cut {
            self.last_cut.set();
        }
        // What fails later has no time to be tried again.
        was_cut && self.leased_at.elapsed() < TRIED_AFTER
    }

    async fn end<T: Send>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.finish(result).await
    }
}

/// What was dropped half-way goes on in the server, and a transaction may be open.
impl<D: RemoteDialect> Drop for PoolLease<D> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}

/// Whether the server answers soon.
async fn answers<D: RemoteDialect>(connection: &mut Connection<D>) -> bool {
    matches!(timeout(TRIED_AFTER, connection.ping()).await, Ok(Ok(())))
}

/// Whether an operation failed because its connection was cut.
fn is_cut<D: RemoteDialect, T>(result: &Result<T, sqlx::Error>) -> bool {
    match result {
        Err(sqlx::Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut => false,
        Err(error) => fault::<D>(error) == Fault::Disconnected,
        Ok(_) => false,
    }
}

/// Says what an error means.
pub(super) fn fault<D: RemoteDialect>(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => D::fault(&**error),
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Fault::Disconnected,
        sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Fault::Unavailable,
        _ => Fault::Other,
    }
}

/// Maps what went wrong in an `operation`.
pub(super) fn store_error<D: RemoteDialect>(operation: &'static str, error: sqlx::Error) -> StoreError {
    match fault::<D>(&error) {
        Fault::Taken(what) => StoreError::Conflict { what },
        Fault::Conflict | Fault::Disconnected | Fault::Unavailable => {
            StoreError::Unavailable { operation, source: cause(error) }
        }
        Fault::Unstorable(why) => StoreError::Unstorable(why),
        Fault::Other => StoreError::Failed { operation, source: cause(error) },
    }
}

/// Returns what the database said, or that there was no connection in time.
pub(super) fn cause(error: sqlx::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        sqlx::Error::PoolTimedOut => {
            let text = format!("no connection within {} s", OPERATION.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, text).into()
        }
        other => sql::cause(other),
    }
}
