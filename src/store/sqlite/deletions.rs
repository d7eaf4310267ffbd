//! Deletions of many messages, in slices.
//!
//! A million messages that are deleted in one transaction keep the connection for seconds, in which nobody can
//! publish. So a deletion is made of small transactions, between which others write.
//!
//! An application is deleted first, together with the first slice of its messages. The rest has no application from
//! then on, which means that nobody is shown it; the [`Cleaner`] deletes it, a slice at a time. After a crash the
//! next start does.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::row;
use super::slice::size;
use super::writer::Writer;
use crate::model::{ApplicationId, MessageId};
use crate::store::StoreError;

/// Most messages in one slice.
const SLICE_MESSAGES: i64 = 1000;

/// A slice that has so many bytes takes no further message: SQLite looks at every page of a large one.
const SLICE_BYTES: i64 = 4 * 1024 * 1024;

/// When a slice was refused, the next one is tried after so long.
const RETRY: Duration = Duration::from_mins(1);

/// Deletes a slice of the messages that applications have up to an id. `?1` is a JSON array of the applications.
pub(super) const SLICE: &str = concat!(
    "DELETE FROM messages WHERE id IN (
        SELECT id FROM (
            SELECT id, sum(size) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (
                SELECT id, ",
    size!("message" "title" "extras"),
    " AS size FROM messages
                WHERE application_id IN (SELECT value FROM json_each(?1)) AND id <= ?2 LIMIT ?3
            )
        ) WHERE ifnull(before, 0) < ?4
    )"
);

/// The applications that have messages and are not there, by one search in the index for each application.
pub(super) const ORPHANED: &str = "WITH RECURSIVE sender (id) AS (
        SELECT min(application_id) FROM messages
        UNION ALL
        SELECT (SELECT min(application_id) FROM messages WHERE application_id > sender.id)
        FROM sender WHERE sender.id IS NOT NULL
    )
    SELECT id FROM sender WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM applications)";

/// Whose messages are deleted, and up to which.
#[derive(Debug)]
pub(super) struct Deletion {
    /// As a JSON array.
    applications: String,
    newest: MessageId,
}

impl Deletion {
    /// All messages of these applications, up to and with `newest`.
    pub(super) fn new(applications: impl IntoIterator<Item = ApplicationId>, newest: MessageId) -> Self {
        Self { applications: row::id_list(applications.into_iter().map(|id| id.0)), newest }
    }

    /// All messages of applications that are deleted.
    pub(super) fn whole(applications: impl IntoIterator<Item = ApplicationId>) -> Self {
        Self::new(applications, MessageId(u64::MAX))
    }

    /// Deletes the next slice; false if there was nothing left to delete.
    pub(super) async fn slice(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let done = sqlx::query(SLICE)
            .bind(self.applications.as_str())
            .bind(row::id(self.newest.0))
            .bind(SLICE_MESSAGES)
            .bind(SLICE_BYTES)
            .execute(connection)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Deletes slice after slice, each in a transaction of its own. If one is refused, those before it are deleted.
    pub(super) async fn run(&self, writer: &Writer) -> Result<(), StoreError> {
        loop {
            let mut lease = writer.lease("delete messages").await?;
            let deleted = self.slice(&mut lease).await;
            if !lease.end(deleted).await? {
                return Ok(());
            }
        }
    }
}

/// Returns the applications that have messages and are not there.
async fn orphaned(connection: &mut SqliteConnection) -> Result<Vec<ApplicationId>, sqlx::Error> {
    let found = sqlx::query(ORPHANED).fetch_all(connection).await?;
    found.iter().map(|found| row::unsigned(found, 0).map(ApplicationId)).collect()
}

/// The task that deletes messages without an application. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Cleaner {
    wake: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Cleaner {
    /// Waits until it is woken.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub(super) fn spawn(writer: Arc<Writer>) -> Self {
        let wake = Arc::new(Notify::new());
        let task = tokio::spawn(clean(writer, Arc::clone(&wake)));
        Self { wake, _task: AbortOnDropHandle::new(task) }
    }

    /// There may be messages without an application.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }
}

async fn clean(writer: Arc<Writer>, wake: Arc<Notify>) {
    loop {
        wake.notified().await;
        while !is_cleaned(&writer).await {
            // Whoever deletes something may find that it works again.
            let _ = timeout(RETRY, wake.notified()).await;
        }
    }
}

/// Deletes all messages without an application; false if that is to be tried again.
async fn is_cleaned(writer: &Writer) -> bool {
    match AssertUnwindSafe(delete_orphaned(writer)).catch_unwind().await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            let cause = std::error::Error::source(&error).map(tracing::field::display);
            tracing::warn!(%error, cause, "messages of deleted applications are deleted later");
            false
        }
        Err(_) => {
            tracing::error!("deleting messages of deleted applications panicked, it is tried again");
            false
        }
    }
}

async fn delete_orphaned(writer: &Writer) -> Result<(), StoreError> {
    let mut lease = writer.lease("look for messages of deleted applications").await?;
    let found = orphaned(&mut lease).await;
    let applications = lease.end(found).await?;
    if applications.is_empty() {
        return Ok(());
    }
    Deletion::whole(applications).run(writer).await
}
