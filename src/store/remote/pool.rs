//! Connections to a server, and what becomes of one after its operation.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use futures_util::future::join_all;
use parking_lot::Mutex;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::dialect::Options;
use super::{Fault, OPERATION, RemoteDialect};
use crate::store::StoreError;
use crate::store::sql::dialect::Connection;
use crate::store::sql::{self, Connections, Lease, Session, Spares};
use crate::task;

/// A connection that was not used for so long is tried before it is used: the server may have been restarted.
const TRIED_AFTER: Duration = Duration::from_secs(1);

/// A connection is replaced after so long: servers and proxies end old ones.
const MOST_AGE: Duration = Duration::from_mins(30);

/// A connection that nobody used for so long is closed, which returns the server's memory.
const LONGEST_IDLE: Duration = Duration::from_mins(10);

/// How long it may take to roll back. After that the connection is closed, which does the same.
const ROLLBACK: Duration = Duration::from_secs(1);

/// How long it may take to tell the server that a connection ends. After that it only finds its socket closed.
const CLOSE: Duration = Duration::from_secs(1);

/// How long to wait, at first and at most, before a server that is starting is asked again for a connection.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const MOST_WAIT: Duration = Duration::from_millis(400);

/// A few connections that are prepared in the same way.
#[derive(Debug)]
pub(crate) struct Pool<D: RemoteDialect> {
    dialect: Arc<D>,
    options: Options<D>,
    /// What a new connection runs first.
    prepare: &'static str,
    spares: Arc<Spares<Opened<D>>>,
    last_cut: Arc<LastCut>,
}

/// A connection, and since when it is open.
struct Opened<D: RemoteDialect> {
    connection: Connection<D>,
    since: Instant,
}

impl<D: RemoteDialect> fmt::Debug for Opened<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Opened").field("since", &self.since).finish_non_exhaustive()
    }
}

impl<D: RemoteDialect> Opened<D> {
    async fn close(self) {
        drop(timeout(CLOSE, self.connection.close()).await);
    }
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
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(super) fn new(dialect: &Arc<D>, options: &Options<D>, most: u32, prepare: &'static str) -> Self {
        Self {
            dialect: Arc::clone(dialect),
            options: options.clone(),
            prepare,
            spares: Spares::new(most, LONGEST_IDLE, Opened::close),
            last_cut: Arc::default(),
        }
    }

    /// Waits for a connection for an operation that has time until a deadline.
    pub(super) async fn lease_until(
        &self,
        operation: &'static str,
        deadline: Option<Instant>,
    ) -> Result<PoolLease<D>, StoreError> {
        let (opened, place) =
            self.acquire(deadline).await.map_err(|error| store_error::<D>(operation, error))?;
        Ok(PoolLease {
            operation,
            dialect: Arc::clone(&self.dialect),
            held: Some((opened, place)),
            spares: Arc::clone(&self.spares),
            deadline,
            has_ended: false,
            ended_at: Instant::now(),
            leased_at: Instant::now(),
            last_cut: Arc::clone(&self.last_cut),
        })
    }

    /// Returns a connection, and its place. Without a deadline it has the time of an operation for that.
    async fn acquire(
        &self,
        deadline: Option<Instant>,
    ) -> Result<(Opened<D>, OwnedSemaphorePermit), sqlx::Error> {
        let deadline = deadline.unwrap_or_else(|| Instant::now() + OPERATION);
        let place = self.spares.place(deadline).await?;
        let opened = async {
            match self.trusted_spare().await {
                Some(opened) => Ok(opened),
                None => self.connect(deadline).await,
            }
        };
        let opened = timeout_at(deadline, opened).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        Ok((opened, place))
    }

    /// Returns a connection that was used a moment ago, or still works.
    async fn trusted_spare(&self) -> Option<Opened<D>> {
        let mut spare = self.spares.take()?;
        let idle_for = spare.since.elapsed();
        let is_trusted = idle_for < TRIED_AFTER && !self.last_cut.is_within(idle_for);
        if is_trusted || answers::<D>(&mut spare.connection.connection).await {
            return Some(spare.connection);
        }
        // Whatever has cut it has cut the others too, and to ask each of them may take longer than the operation has.
        drop(self.spares.take_all());
        None
    }

