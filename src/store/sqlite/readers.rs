//! The connections that read. They see the last commit and don't wait for the writer.
//!
//! This is no pool of sqlx's: that one asks a connection that comes back whether it still works, which is a turn of the
//! connection's thread and a task for every read.

#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, interval, timeout_at};

use super::connection::{WaitLimits, reading};
use super::error::{is_broken, store_error};
use super::files::OpenedFiles;
use crate::store::StoreError;
use crate::task;

/// Most connections that read at once. Each is a thread and a page cache, so they are few.
const READERS: u32 = 4;

/// A reader that nobody used for so long is closed, which returns its memory.
const READER_IDLE: Duration = Duration::from_mins(5);

/// How often it is looked for such readers.
const IDLE_CHECK: Duration = Duration::from_mins(1);

/// A few connections that read.
#[derive(Debug)]
pub(crate) struct Readers {
    options: SqliteConnectOptions,
    patience: Duration,
    files: Arc<OpenedFiles>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// One for each connection that may be open.
    places: Arc<Semaphore>,
    /// Connections that nobody uses, the last one used at the end.
    idle: Mutex<Vec<IdleReader>>,
}

#[derive(Debug)]
struct IdleReader {
    connection: SqliteConnection,
    since: Instant,
}

impl Readers {
    /// Opens none yet: each is opened when first needed.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(super) fn new(file: &Path, patience: WaitLimits, files: Arc<OpenedFiles>) -> Self {
        let places = Arc::new(Semaphore::new(READERS as usize));
        let shared = Arc::new(Shared { places, idle: Mutex::default() });
        task::spawn(close_unused(Arc::downgrade(&shared)));
        Self { options: reading(file, patience.lock), patience: patience.operation, files, shared }
    }

    /// Waits for a connection, in the order of the calls.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        let opened = self.open(operation).await;
        // After the connection was opened, so that none stays that was opened to another file.
        match self.files.verify_before() {
            Ok(()) => opened.map_err(|error| store_error(operation, error)),
            Err(change) => {
                if let Ok(lease) = opened {
                    lease.discard();
                }
                Err(change.refuse(operation))
            }
        }
    }

    async fn open(&self, operation: &'static str) -> Result<ReadLease, sqlx::Error> {
        let deadline = Instant::now() + self.patience;
        let places = Arc::clone(&self.shared.places);
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout_at(deadline, places.acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?,
        };
        let idle = self.shared.idle.lock().pop();
        let connection = if let Some(idle) = idle {
            idle.connection
        } else {
            let opened = timeout_at(deadline, self.options.connect()).await;
            opened.unwrap_or(Err(sqlx::Error::PoolTimedOut))?
        };
        Ok(ReadLease { operation, held: Some((connection, place)), shared: Arc::clone(&self.shared) })
    }

    /// Closes the connections once what runs on them has ended.
    pub(super) async fn close(&self) {
        let all = self.shared.places.acquire_many(READERS).await;
        self.shared.places.close();
        let idle = std::mem::take(&mut *self.shared.idle.lock());
        for reader in idle {
            close(reader.connection).await;
        }
        drop(all);
    }
}

/// Closes what nobody used for a while, until there are no readers any more.
async fn close_unused(readers: Weak<Shared>) {
    let mut checks = interval(IDLE_CHECK);
    loop {
        checks.tick().await;
        let Some(shared) = readers.upgrade() else { return };
        // With a place, so that [`Readers::close`] waits for it.
        while let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() {
            let Some(unused) = shared.take_unused() else { break };
            close(unused).await;
            drop(place);
        }
    }
}

impl Shared {
    fn give_back(&self, connection: SqliteConnection, place: OwnedSemaphorePermit) {
        self.idle.lock().push(IdleReader { connection, since: Instant::now() });
        // Only now, so that who gets it finds the connection.
        drop(place);
    }

    fn take_unused(&self) -> Option<SqliteConnection> {
        let mut idle = self.idle.lock();
        let is_unused = idle.first()?.since.elapsed() >= READER_IDLE;
        is_unused.then(|| idle.remove(0).connection)
    }
}

/// Closes a connection once its statement has ended. It has written nothing, so an error means nothing.
async fn close(connection: SqliteConnection) {
    drop(connection.close().await);
}

/// A connection that reads, held for one operation. If that is dropped half-way, the connection comes back once its
/// statement has run to its end.
#[derive(Debug)]
pub(crate) struct ReadLease {
    operation: &'static str,
    /// Until it is given back.
    held: Option<(SqliteConnection, OwnedSemaphorePermit)>,
    shared: Arc<Shared>,
}

impl ReadLease {
    /// Gives the connection back with what came of the operation.
    pub(super) fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let operation = self.operation;
        if result.as_ref().is_err_and(is_broken) {
            self.discard();
        } else if let Some((connection, place)) = self.held.take() {
            self.shared.give_back(connection, place);
        }
        result.map_err(|error| store_error(operation, error))
    }

    /// Closes the connection. Its place is free once that is done.
    fn discard(mut self) {
        self.afterwards(|connection, place, _| async move {
            close(connection).await;
            drop(place);
        });
    }

    /// Does something with the connection in the background. Where there is no runtime any more, it is closed.
    fn afterwards<W: Future<Output = ()> + Send + 'static>(
        &mut self,
        work: impl FnOnce(SqliteConnection, OwnedSemaphorePermit, Arc<Shared>) -> W,
    ) {
        let Some((connection, place)) = self.held.take() else { return };
        if Handle::try_current().is_ok() {
            task::spawn(work(connection, place, Arc::clone(&self.shared)));
        }
    }
}

impl Drop for ReadLease {
    fn drop(&mut self) {
        self.afterwards(|mut connection, place, shared| async move {
            if connection.ping().await.is_ok() {
                shared.give_back(connection, place);
            }
        });
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
