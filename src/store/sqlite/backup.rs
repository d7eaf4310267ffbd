//! A copy of a Gotify's file, made before the file is used here for the first time.
//!
//! What tells a file that was used here is SQLite's own number for that, in the file's header, which Gotify neither
//! reads nor changes.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempPath;

use super::connection::{WaitLimits, unchanging};
use super::files::with_suffix;
use super::foreign;
use super::in_thread;
use super::location::parent;
use super::open_error::OpenFileError;
use crate::store::sql::cause;

/// Marks a file as one that was used here: `shcd` in ASCII.
const APPLICATION_ID: i32 = 0x7368_6364;

/// What follows the file's name in that of its copy, and of a copy that is not complete.
const COPY: &str = ".before-shardcast";
const UNFINISHED: &str = ".before-shardcast.unfinished";

/// Copies the file of a Gotify that was not used here yet; returns where the copy is. A copy that is there already is
/// never written over, and the database of another program is refused. The copy gets its name once it is complete and synced; what an interrupted one has left is
/// removed by the next call.
pub(super) async fn before_first_use(
    file: &Path,
    patience: WaitLimits,
) -> Result<Option<PathBuf>, OpenFileError> {
    let unfinished = {
        let file = file.to_owned();
        in_thread(move || prepare(&file).map_err(|error| failed(&file, error))).await?
    };
    let Some(unfinished) = unfinished else { return Ok(None) };
    let connected = unchanging(file, patience.lock).connect().await;
    let mut connection = connected.map_err(|error| OpenFileError::of(file, error))?;
    let outcome = copy(&mut connection, file, unfinished).await;
    // Nothing was written, so there is nothing that the end could lose.
    let _ = connection.close().await;
    outcome
}

/// Marks a file as used here, within the transaction that is open.
pub(super) async fn mark(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA application_id = {APPLICATION_ID}");
    connection.execute(AssertSqlSafe(statement)).await.map(|_| ())
}

async fn copy(
    connection: &mut SqliteConnection,
    file: &Path,
    unfinished: TempPath,
) -> Result<Option<PathBuf>, OpenFileError> {
    foreign::refuse(connection, file).await?;
    if !is_gotifys(connection).await.map_err(|error| OpenFileError::of(file, error))? {
        return Ok(None);
    }
    // SQLite's own copy has what is still in the log, and is complete or an error.
    sqlx::query("VACUUM INTO ?")
        .bind(unfinished.to_string_lossy().into_owned())
        .execute(&mut *connection)
        .await
        .map_err(|error| OpenFileError::Backup { file: file.to_owned(), source: cause(error) })?;
    let file = file.to_owned();
    in_thread(move || finish(&file, unfinished).map(Some).map_err(|error| failed(&file, error))).await
}

fn failed(file: &Path, source: io::Error) -> OpenFileError {
    OpenFileError::Backup { file: file.to_owned(), source: source.into() }
}

/// Answers whether the file holds Gotify's tables and was never used here.
pub(super) async fn is_gotifys(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
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

/// Removes what an interrupted copy has left. Returns where the next one grows, a file that is removed if it is not
/// finished; `None` if there is nothing to copy.
fn prepare(file: &Path) -> io::Result<Option<TempPath>> {
    let unfinished = with_suffix(file, UNFINISHED);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Earlier versions took the name before there was a copy to have it.
    let copy = with_suffix(file, COPY);
    if fs::metadata(&copy).is_ok_and(|found| found.is_file() && found.len() == 0) {
        fs::remove_file(&copy)?;
    }
    let has_content = fs::metadata(file).is_ok_and(|found| found.len() > 0);
    has_content.then(|| TempPath::try_from_path(unfinished)).transpose()
}

/// Makes the copy durable, and readable for those who could read the original; then gives it the first name that
/// nothing has.
fn finish(original: &Path, mut unfinished: TempPath) -> io::Result<PathBuf> {
    fs::set_permissions(&unfinished, fs::metadata(original)?.permissions())?;
    File::open(&unfinished)?.sync_all()?;
    let names = (1_u32..).map(|number| match number {
        1 => with_suffix(original, COPY),
        _ => with_suffix(original, &format!("{COPY}-{number}")),
    });
    for copy in names {
        match unfinished.persist_noclobber(&copy) {
            Ok(()) => {
                File::open(parent(&copy).unwrap_or(Path::new(".")))?.sync_all()?;
                return Ok(copy);
            }
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => unfinished = taken.path,
            Err(failed) => return Err(failed.error),
        }
    }
    unreachable!("no folder has a file for each number")
}
