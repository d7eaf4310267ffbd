//! The connections that read. They see the last commit and don't wait for the writer.
//!
//! This is no pool of sqlx's: that one asks a connection that comes back whether it still works, which is a turn of the
//! connection's thread and a task for every read.

#[cfg(test)]
mod tests;

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
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

/// How often to look for such readers.
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
    is_closed: AtomicBool,
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
        let shared = Arc::new(Shared { places, idle: Mutex::default(), is_closed: AtomicBool::new(false) });
        task::spawn(close_unused(Arc::downgrade(&shared)));
        Self { options: reading(file, patience.lock), patience: patience.operation, files, shared }
    }

    /// Waits for a connection, in the order of the calls.
    pub(super) async fn lease(&self, operation: &'static str) -> Result<ReadLease, StoreError> {
        let deadline = Instant::now() + self.patience;
        let place = self.place(deadline).await.map_err(|error| store_error(operation, error))?;
        // Before anything is opened: SQLite would take the log of the file that was there for that of the new one, or
        // delete it.
        self.files.verify_before().map_err(|change| change.refuse(operation))?;
        if let Some(IdleReader { connection, .. }) = self.shared.take_idle() {
            let shared = Arc::clone(&self.shared);
            return Ok(ReadLease { operation, held: Some((connection, place)), shared });
        }
        let opened = self.connect(operation, place, deadline).await;
        let lease = opened.map_err(|error| store_error(operation, error))?;
        // And again, so that none stays that was opened to another file.
        match self.files.verify_before() {
            Ok(()) => Ok(lease),
            Err(change) => Err(change.refuse(operation)),
        }
    }

    async fn place(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, sqlx::Error> {
        if self.shared.is_closed.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolClosed);
        }
        let places = Arc::clone(&self.shared.places);
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => timeout_at(deadline, places.acquire_owned())
                .await
                .map_err(|_| sqlx::Error::PoolTimedOut)?
                .map_err(|_| sqlx::Error::PoolClosed)?,
        };
        // Whoever waited was perhaps overtaken by the end.
        if self.shared.is_closed.load(Ordering::Relaxed) {
            return Err(sqlx::Error::PoolClosed);
        }
        Ok(place)
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
        let (options, shared) = (self.options.clone(), Arc::clone(&self.shared));
        task::spawn(async move {
            let opened = options.connect().await;
            let lease =
                opened.map(|connection| ReadLease { operation, held: Some((connection, place)), shared });
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
        self.shared.is_closed.store(true, Ordering::Relaxed);
        let all = self.shared.places.acquire_many(READERS).await;
        while let Some(reader) = self.shared.take_idle() {
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

    fn take_idle(&self) -> Option<IdleReader> {
        self.idle.lock().pop()
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

/// A connection that reads, held for one operation. If that is dropped half-way, the connection is closed once its
/// statement has run to its end, and only then is its place free.
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
        if !result.as_ref().is_err_and(is_broken)
            && let Some((connection, place)) = self.held.take()
        {
            self.shared.give_back(connection, place);
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
