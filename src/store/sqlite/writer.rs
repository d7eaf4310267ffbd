//! The one connection that writes.
//!
//! SQLite has one writer at a time in any case; waiting here is cheaper and fairer than waiting for its lock.
//!
//! Transactions are begun and committed by plain statements, not by sqlx's `Transaction`: that one counts how
//! deep it is, and miscounts for good once SQLite has rolled back by itself, as it does when the disk is full.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use super::connection::WaitLimits;
use super::error::{is_broken, is_disk_fault, store_error};
use super::files::OpenedFiles;
use crate::store::StoreError;

/// The connection that writes, and how it is opened anew.
#[derive(Debug)]
pub(crate) struct Writer {
    options: SqliteConnectOptions,
    patience: WaitLimits,
    files: Arc<OpenedFiles>,
    connection_slot: Mutex<WriteConnection>,
    /// Whether the disk or the file system has refused a write since it was last known to take one.
    is_doubtful: AtomicBool,
}

#[derive(Debug)]
enum WriteConnection {
    Open(Opened),
    Closed,
}

#[derive(Debug)]
struct Opened {
    connection: SqliteConnection,
    state: State,
    /// How long its statements wait for another process' lock; `None` where that is not known.
    lock_patience: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    Settled,
    /// An operation failed, or was dropped half-way: a transaction may be open.
    Unsettled,
    /// To be replaced. It stays open until then: readers need no disk space while any connection is open.
    Broken,
}

/// The connection was not free in time.
#[derive(Debug, thiserror::Error)]
#[error("other operations had the connection for {} s", .0.as_secs())]
struct Occupied(Duration);

impl Writer {
    /// Writes by a connection that is open, and where it breaks by another one to the same files.
    pub(super) fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        patience: WaitLimits,
        files: Arc<OpenedFiles>,
    ) -> Self {
        let opened = Opened { connection, state: State::Settled, lock_patience: Some(patience.lock) };
        let connection_slot = Mutex::new(WriteConnection::Open(opened));
        Self { options, patience, files, connection_slot, is_doubtful: AtomicBool::new(false) }
    }

    /// Waits for the connection, in the order of the calls, and opens it anew where that is needed. All waits of an
    /// operation have one deadline: those that wait behind a lock of another process are refused together, not one
    /// after the other.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<WriteLease<'_>, StoreError> {
        let deadline = Instant::now() + self.patience.operation;
        let ready = async {
            let mut connection_slot = self.connection_slot.lock().await;
            self.files.verify_before().map_err(|change| change.refuse(operation))?;
            match &mut *connection_slot {
                WriteConnection::Open(opened) => self.make_ready(opened, deadline).await,
                WriteConnection::Closed => Err(sqlx::Error::PoolClosed),
            }
            .map_err(|error| store_error(operation, error))?;
            Ok(connection_slot)
        };
        let mut connection_slot = timeout_at(deadline, ready)
            .await
            .unwrap_or_else(|_| Err(Occupied(self.patience.operation).refuse(operation)))?;
        connection_slot.opened().state = State::Unsettled;
        Ok(WriteLease { operation, writer: self, connection_slot })
    }

    /// Brings the connection into a state in which an operation can begin.
    async fn make_ready(&self, opened: &mut Opened, deadline: Instant) -> Result<(), sqlx::Error> {
        if opened.state == State::Unsettled {
            opened.state = settle(&mut opened.connection).await;
        }
        if opened.state == State::Broken {
            let connection = self.options.connect().await?;
            *opened = Opened { connection, state: State::Settled, lock_patience: Some(self.patience.lock) };
        }
        let left = deadline.saturating_duration_since(Instant::now());
        opened.wait_for_locks(left.min(self.patience.lock)).await
    }

    /// Whether a write was refused for a reason that may last, such as a full disk.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful.load(Ordering::Relaxed)
    }

    /// A write was refused for such a reason.
    pub(super) fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::Relaxed);
    }

    /// Something was written: the doubt is over.
    pub(super) fn trust(&self) {
        self.is_doubtful.store(false, Ordering::Relaxed);
    }

    /// Closes the connection once what runs on it has ended; it won't open again.
    pub(super) async fn close(&self) -> Result<(), sqlx::Error> {
        let mut connection_slot = self.connection_slot.lock().await;
        match std::mem::replace(&mut *connection_slot, WriteConnection::Closed) {
            WriteConnection::Open(opened) => opened.connection.close().await,
            WriteConnection::Closed => Ok(()),
        }
    }
}

impl Opened {
    /// Sets how long its statements wait for another process' lock.
    async fn wait_for_locks(&mut self, patience: Duration) -> Result<(), sqlx::Error> {
        if self.lock_patience == Some(patience) {
            return Ok(());
        }
        self.lock_patience = None;
        let statement = format!("PRAGMA busy_timeout = {}", patience.as_millis());
        self.connection.execute(AssertSqlSafe(statement)).await?;
        self.lock_patience = Some(patience);
        Ok(())
    }
}

impl WriteConnection {
    fn opened(&mut self) -> &mut Opened {
        match self {
            Self::Open(opened) => opened,
            Self::Closed => unreachable!("a lease is made of an open connection"),
        }
    }
}

/// Ends the transaction that may be open.
async fn settle(connection: &mut SqliteConnection) -> State {
    match connection.execute("ROLLBACK").await {
        Err(error) if is_broken(&error) => State::Broken,
        // An error of any other kind is that there is no transaction.
        Ok(_) | Err(_) => State::Settled,
    }
}

impl Occupied {
    fn refuse(self, operation: &'static str) -> StoreError {
        StoreError::Unavailable { operation, source: self.into() }
    }
}

/// The connection that writes, held for one operation.
#[derive(Debug)]
pub(crate) struct WriteLease<'a> {
    operation: &'static str,
    writer: &'a Writer,
    connection_slot: MutexGuard<'a, WriteConnection>,
}

impl WriteLease<'_> {
    /// Gives the connection back with what came of the operation. Rolls back if it failed. What was written to files
    /// that are no longer at their place is not acknowledged.
    pub(super) async fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let state = match &result {
            Ok(_) => State::Settled,
            Err(error) if is_broken(error) => State::Broken,
            Err(_) => settle(&mut self).await,
        };
        self.connection_slot.opened().state = state;
        let value = result.map_err(|error| {
            if is_disk_fault(&error) {
                self.writer.doubt();
            }
            store_error(self.operation, error)
        })?;
        self.writer.files.verify_written().map_err(|change| change.refuse(self.operation))?;
        Ok(value)
    }
}

impl Deref for WriteLease<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match &*self.connection_slot {
            WriteConnection::Open(opened) => &opened.connection,
            WriteConnection::Closed => unreachable!("a lease is made of an open connection"),
        }
    }
}

impl DerefMut for WriteLease<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection_slot.opened().connection
    }
}
