//! Whether a message could be stored now.

use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Sqlite, backup};
use crate::store::StoreError;

const OPERATION: &str = "store a message";

/// An answer is given again for so long, so that whoever asks often costs the writer next to nothing.
const VALIDITY: Duration = Duration::from_secs(1);

/// With less free space than this on the disk it is tried out whether something can be written.
const LITTLE_SPACE_BYTES: u64 = 1024 * 1024;

/// The last answer. Whoever asks while it is being found waits for it.
#[derive(Debug, Default)]
pub(super) struct LastCheck(Mutex<Option<Checked>>);

#[derive(Debug)]
struct Checked {
    at: Instant,
    /// Why nothing can be stored, if so.
    refusal: Option<String>,
}

impl Sqlite {
    /// Checks the files, a reader, and the writer: its connection, the lock that it needs, and the disk.
    pub(super) async fn check_storing(&self) -> Result<(), StoreError> {
        self.files.verify().map_err(|change| change.refuse(OPERATION))?;
        let mut last = self.last_check.0.lock().await;
        if let Some(checked) = last.as_ref().filter(|checked| checked.at.elapsed() < VALIDITY) {
            return checked.refusal.clone().map_or(Ok(()), |refusal| {
                Err(StoreError::Unavailable { operation: OPERATION, source: refusal.into() })
            });
        }
        let found = self.try_storing().await;
        let refusal = found.as_ref().err().map(|error| {
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        });
        *last = Some(Checked { at: Instant::now(), refusal });
        found
    }

    async fn try_storing(&self) -> Result<(), StoreError> {
        let mut reader = self.readers.lease(OPERATION).await?;
        let answered = reader.ping().await;
        reader.end(answered)?;
        let is_doubtful = self.writer.is_doubtful() || self.files.free_bytes() < LITTLE_SPACE_BYTES;
        let mut lease = self.writer.lease(OPERATION).await?;
        let done = if is_doubtful { write(&mut lease).await } else { take_lock(&mut lease).await };
        lease.end(done).await?;
        if is_doubtful {
            self.writer.trust();
        }
        Ok(())
    }
}

/// Takes the lock that every write needs, and gives it back. Nothing is written.
async fn take_lock(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE; ROLLBACK").await.map(drop)
}

/// Writes a page with what it has already, durably.
async fn write(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    backup::mark(connection).await
}
