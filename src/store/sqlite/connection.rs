//! The connection that writes, and the few that read.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Sqlite};
use tokio::sync::{Mutex, MutexGuard};

use super::error::{is_broken, store_error};
use crate::store::StoreError;

/// Most connections that read at once. Each is a thread and a page cache, so they are few.
const READERS: u32 = 4;

/// A reader that nobody used for so long is closed, which returns its memory.
const READER_IDLE: Duration = Duration::from_mins(5);

/// How long a read waits for one of the readers.
const READER_PATIENCE: Duration = Duration::from_secs(10);

/// The write-ahead log is cut to this length once it was longer, after a burst or a long read.
const LOG_LIMIT_BYTES: u32 = 32 * 1024 * 1024;

/// How the connection that writes is opened: what it acknowledges has been synced to the disk.
pub(super) fn writing(file: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    base(file, busy_timeout)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", LOG_LIMIT_BYTES.to_string())
}

/// How a connection that reads is opened: it never writes, and caches at most 512 KiB of pages.
fn reading(file: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    base(file, busy_timeout).pragma("query_only", "ON").pragma("cache_size", "-512")
}

/// How a connection is opened that leaves the file as it is, its mode included.
pub(super) fn unchanging(file: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    base(file, busy_timeout)
}

fn base(file: &Path, busy_timeout: Duration) -> SqliteConnectOptions {
    // Foreign keys stay off as in Gotify, whose tables declare none.
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(busy_timeout)
        .foreign_keys(false)
        .disable_statement_logging()
}

/// The one connection that writes. SQLite has one writer at a time in any case; waiting here is cheaper and
/// fairer than waiting for its lock.
///
/// Transactions are begun and committed by plain statements, not by sqlx's `Transaction`: that one counts how
/// deep it is, and miscounts for good once SQLite has rolled back by itself, as it does when the disk is full.
#[derive(Debug)]
pub(super) struct Writer {
    options: SqliteConnectOptions,
    slot: Mutex<Slot>,
}

#[derive(Debug)]
enum Slot {
    Unopened,
    Open(SqliteConnection, State),
    Closed,
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

impl Writer {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, slot: Mutex::new(Slot::Unopened) }
    }

    /// Waits for the connection, and opens it where that is needed.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<WriteLease<'_>, StoreError> {
        let mut slot = self.slot.lock().await;
        if let Slot::Open(connection, State::Unsettled) = &mut *slot {
            let state = settle(connection).await;
            *slot.state() = state;
        }
        match &*slot {
            Slot::Open(_, State::Settled | State::Unsettled) => {}
            Slot::Open(_, State::Broken) | Slot::Unopened => {
                let opened = self.options.connect().await;
                *slot = Slot::Open(opened.map_err(|error| store_error(operation, error))?, State::Settled);
            }
            Slot::Closed => return Err(store_error(operation, sqlx::Error::PoolClosed)),
        }
        *slot.state() = State::Unsettled;
        Ok(WriteLease { operation, slot })
    }

    /// Closes the connection once what runs on it has ended; it won't open again.
    pub(super) async fn close(&self) -> Result<(), sqlx::Error> {
        let mut slot = self.slot.lock().await;
        match std::mem::replace(&mut *slot, Slot::Closed) {
            Slot::Open(connection, _) => connection.close().await,
            Slot::Unopened | Slot::Closed => Ok(()),
        }
    }
}

impl Slot {
    fn connection(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Open(connection, _) => connection,
            Self::Unopened | Self::Closed => unreachable!("a lease is made of an open connection"),
        }
    }

    fn state(&mut self) -> &mut State {
        match self {
            Self::Open(_, state) => state,
            Self::Unopened | Self::Closed => unreachable!("a lease is made of an open connection"),
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

/// The connection that writes, held for one operation.
#[derive(Debug)]
pub(super) struct WriteLease<'a> {
    operation: &'static str,
    slot: MutexGuard<'a, Slot>,
}

impl WriteLease<'_> {
    /// Gives the connection back with what came of the operation, and rolls back if it failed.
    pub(super) async fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let state = match &result {
            Ok(_) => State::Settled,
            Err(error) if is_broken(error) => State::Broken,
            Err(_) => settle(&mut self).await,
        };
        *self.slot.state() = state;
        result.map_err(|error| store_error(self.operation, error))
    }
}

impl Deref for WriteLease<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match &*self.slot {
            Slot::Open(connection, _) => connection,
            Slot::Unopened | Slot::Closed => unreachable!("a lease is made of an open connection"),
        }
    }
}

impl DerefMut for WriteLease<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.slot.connection()
    }
}

/// The connections that read. They see the last commit and don't wait for the writer.
#[derive(Debug)]
pub(super) struct Readers(SqlitePool);

impl Readers {
    /// Opens none yet: each is opened when first needed.
    pub(super) fn new(file: &Path, busy_timeout: Duration) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(READER_PATIENCE)
            // A connection that fails is closed by its lease; asking each one first would cost every read a
            // turn of its thread.
            .test_before_acquire(false)
            .idle_timeout(READER_IDLE)
            .connect_lazy_with(reading(file, busy_timeout));
        Self(pool)
    }

    /// Waits for a connection.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        match self.0.acquire().await {
            Ok(connection) => Ok(ReadLease { operation, connection }),
            Err(error) => Err(store_error(operation, error)),
        }
    }

    /// Closes the connections once what runs on them has ended.
    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// A connection that reads, held for one operation.
pub(super) struct ReadLease {
    operation: &'static str,
    connection: PoolConnection<Sqlite>,
}

impl ReadLease {
    /// Gives the connection back with what came of the operation.
    pub(super) fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            if is_broken(&error) {
                self.connection.close_on_drop();
            }
            store_error(self.operation, error)
        })
    }
}

impl Deref for ReadLease {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for ReadLease {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
