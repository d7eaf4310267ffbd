//! The lock that a server holds on its database, so that no second server uses it at the same time.
//!
//! Two servers on one file would each deliver only their own messages, and a token that is revoked on one would stay
//! valid on the other. It is the operating system's lock on a file of its own, `gotify.db.lock`, beside the
//! database: it ends with the process, however that ends. SQLite's own locks are not touched, so other programs can
//! read and write the database as before.
//!
//! That file may be deleted while the server runs. So the write-ahead log is locked too: it is there as long as the
//! database is open, and a server without it stores nothing, see `files.rs`. SQLite locks the database and the log's
//! index, but not the log, so that opening and closing the log here releases none of SQLite's locks.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset};

use super::files::with_suffix;
use super::open_error::OpenFileError;

/// At most so much is read of who holds the lock.
const HOLDER_BYTES: u64 = 200;

/// The lock, until it is dropped.
#[derive(Debug)]
pub(super) struct ServerLock {
    path: PathBuf,
    file: File,
    /// Where the write-ahead log is.
    log_path: PathBuf,
    /// The locked log, once there is one.
    log: Option<File>,
}

impl ServerLock {
    /// Takes the lock of a database, or says who has it. `now` is written into it, for the error of the next one.
    ///
    /// Once the database is open, it needs [`Self::lock_log`] too.
    pub(super) fn take(database: &Path, now: DateTime<FixedOffset>) -> Result<Self, OpenFileError> {
        let database = resolved(database);
        let (path, log_path) = (with_suffix(&database, ".lock"), with_suffix(&database, "-wal"));
        let failed = |source| OpenFileError::of_lock(&path, source);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenFileError::InUse(holder(&mut file))),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(
                    %error,
                    "`{}` can't be locked, because its file system has no locks: take care that no second server \
                     uses this database",
                    path.display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut lock = Self { path, file, log_path, log: None };
        // Nothing may be changed yet, so it is asked now whether a server without its lock file runs. SQLite may still
        // delete this log, and make another one.
        lock.lock_log()?;
        lock.log = None;
        sign(&mut lock.file, now).map_err(|source| OpenFileError::of_lock(&lock.path, source))?;
        Ok(lock)
    }

    /// Locks the write-ahead log as well. To be called while the database is open, so that SQLite keeps the log.
    pub(super) fn lock_log(&mut self) -> Result<(), OpenFileError> {
        let failed = |source| OpenFileError::of_lock(&self.log_path, source);
        let log = match OpenOptions::new().read(true).write(true).open(&self.log_path) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        match log.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let name = self.path.display();
                return Err(OpenFileError::InUse(format!("whose lock file `{name}` was deleted")));
            }
            // That was logged already.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        self.log = Some(log);
        Ok(())
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // The name stays: whoever removed it could remove what a third server has just locked. Closing unlocks.
        let _ = self.file.set_len(0);
    }
}

/// Writes who holds the lock.
fn sign(file: &mut File, now: DateTime<FixedOffset>) -> io::Result<()> {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    file.set_len(0)?;
    write!(file, "process {} on `{host}`, since {}", std::process::id(), now.format("%F %T %:z"))
}

/// Reads who holds the lock.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.take(HOLDER_BYTES).read_to_string(&mut text) {
        Ok(length) if length > 0 => text.trim().escape_debug().to_string(),
        // It has taken the lock this very moment.
        _ => "a process that is just starting".to_owned(),
    }
}

/// Returns where a file really is, or will be: servers that name it differently must find the same lock.
fn resolved(database: &Path) -> PathBuf {
    let in_folder = || {
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        Some(folder.join(database.file_name()?))
    };
    fs::canonicalize(database).ok().or_else(in_folder).unwrap_or_else(|| database.to_owned())
}
