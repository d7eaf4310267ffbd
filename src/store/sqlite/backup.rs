//! A copy of a Gotify's file, made before the file is used here for the first time.
//!
//! What tells a file that was used here is SQLite's own number for that, in the file's header, which Gotify neither
//! reads nor changes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tokio::task::spawn_blocking;

use super::connection::unchanging;
use super::error::store_error;
use crate::store::StoreError;

const OPERATION: &str = "copy its file before the first use";

/// Marks a file as one that was used here: `shcd` in ASCII.
const APPLICATION_ID: i32 = 0x7368_6364;

/// Copies the file of a Gotify that was not used here yet; returns where the copy is. A copy that is there already is
/// never written over.
pub(super) async fn before_first_use(
    file: &Path,
    busy_timeout: Duration,
) -> Result<Option<PathBuf>, StoreError> {
    let is_file = tokio::fs::metadata(file).await.is_ok_and(|found| found.len() > 0);
    if !is_file {
        return Ok(None);
    }
    let connected = unchanging(file, busy_timeout).connect().await;
    let mut connection = connected.map_err(|error| store_error(OPERATION, error))?;
    let outcome = copy(&mut connection, file).await;
    // Nothing was written, so there is nothing that the end could lose.
    let _ = connection.close().await;
    outcome
}

/// Marks a file as used here, within the transaction that is open.
pub(super) async fn mark(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA application_id = {APPLICATION_ID}");
    connection.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

async fn copy(connection: &mut SqliteConnection, file: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !is_gotifys(connection).await.map_err(|error| store_error(OPERATION, error))? {
        return Ok(None);
    }
    let at = file.to_owned();
    let (copy, unfinished) = in_thread(move || reserve(&at)).await?;
    // SQLite's own copy has what is still in the log, and is complete or an error.
    let copied = sqlx::query("VACUUM INTO ?")
        .bind(unfinished.to_string_lossy().into_owned())
        .execute(&mut *connection)
        .await;
    let (original, to) = (file.to_owned(), copy.clone());
    match copied {
        Ok(_) => in_thread(move || finish(&original, &unfinished, &to)).await?,
        Err(error) => {
            in_thread(move || {
                let _ = fs::remove_file(&unfinished);
                fs::remove_file(&to)
            })
            .await?;
            return Err(store_error(OPERATION, error));
        }
    }
    Ok(Some(copy))
}

/// Answers whether the file holds Gotify's tables and was never used here.
async fn is_gotifys(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let mark: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    // The index is what the first versions left, which set no mark.
    let names: i32 = sqlx::query_scalar(
        "SELECT coalesce(sum(CASE name WHEN 'users' THEN 1 ELSE -1 END), 0) FROM sqlite_master \
         WHERE name IN ('users', 'shardcast_messages_application_id')",
    )
    .fetch_one(connection)
    .await?;
    Ok(mark != APPLICATION_ID && names == 1)
}

/// Takes a name for the copy that nothing has yet, and one for the copy while it is not complete.
fn reserve(file: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let named = |suffix: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let unfinished = named(".before-shardcast.unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut number = 1;
    loop {
        let copy = match number {
            1 => named(".before-shardcast"),
            _ => named(&format!(".before-shardcast-{number}")),
        };
        match OpenOptions::new().write(true).create_new(true).open(&copy) {
            Ok(_) => return Ok((copy, unfinished)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Makes the copy durable, and readable for those who could read the original; then gives it its name.
fn finish(original: &Path, unfinished: &Path, copy: &Path) -> io::Result<()> {
    fs::set_permissions(unfinished, fs::metadata(original)?.permissions())?;
    File::open(unfinished)?.sync_all()?;
    fs::rename(unfinished, copy)?;
    match copy.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| StoreError::Unavailable { operation: OPERATION, source: error.into() })
}
