//! Why a file was not opened as a database, in words for whoever has configured it.

use std::error::Error;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use super::error::{code, primary_code};
use super::location::{InvalidLocation, parent};
use crate::store::OpenDatabaseError;
use crate::store::sql::cause;
use crate::store::sql::schema::VERSION;

/// Each text says what is wrong with what, and what would be right.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenFileError {
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    #[error("`{}` is a folder; name a file in it, such as `{}`", .0.display(), .0.join("gotify.db").display())]
    IsFolder(PathBuf),
    #[error("`{}` does not exist; the first start of the server makes it", .0.display())]
    Missing(PathBuf),
    #[error(
        "the folder `{}` must exist and be writable for this process (user {user}), because SQLite keeps files \
         beside the database",
        folder.display()
    )]
    Folder { folder: PathBuf, user: u32, source: io::Error },
    #[error("used by {0}")]
    InUse(String),
    #[error("the lock file `{}` must be readable and writable for this process (user {user})", path.display())]
    Lock { path: PathBuf, user: u32, source: io::Error },
    #[error(
        "`{}` belongs to user {owner}, and this process (user {user}) may not read and write it; run the server as \
         user {owner}, or give the file and its folder to user {user}",
        file.display()
    )]
    NotPermitted { file: PathBuf, owner: u32, user: u32 },
    #[error(
        "`{}` is not a SQLite database; name another file, or move this one away and a new database is made",
        .0.display()
    )]
    NotADatabase(PathBuf),
    #[error(
        "`{}` is the database of another program: {missing}; name another file, or move this one away and a new \
         database is made",
        file.display()
    )]
    OfAnotherProgram { file: PathBuf, missing: String },
    #[error(
        "`{}` is the database of a newer Gotify: {unknown}; use a newer shardcast, or another file",
        file.display()
    )]
    OfNewerGotify { file: PathBuf, unknown: String },
    #[error(
        "`{}` has the schema {found} of a newer shardcast, and this one knows schemas up to {VERSION}; use that newer \
         version, or another file",
        file.display()
    )]
    Newer { file: PathBuf, found: i64 },
    #[error(
        "`{}` has the first part of a copy or of a backup; run `shardcast copy` or `shardcast restore` again to complete \
         it",
        .0.display()
    )]
    UnfinishedCopy(PathBuf),
    #[error("`{}` is locked by another program, such as a Gotify or a backup; end that program", .0.display())]
    Locked(PathBuf),
    #[error("the disk of `{}` is full; make room", .0.display())]
    DiskFull(PathBuf),
    #[error(
        "failed to copy `{}` before its first use here; its folder must be writable and have room for the copy",
        file.display()
    )]
    Backup { file: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error("failed to open `{}`", file.display())]
    Other { file: PathBuf, source: Box<dyn Error + Send + Sync> },
}

impl OpenFileError {
    /// Names what SQLite complains about.
    pub(super) fn of(file: &Path, error: sqlx::Error) -> Self {
        let path = || file.to_owned();
        match primary_code(&error) {
            Some(code::NOTADB) => Self::NotADatabase(path()),
            Some(code::BUSY | code::LOCKED) => Self::Locked(path()),
            Some(code::FULL) => Self::DiskFull(path()),
            _ => forbidden(file).unwrap_or_else(|| Self::Other { file: path(), source: cause(error) }),
        }
    }

    /// A lock file can't be opened or locked.
    pub(super) fn of_lock(path: &Path, source: io::Error) -> Self {
        if path.exists() {
            return Self::Lock { path: path.to_owned(), user: geteuid().as_raw(), source };
        }
        Self::of_folder(path, source)
    }

    /// The folder of a file is not there, or can't be used.
    pub(super) fn of_folder(file: &Path, source: io::Error) -> Self {
        let folder = parent(file).unwrap_or(Path::new("."));
        Self::Folder { folder: folder.to_owned(), user: geteuid().as_raw(), source }
    }
}

/// Answers whether this process may not use a file that is there.
fn forbidden(file: &Path) -> Option<OpenFileError> {
    let owner = fs::metadata(file).ok()?.uid();
    access(file, Access::READ_OK | Access::WRITE_OK).err()?;
    Some(OpenFileError::NotPermitted { file: file.to_owned(), owner, user: geteuid().as_raw() })
}

impl From<OpenFileError> for OpenDatabaseError {
    fn from(error: OpenFileError) -> Self {
        match error {
            OpenFileError::InUse(holder) => Self::InUse { holder },
            OpenFileError::Locked(_) | OpenFileError::DiskFull(_) => Self::Unavailable(error.into()),
            other => Self::Unusable(other.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_and_a_full_disk_may_pass() {
        for passing in [OpenFileError::Locked("a".into()), OpenFileError::DiskFull("a".into())] {
            assert!(matches!(passing.into(), OpenDatabaseError::Unavailable(_)));
        }
        let missing = OpenFileError::Missing("a".into());
        assert!(matches!(missing.into(), OpenDatabaseError::Unusable(_)));
    }
}
