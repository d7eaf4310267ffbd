//! SQLite: one file, in Gotify's own schema, so that a Gotify can take it over again.
//!
//! One connection writes and a few read. The file is in WAL mode with `synchronous=FULL`: what a write
//! returned for has been synced, readers never wait for the writer, and what was stored stays readable while
//! the disk is full or another process holds the lock. Each connection is a thread of sqlx's that runs
//! statements; a future that is dropped leaves its statement running to its end.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::task::spawn_blocking;

use self::connection::WaitLimits;
use self::files::OpenedFiles;
use self::insertion::MessageIds;
use self::lock::ServerLock;
use self::open_error::OpenFileError;
use self::readers::Readers;
use self::writer::Writer;
use super::last_check::LastCheck;
use super::sql::Searches;
use super::sql::cleaner::Cleaner;
use super::{MigrationStep, OpenDatabaseError};

mod backup;
mod bulk;
mod connection;
mod database;
mod dialect;
mod error;
mod files;
mod foreign;
mod health;
mod insertion;
mod location;
mod location_settings;
mod lock;
mod open_error;
mod plan;
mod readers;
mod row;
mod schema;
mod time;
mod writer;

pub(super) use dialect::SqliteDialect;

#[cfg(test)]
mod tests;

/// A SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    cleaner: Cleaner,
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    files: Arc<OpenedFiles>,
    last_check: LastCheck,
    ledger: MessageIds,
    searches: Searches,
    /// Until it is closed.
    lock: Mutex<Option<ServerLock>>,
}

/// Returns the file that a connection names.
pub(super) fn file(connection: &str) -> Result<std::path::PathBuf, OpenDatabaseError> {
    Ok(location::file(connection).map_err(OpenFileError::from)?)
}

impl Sqlite {
    /// Opens the file that `connection` names, in any form that Gotify takes: a path or a `file:` URI, with or
    /// without settings that only tune its driver (which change nothing). Makes the file with its folder where they don't exist, and adds
    /// what an older Gotify's schema lacks. A file that only a Gotify has used is copied first, to
    /// `gotify.db.before-shardcast` beside it; a copy that is there is never written over.
    ///
    /// Until it is closed or dropped, no other server can open it: it holds a lock on `gotify.db.lock` beside the
    /// file, and on the write-ahead log. Other programs can read and write the file.
    ///
    /// # Errors
    ///
    /// [`OpenDatabaseError::InUse`] if another server has it, [`OpenDatabaseError::Unusable`] if the connection
    /// names no file, or one that can't be read and written or is no database.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(connection: &str) -> Result<Self, OpenDatabaseError> {
        let file = location::file(connection).map_err(OpenFileError::from)?;
        Ok(Self::open_file(&file, WaitLimits::SERVER).await?)
    }

    /// Opens a database that is there, beside the server that may be using it, for a command that changes a little.
    /// Takes no lock, makes no file, and leaves the schema as it is, but for the tables that commands need.
    ///
    /// # Errors
    ///
    /// [`OpenDatabaseError::Unusable`] if there is no such file, or it can't be used.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open_beside_server(connection: &str) -> Result<Self, OpenDatabaseError> {
        let file = location::file(connection).map_err(OpenFileError::from)?;
        if !file.exists() {
            return Err(OpenFileError::Missing(file).into());
        }
        let patience = WaitLimits::SERVER;
        let options = connection::unchanging(&file, patience.lock);
        let mut connection = options.connect().await.map_err(|error| OpenFileError::of(&file, error))?;
        schema::add_what_commands_need(&mut connection)
            .await
            .map_err(|error| OpenFileError::of(&file, error))?;
        Ok(Self::over(&file, patience, options, connection, None).await?)
    }

    /// Returns what [`Self::open`] would change, in that order, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenDatabaseError::Unusable`] as there.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn plan(connection: &str) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
        let file = location::file(connection).map_err(OpenFileError::from)?;
        Ok(plan::of(&file).await?)
    }

    async fn open_file(file: &Path, patience: WaitLimits) -> Result<Self, OpenFileError> {
        let mut lock = {
            let file = file.to_owned();
            in_thread(move || take_folder(&file)).await?
        };
        if let Some(copy) = backup::before_first_use(file, patience).await? {
            tracing::info!("copied Gotify's database to `{}` before its first use here", copy.display());
        }
        let options = connection::writing(file, patience.lock);
        let mut connection = options
            .clone()
            .create_if_missing(true)
            .connect()
            .await
            .map_err(|error| OpenFileError::of(file, error))?;
        schema::apply(&mut connection, chrono::Local::now().fixed_offset())
            .await
            .map_err(|error| OpenFileError::of(file, error))?;
        let lock = in_thread(move || lock.lock_log().map(|()| lock)).await?;
        let database = Self::over(file, patience, options, connection, Some(lock)).await?;
        // There may be something left of a deletion that an earlier process began.
        database.cleaner.look_everywhere();
        Ok(database)
    }

    /// The database that this connection is open to.
    async fn over(
        file: &Path,
        patience: WaitLimits,
        options: SqliteConnectOptions,
        mut connection: SqliteConnection,
        lock: Option<ServerLock>,
    ) -> Result<Self, OpenFileError> {
        let ledger = MessageIds::of(&mut connection).await.map_err(|error| OpenFileError::of(file, error))?;
        let files = {
            let file = file.to_owned();
            in_thread(move || OpenedFiles::of(&file).map_err(|error| OpenFileError::of_folder(&file, error)))
        };
        let files = Arc::new(files.await?);
        let writer = Arc::new(Writer::new(connection, options, patience, Arc::clone(&files)));
        let readers = Arc::new(Readers::new(file, patience, Arc::clone(&files)));
        Ok(Self {
            cleaner: Cleaner::spawn(Arc::clone(&readers), Arc::clone(&writer)),
            readers,
            writer,
            files,
            last_check: LastCheck::default(),
            ledger,
            searches: Searches::default(),
            lock: Mutex::new(lock),
        })
    }
}

/// Makes the folder of a file, and keeps other servers away from it.
fn take_folder(file: &Path) -> Result<ServerLock, OpenFileError> {
    if file.is_dir() {
        return Err(OpenFileError::IsFolder(file.to_owned()));
    }
    if let Some(folder) = location::parent(file) {
        std::fs::create_dir_all(folder).map_err(|error| OpenFileError::of_folder(file, error))?;
    }
    ServerLock::take(file, chrono::Local::now().fixed_offset())
}

/// Does what waits for the disk where nobody waits for it.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenFileError> + Send + 'static,
) -> Result<T, OpenFileError> {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => std::panic::resume_unwind(ended.into_panic()),
    }
}
