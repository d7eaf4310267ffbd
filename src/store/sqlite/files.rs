//! Whether the files that were opened are still the ones that their names lead to.
//!
//! SQLite keeps its files open, and does not notice when they are deleted, moved or replaced: it goes on writing
//! into files that nobody finds after a restart. So every write compares device and inode of what the names lead to
//! with what was opened, before it is acknowledged. That takes about a microsecond per file, and no disk access. The
//! log's index is looked at by health checks alone: without it nothing is lost, but another program would make a
//! new one.
//!
//! The database itself is never opened here: closing it would release the locks that SQLite holds on it in this
//! process.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::fs::statvfs;
use tokio::time::Instant;

use crate::store::database::FileState;
use crate::store::{LastWrite, StoreError};

/// A write-ahead log of more bytes than this is one that SQLite can't begin anew: it does so after about 4 MiB,
/// unless somebody still reads what was there before.
const LARGE_LOG_BYTES: u64 = 64 * 1024 * 1024;

/// The operator hears of a large log as often as this.
const LARGE_LOG_SILENCE: Duration = Duration::from_hours(1);

/// A commit becomes visible only once the disk has what was written, without changing the files again: this is longer than
/// a disk takes. It is also longer than the step in which any file system counts time.
const SETTLED_AFTER: Duration = Duration::from_mins(1);

/// The files of an open database.
#[derive(Debug)]
pub(super) struct OpenedFiles {
    database: OpenedFile,
    /// The write-ahead log and its index. They exist from the first transaction to the last connection's end.
    log: Option<OpenedFile>,
    index: Option<OpenedFile>,
    /// Whether the log has said that they changed.
    is_reported: AtomicBool,
    /// When the log was last said to be large.
    large_log_reported_at: Mutex<Option<Instant>>,
}

/// How a file differs from the one that was opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileChange {
    #[error("`{}` was deleted or moved while it was open", .0.display())]
    Gone(PathBuf),
    #[error("`{}` is not the file that was opened, but another one", .0.display())]
    Replaced(PathBuf),
    #[error("`{}` can't be looked at", path.display())]
    Hidden { path: PathBuf, source: io::Error },
}

#[derive(Debug)]
struct OpenedFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl OpenedFiles {
    /// Notes which files a database has, right after its first transaction.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        // As SQLite: a relative path is taken once, and files beside a linked one are where the link leads to.
        let absolute = std::path::absolute(database)?;
        let resolved = fs::canonicalize(database)?;
        Ok(Self {
            database: OpenedFile::at(absolute)?,
            log: OpenedFile::at(with_suffix(&resolved, "-wal")).ok(),
            index: OpenedFile::at(with_suffix(&resolved, "-shm")).ok(),
            is_reported: AtomicBool::new(false),
            large_log_reported_at: Mutex::default(),
        })
    }

    /// Checks all files.
    pub(super) fn verify(&self) -> Result<(), FileChange> {
        let index = || self.index.as_ref().map_or(Ok(()), |index| index.verify().map(drop));
        let checked = self.find_database().and_then(|()| self.find_log()).and_then(|()| index());
        if checked.is_ok() && self.is_reported.swap(false, Ordering::Relaxed) {
            tracing::info!("the database's files are back, messages are stored again");
        }
        checked.inspect_err(|change| self.report(change))
    }

    /// Checks what an operation needs before it begins: the database, and once a change was noticed all files.
    pub(super) fn verify_before(&self) -> Result<(), FileChange> {
        if self.is_reported.load(Ordering::Relaxed) {
            return self.verify();
        }
        self.find_database().inspect_err(|change| self.report(change))
    }

    /// Checks what was written to: whether it will be found again.
    pub(super) fn verify_written(&self) -> Result<(), FileChange> {
        self.find_database().and_then(|()| self.find_log()).inspect_err(|change| self.report(change))
    }

    fn find_database(&self) -> Result<(), FileChange> {
        self.database.verify().map(drop)
    }

    fn find_log(&self) -> Result<(), FileChange> {
        let Some(log) = &self.log else { return Ok(()) };
        let length_bytes = log.verify()?.len();
        if length_bytes > LARGE_LOG_BYTES {
            self.report_large_log(&log.path, length_bytes);
        }
        Ok(())
    }

    /// As [`RevocationLog::last_write`](crate::store::RevocationLog::last_write).
    pub(super) fn last_write(&self) -> Option<LastWrite> {
        let files = [Some(&self.database), self.log.as_ref()].into_iter().flatten();
        files.map(OpenedFile::settled_state).collect::<Option<_>>().map(LastWrite)
    }

    /// Returns how much more this process may put on the disk, as far as the file system knows.
    pub(super) fn free_bytes(&self) -> u64 {
        statvfs(&self.database.path).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Says once that the files changed, and what to do.
    fn report(&self, change: &FileChange) {
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            tracing::error!(
                "{change}: nothing is stored until the file that was opened is back at its place. \
                 Move it back, or stop the server with SIGTERM and start it with the files that are to be used"
            );
        }
    }

    /// Says that the log has become large, and why, once an hour at most.
    fn report_large_log(&self, path: &Path, length_bytes: u64) {
        let now = Instant::now();
        {
            let mut reported_at = self.large_log_reported_at.lock();
            if reported_at.is_some_and(|at| now.duration_since(at) < LARGE_LOG_SILENCE) {
                return;
            }
            *reported_at = Some(now);
        }
        tracing::warn!(
            "the write-ahead log `{}` has grown to {} MiB and grows with every message, because another program, \
             such as a backup or a database browser, reads the database in one long transaction; end that program \
             (`lsof {}` shows which have the database open), and the space is used again",
            path.display(),
            length_bytes >> 20,
            self.database.path.display()
        );
    }
}

