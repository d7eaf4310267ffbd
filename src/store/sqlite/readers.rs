//! The connections that read. They see the last commit and don't wait for the writer.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};

use super::connection::{WaitLimits, reading};
use super::error::{is_broken, store_error};
use super::files::OpenedFiles;
use crate::store::StoreError;

/// Most connections that read at once. Each is a thread and a page cache, so they are few.
const READERS: u32 = 4;

/// A reader that nobody used for so long is closed, which returns its memory.
const READER_IDLE: Duration = Duration::from_mins(5);

/// A few connections that read.
#[derive(Debug)]
pub(crate) struct Readers {
    pool: SqlitePool,
    files: Arc<OpenedFiles>,
}

impl Readers {
    /// Opens none yet: each is opened when first needed.
    pub(super) fn new(file: &Path, patience: WaitLimits, files: Arc<OpenedFiles>) -> Self {
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(patience.operation)
            // A connection that fails is closed by its lease; asking each one first would cost every read a
            // turn of its thread.
            .test_before_acquire(false)
            .idle_timeout(READER_IDLE)
            .connect_lazy_with(reading(file, patience.lock));
        Self { pool, files }
    }

    /// Waits for a connection.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        let acquired = self.pool.acquire().await;
        // After the connection was opened, so that none stays that was opened to another file.
        match (acquired, self.files.verify_before()) {
            (Ok(connection), Ok(())) => Ok(ReadLease { operation, connection }),
            (Err(error), Ok(())) => Err(store_error(operation, error)),
            (acquired, Err(change)) => {
                if let Ok(mut connection) = acquired {
                    connection.close_on_drop();
                }
                Err(change.refuse(operation))
            }
        }
    }

    /// Closes the connections once what runs on them has ended.
    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that reads, held for one operation.
pub(crate) struct ReadLease {
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
