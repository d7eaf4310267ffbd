//! SQLite: one file, in Gotify's own schema, so that a Gotify can take it over again.
//!
//! One connection writes and a few read. The file is in WAL mode with `synchronous=FULL`: what a write
//! returned for has been synced, readers never wait for the writer, and what was stored stays readable while
//! the disk is full or another process holds the lock. Each connection is a thread of sqlx's that runs
//! statements; a future that is dropped leaves its statement running to its end.

use std::time::Duration;

use self::connection::{Readers, Writer};
use super::StoreError;

mod applications;
mod backup;
mod clients;
mod connection;
mod database;
mod error;
mod identities;
mod location;
mod messages;
mod row;
mod schema;
mod slice;
mod time;
mod users;

#[cfg(test)]
mod tests;

/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// A SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
}

impl Sqlite {
    /// Opens the file that `connection` names, in any form that Gotify takes: a path or a `file:` URI, with or
    /// without options (which are ignored). Makes the file with its folder where they don't exist, and adds
    /// what an older Gotify's schema lacks. A file that only a Gotify has used is copied first, to
    /// `gotify.db.before-shardcast` beside it; a copy that is there is never written over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the file can't be opened or written now, [`StoreError::Failed`] if the
    /// connection names no file or the file is no database of this kind.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(connection: &str) -> Result<Self, StoreError> {
        Self::open_with(connection, BUSY_TIMEOUT).await
    }

    async fn open_with(connection: &str, busy_timeout: Duration) -> Result<Self, StoreError> {
        const OPERATION: &str = "open the database";
        let file = location::file(connection)
            .map_err(|invalid| StoreError::Failed { operation: OPERATION, source: invalid.into() })?;
        if let Some(folder) = location::parent(&file) {
            tokio::fs::create_dir_all(folder)
                .await
                .map_err(|error| StoreError::Unavailable { operation: OPERATION, source: error.into() })?;
        }
        if let Some(copy) = backup::before_first_use(&file, busy_timeout).await? {
            tracing::info!("copied Gotify's database to `{}` before its first use here", copy.display());
        }
        let writer = Writer::new(connection::writing(&file, busy_timeout));
        let mut lease = writer.lease(OPERATION).await?;
        let applied = schema::apply(&mut lease, chrono::Local::now().fixed_offset()).await;
        lease.end(applied).await?;
        Ok(Self { writer, readers: Readers::new(&file, busy_timeout) })
    }
}
