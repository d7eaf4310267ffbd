//! The lock that a server holds on its database, so that no second server uses it at the same time.
//!
//! Two servers on one file would each deliver only their own messages, and a token that is revoked on one would stay
//! valid on the other. It is the operating system's lock on a file of its own, `gotify.db.lock`, beside the
//! database: it ends with the process, however that ends. SQLite's own locks are not touched, so other programs can
//! read and write the database as before.

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
pub(super) struct ServerLock(File);

impl ServerLock {
    /// Takes the lock of a database, or says who has it. `now` is written into it, for the error of the next one.
    pub(super) fn take(database: &Path, now: DateTime<FixedOffset>) -> Result<Self, OpenFileError> {
        let path = with_suffix(&resolved(database), ".lock");
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
        sign(&mut file, now).map_err(failed)?;
        Ok(Self(file))
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // The name stays: whoever removed it could remove what a third server has just locked. Closing unlocks.
        let _ = self.0.set_len(0);
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
