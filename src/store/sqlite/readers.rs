//! The connections that read. They see the last commit and don't wait for the writer.
//!
//! Each is opened when it is first needed, and kept as a spare one, see [`Spares`].

#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};

use super::connection::{WaitLimits, reading};
use super::error::{is_broken, store_error};
use super::files::OpenedFiles;
use crate::store::StoreError;
use crate::store::sql::Spares;
use crate::task;

/// Most connections that read at once. Each is a thread and a page cache, so they are few.
const READERS: u32 = 4;

/// A reader that nobody used for so long is closed, which returns its memory.
const READER_IDLE: Duration = Duration::from_mins(5);

/// A few connections that read.
#[derive(Debug)]
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    patience: Duration,
    files: Arc<OpenedFiles>,
    spares: Arc<Spares<SqliteConnection>>,
}

impl Readers {
    /// Opens none yet: each is opened when first needed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(super) fn new(file: &Path, patience: WaitLimits, files: Arc<OpenedFiles>) -> Self {
        let spares = Spares::new(READERS, READER_IDLE, close);
        Self { options: reading(file, patience.lock), patience: patience.operation, files, spares }
    }

    /// Waits for a connection, in the order of the calls.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        let deadline = Instant::now() + self.patience;
        let place = self.spares.place(deadline).await.map_err(|error| store_error(operation, error))?;
        // Before anything is opened: SQLite would take the log of the file that was there for that of the new one, or
        // delete it.
        self.files.verify_before().map_err(|change| change.refuse(operation))?;
        if let Some(spare) = self.spares.take() {
            let spares = Arc::clone(&self.spares);
            return Ok(ReadLease { operation, held: Some((spare.connection, place)), spares });
        }
        let opened = self.connect(operation, place, deadline).await;
        let lease = opened.map_err(|error| store_error(operation, error))?;
        // And again, so that none stays that was opened to another file.
        match self.files.verify_before() {
            Ok(()) => Ok(lease),
            Err(change) => Err(change.refuse(operation)),
        }
    }

    /// Opens a connection in a task of its own: its place is taken until its thread has ended, also where nobody waits for
    /// it any more.
    async fn connect(
        &self,
        operation: &'static str,
        place: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> Result<ReadLease, sqlx::Error> {
        let (answer, opened) = oneshot::channel();
        let (options, spares) = (self.options.clone(), Arc::clone(&self.spares));
        task::spawn(async move {
            let opened = options.connect().await;
            let lease =
                opened.map(|connection| ReadLease { operation, held: Some((connection, place)), spares });
            // What nobody takes is closed.
            drop(answer.send(lease));
        });
        match timeout_at(deadline, opened).await {
            Ok(opened) => opened.unwrap_or(Err(sqlx::Error::WorkerCrashed)),
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// Closes the connections once what runs on them has ended; none opens again. A dropped future has closed some of
    /// them, and another call goes on.
    pub(super) async fn close(&self) {
        let all = self.spares.end().await;
        while let Some(spare) = self.spares.take() {
            close(spare.connection).await;
        }
        drop(all);
    }
}

/// Closes a connection once its statement has ended. It has written nothing, so an error means nothing.
async fn close(connection: SqliteConnection) {
    drop(connection.close().await);
}

/// A connection that reads, held for one operation. If that is dropped half-way, the connection is closed once its
/// statement has run to its end, and only then is its place free.
#[derive(Debug)]
pub(crate) struct ReadLease {
    operation: &'static str,
    /// Until it is given back.
    held: Option<(SqliteConnection, OwnedSemaphorePermit)>,
    spares: Arc<Spares<SqliteConnection>>,
}

impl ReadLease {
    /// Gives the connection back with what came of the operation.
    pub(super) fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        if !result.as_ref().is_err_and(is_broken)
            && let Some((connection, place)) = self.held.take()
        {
            self.spares.give_back(connection, place);
        }
        result.map_err(|error| store_error(self.operation, error))
    }
}

impl Drop for ReadLease {
    fn drop(&mut self) {
        let Some((connection, place)) = self.held.take() else { return };
        // Where there is no runtime any more, its thread closes it.
        if Handle::try_current().is_ok() {
            task::spawn(async move {
                close(connection).await;
                drop(place);
            });
        }
    }
}

impl Deref for ReadLease {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        let (connection, _) = self.held.as_ref().expect("it is held until the lease is gone");
        connection
    }
}

impl DerefMut for ReadLease {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        let (connection, _) = self.held.as_mut().expect("it is held until the lease is gone");
        connection
    }
}
