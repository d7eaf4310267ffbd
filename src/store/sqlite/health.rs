//! Whether a message could be stored now.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};

use super::{Sqlite, backup};
use crate::store::StoreError;
use crate::store::last_check::OPERATION;

/// With less free space than this on the disk it is tried out whether something can be written.
const LITTLE_SPACE_BYTES: u64 = 1024 * 1024;

impl Sqlite {
    /// Checks the files, a reader, and the writer: its connection, the lock that it needs, and the disk.
    pub(super) async fn check_storing(&self) -> Result<(), StoreError> {
        self.files.verify().map_err(|change| change.refuse(OPERATION))?;
        self.last_check.or_find(self.try_storing()).await
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