impl FileChange {
    /// Refuses an operation, because its files are not the ones that were opened.
    pub(super) fn refuse(self, operation: &'static str) -> StoreError {
        StoreError::Unavailable { operation, source: self.into() }
    }
}

impl OpenedFile {
    fn at(path: PathBuf) -> io::Result<Self> {
        let found = fs::metadata(&path)?;
        Ok(Self { path, device: found.dev(), inode: found.ino() })
    }

    /// Returns what the file looks like; `None` if it was changed a moment ago, or can't be looked at.
    fn settled_state(&self) -> Option<FileState> {
        let found = fs::metadata(&self.path).ok()?;
        let age = found.modified().ok()?.elapsed().ok()?;
        let state = (found.dev(), found.ino(), found.len(), found.mtime(), found.mtime_nsec());
        (age >= SETTLED_AFTER).then_some(state)
    }

    fn verify(&self) -> Result<Metadata, FileChange> {
        let path = || self.path.clone();
        match fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(found),
            Ok(_) => Err(FileChange::Replaced(path())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(FileChange::Gone(path()))
            }
            Err(source) => Err(FileChange::Hidden { path: path(), source }),
        }
    }
}

/// Returns the name of a file beside another, as SQLite makes it.
pub(super) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

    use super::*;
    use crate::store::{RevocationLog as _, Sqlite};

    #[tokio::test]
    async fn what_others_write_shows_once_the_clock_has_gone_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gotify.db");
        let database = Sqlite::open(file.to_str().unwrap()).await.unwrap();
        assert_eq!(database.last_write(), None, "it was written to a moment ago");
        let now = SystemTime::now();
        let age = |hours| {
            for suffix in ["", "-wal"] {
                let opened = fs::File::options().append(true).open(with_suffix(&file, suffix)).unwrap();
                opened.set_modified(now - Duration::from_hours(hours)).unwrap();
            }
        };
        age(2);
        let earlier = database.last_write();
        assert!(earlier.is_some());
        assert_eq!(database.last_write(), earlier, "nobody has written");
        age(1);
        let before = database.last_write();
        assert!(before.is_some());
        assert_ne!(before, earlier, "the log may begin anew and have the same length");

        let mut other = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        sqlx::query("INSERT INTO shardcast_log (written_at, kind, payload) VALUES (0, 'A', '{}')")
            .execute(&mut other)
            .await
            .unwrap();
        assert_eq!(database.last_write(), None, "a further write might not show");
        age(1);
        let after = database.last_write();
        assert!(after.is_some());
        assert_ne!(after, before);
    }
}
