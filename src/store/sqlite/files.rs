//! Whether the files that were opened are still the ones that their names lead to.
//!
//! SQLite keeps its files open, and does not notice when they are deleted, moved or replaced: it goes on writing
//! into files that nobody finds after a restart. So every write compares device and inode of what the names lead to
//! with what was opened, before it is acknowledged. That takes about a microsecond per file, and no disk access.
//!
//! The database itself is never opened here: closing it would release the locks that SQLite holds on it in this
//! process.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::statvfs;

use crate::store::StoreError;

/// The files of an open database.
#[derive(Debug)]
pub(super) struct OpenedFiles {
    database: OpenedFile,
    /// The write-ahead log and its index. They exist from the first transaction to the last connection's end.
    log: Option<OpenedFile>,
    index: Option<OpenedFile>,
    /// Whether the log has said that they changed.
    is_reported: AtomicBool,
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
        })
    }

    /// Checks all files: what a write needs to be found again.
    pub(super) fn verify(&self) -> Result<(), FileChange> {
        let files = [Some(&self.database), self.log.as_ref(), self.index.as_ref()];
        let checked = files.into_iter().flatten().try_for_each(|file| file.verify().map(drop));
        self.report(&checked);
        checked
    }

    /// Checks the database alone: what a read needs to be an answer from it.
    pub(super) fn verify_database(&self) -> Result<(), FileChange> {
        let checked = self.database.verify().map(drop);
        if checked.is_err() {
            self.report(&checked);
        }
        checked
    }

    /// Returns how much more this process may put on the disk, as far as the file system knows.
    pub(super) fn free_bytes(&self) -> u64 {
        statvfs(&self.database.path).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Says once that the files changed and what to do, and once that they are back.
    fn report(&self, checked: &Result<(), FileChange>) {
        match checked {
            Ok(()) if self.is_reported.load(Ordering::Relaxed) => {
                if self.is_reported.swap(false, Ordering::Relaxed) {
                    tracing::info!("the database's files are back, messages are stored again");
                }
            }
            Ok(()) => {}
            Err(change) => {
                if !self.is_reported.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        "{change}: nothing is stored until the file that was opened is back at its place. \
                         Move it back, or stop the server with SIGTERM and start it with the files that are to be used"
                    );
                }
            }
        }
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