    /// Opens a connection. A server that is starting is waited for.
    async fn connect(&self, deadline: Instant) -> Result<Opened<D>, sqlx::Error> {
        let mut wait = FIRST_WAIT;
        let mut connection = loop {
            match self.options.connect().await {
                Err(error) if is_starting(&error) && Instant::now() + wait < deadline => sleep(wait).await,
                opened => break opened?,
            }
            wait = (2 * wait).min(MOST_WAIT);
        };
        D::batch(&mut connection, self.prepare).await?;
        Ok(Opened { connection, since: Instant::now() })
    }

    /// The dialect that its connections speak.
    pub(super) fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Connects once, and returns why that is not possible.
    pub(super) async fn connect_once(&self) -> Result<(), sqlx::Error> {
        let (opened, place) = self.acquire(None).await?;
        self.spares.give_back(opened, place);
        Ok(())
    }

    /// How many connections nobody uses, and how many places are free.
    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        self.spares.counts()
    }

    /// Closes the connections once what runs on them has ended.
    pub(super) async fn close(&self) {
        let all = self.spares.end().await;
        join_all(self.spares.take_all().into_iter().map(|spare| spare.connection.close())).await;
        drop(all);
    }
}

/// Whether a server may answer in a moment.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.is_transient_in_connect_phase(),
        _ => false,
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
    /// Until it is given back.
    held: Option<(Opened<D>, OwnedSemaphorePermit)>,
    spares: Arc<Spares<Opened<D>>>,
    deadline: Option<Instant>,
    /// Whether its operation has ended in such a way that the connection can be used again.
    has_ended: bool,
    ended_at: Instant,
    leased_at: Instant,
    last_cut: Arc<LastCut>,
}

impl<D: RemoteDialect> PoolLease<D> {
    fn opened(&mut self) -> &mut Opened<D> {
        let (opened, _) = self.held.as_mut().expect("it is held until the lease is gone");
        opened
    }

    /// Goes on with the next operation, without the pool. False if the connection can't be used again, or is old.
    pub(super) async fn renew(&mut self, operation: &'static str, deadline: Instant) -> bool {
        let is_usable = std::mem::replace(&mut self.has_ended, false);
        (self.operation, self.deadline) = (operation, Some(deadline));
        let is_young = self.opened().since.elapsed() < MOST_AGE;
        let is_trusted = self.ended_at.elapsed() < TRIED_AFTER;
        is_usable && is_young && (is_trusted || answers::<D>(&mut self.opened().connection).await)
    }

    /// Takes what came of the operation. Rolls back if it failed.
    pub(super) async fn finish<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        self.has_ended = match &result {
            Ok(_) => true,
            Err(sqlx::Error::Database(_) | sqlx::Error::RowNotFound | sqlx::Error::Encode(_)) => {
                let rolled_back = D::batch(&mut self.opened().connection, "ROLLBACK");
                matches!(timeout(ROLLBACK, rolled_back).await, Ok(Ok(())))
            }
            Err(_) => false,
        };
        if is_cut::<D, _>(&result) || is_late(&result) {
            self.last_cut.set();
        }
        self.ended_at = Instant::now();
        result.map_err(|error| store_error::<D>(self.operation, error))
    }

    /// Closes the connection, whatever came of its operation.
    pub(super) async fn discard(mut self) {
        if let Some((opened, place)) = self.held.take() {
            opened.close().await;
            drop(place);
        }
    }
}

impl<D: RemoteDialect> Lease for PoolLease<D> {
    type Dialect = D;

    fn session(&mut self) -> Session<'_, D> {
        let (opened, _) = self.held.as_mut().expect("it is held until the lease is gone");
        Session::new(&self.dialect, &mut opened.connection, self.deadline)
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

/// What was dropped half-way goes on in the server, and a transaction may be open. So its connection is not used again.
impl<D: RemoteDialect> Drop for PoolLease<D> {
    fn drop(&mut self) {
        let Some((opened, place)) = self.held.take() else { return };
        if !self.has_ended {
            return;
        }
        if opened.since.elapsed() < MOST_AGE {
            self.spares.give_back(opened, place);
        } else if Handle::try_current().is_ok() {
            task::spawn(async move {
                opened.close().await;
                drop(place);
            });
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
        _ if is_late(result) => false,
        Err(error) => fault::<D>(error) == Fault::Disconnected,
        Ok(_) => false,
    }
}

/// Whether an operation had no answer in time: perhaps nobody is there any more.
fn is_late<T>(result: &Result<T, sqlx::Error>) -> bool {
    matches!(result, Err(sqlx::Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut)
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
