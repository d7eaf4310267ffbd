//! Moving whole databases: a copy from one to another, a backup in a file, and restoring it.
//!
//! All three read rows from a source and write them to a target, table by table, in the order of ids. The source and
//! the target are databases or the file of a backup. Rows wait in batches of about a megabyte, so that memory does not
//! grow with the database.
//!
//! Ids, tokens and password hashes stay as they are. Dates keep what the target keeps of them: nanoseconds and a zone
//! in SQLite and in a backup, microseconds in PostgreSQL, milliseconds in MariaDB and MySQL.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

mod backup_file;
pub(crate) mod bulk;
mod continuation;
mod error;
mod packed;
mod parts;
mod pictures;
pub(crate) mod record;
mod refusal;
mod rows;
mod source;
pub(crate) mod table;
mod target;
pub(crate) mod unfinished;

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;

pub use error::TransferError;

use backup_file::{BackupReader, BackupWriter};
use source::Source as _;
use target::{Job, JobKind};

use super::{DatabaseConfig, ImageName};

/// How far above the highest id of a backup the next message begins: clients may have seen messages that were
/// published after the backup was made, and ask for what follows on them.
const RESTORE_GAP: u64 = 1_000_000;

/// A number of rows, with the sum of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub rows: u64,
    /// The sum.
    pub ids: u64,
}

impl Totals {
    fn plus(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, ids: self.ids.wrapping_add(other.ids) }
    }

    fn minus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_sub(other.rows), ids: self.ids.wrapping_sub(other.ids) }
    }

    fn of(id: u64) -> Self {
        Self { rows: 1, ids: id }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows with {} as the sum of their ids", self.rows, self.ids)
    }
}

/// What was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moved {
    /// Tables, with their rows at the target.
    pub tables: Vec<(&'static str, u64)>,
    /// Rows that the target can't hold.
    pub left_out: u64,
    /// Pictures of applications.
    pub pictures: u64,
    /// Pictures that applications have and that were not found, by their names. They are not at the target.
    pub missing_pictures: Vec<String>,
}

impl Moved {
    /// Notes which pictures were moved, of those that applications have.
    fn take_note(&mut self, moved: &HashSet<ImageName>, wanted: Vec<String>) {
        let is_there = |name: &String| ImageName::parse(name).is_some_and(|name| moved.contains(&name));
        self.pictures = moved.len() as u64;
        self.missing_pictures = wanted.into_iter().filter(|name| !is_there(name)).collect();
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TransferProgress {
    /// The table that is moved now.
    pub table: &'static str,
    /// How many of its rows were moved.
    pub done: u64,
    /// How many it has.
    pub total: u64,
}

/// What a restore may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// Delete all rows that are there first, instead of refusing the target.
    pub replace: bool,
    /// Go on without rows that the target can't hold, and name each of them in the log.
    pub leave_out: bool,
}

/// Is called as rows are moved, on the task that moves them.
pub type OnProgress<'p> = &'p (dyn Fn(TransferProgress) + Send + Sync);

/// Copies all users, applications, clients with their push subscriptions, messages, settings of plugins, and the pictures that the database keeps from
/// one database to another, of any kind. The source is only read. The target must be empty, or have the first part of the same copy, which is continued
/// then. A server does not start on it before the copy is complete.
///
/// The source may change until a copy is continued. Messages that were copied are compared, in groups of some thousands,
/// and groups that differ are copied again. The other rows are all copied again.
///
/// A picture that the database does not keep is in [`Moved::missing_pictures`]: it is a file, or lost.
///
/// Rows that the target can't hold, such as a text with NUL, end the copy; with `leave_out` they are named in the log
/// and left out.
///
/// # Cancel safety
///
/// A dropped future leaves the target with the first part of the copy.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn copy(
    from: &DatabaseConfig,
    to: &DatabaseConfig,
    leave_out: bool,
    on_progress: OnProgress<'_>,
) -> Result<Moved, TransferError> {
    let mut source = source::open(from).await?;
    let job = Job { source: source.place(), kind: JobKind::Copy };
    let mut target = target::open(to, &job).await?;
    continuation::bring_up_to_date(&mut *source, &mut *target, leave_out).await?;
    let mut moved = rows::transfer(source.as_source(), target.as_target(), leave_out, on_progress).await?;
    target.verify().await?;
    let pictures = pictures::copy(&mut *source, &mut *target).await?;
    moved.take_note(&pictures, source.application_pictures().await?);
    target.finish().await?;
    source.close().await;
    Ok(moved)
}

/// Writes a database and the pictures to a file, also while a server runs on them. `pictures` is their folder; `None` means
/// that the database keeps them. The backup is of one moment. It is read back before the file gets its name; a file that is there is never replaced.
///
/// A picture that an application has and that is not found is in [`Moved::missing_pictures`], and the backup is written
/// without it.
///
/// # Cancel safety
///
/// A dropped future leaves no file.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn backup(
    database: &DatabaseConfig,
    pictures: Option<&Path>,
    file: &Path,
    on_progress: OnProgress<'_>,
) -> Result<Moved, TransferError> {
    if file.exists() {
        return Err(TransferError::Exists(file.to_owned()));
    }
    let mut source = source::open(database).await?;
    let mut writer = BackupWriter::create(file)?;
    let mut moved = rows::transfer(source.as_source(), &mut writer, false, on_progress).await?;
    let pictures = match pictures {
        Some(folder) => pictures::write_all(folder, &mut writer)?,
        None => pictures::write_stored(&mut *source, &mut writer).await?,
    };
    moved.take_note(&pictures, source.application_pictures().await?);
    source.close().await;
    writer.finish()?;
    Ok(moved)
}

/// Writes a backup into a database, and its pictures into a folder, or into the database if that is `None`. Both must be
/// empty, unless [`RestoreOptions::replace`] is set: then all rows that are there are deleted first, and files of pictures
/// that are there stay. The backup is read to its end
/// first, and a damaged one changes nothing. No server may run on the database.
///
/// A restore that was interrupted begins anew when it is called again.
///
/// # Cancel safety
///
/// A dropped future leaves the database with a part of the backup.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn restore(
    file: &Path,
    database: &DatabaseConfig,
    pictures: Option<&Path>,
    options: RestoreOptions,
    on_progress: OnProgress<'_>,
) -> Result<Moved, TransferError> {
    let RestoreOptions { replace, leave_out } = options;
    let mut reader = BackupReader::open(file)?;
    if let Some(folder) = pictures.filter(|_| !replace)
        && pictures::has_others(folder, &reader)?
    {
        return Err(TransferError::PicturesThere(folder.to_owned()));
    }
    let kind = JobKind::Restore { replace, gap: RESTORE_GAP };
    let mut target = target::open(database, &Job { source: reader.place(), kind }).await?;
    let mut moved = rows::transfer(&mut reader, target.as_target(), leave_out, on_progress).await?;
    moved.pictures = match pictures {
        Some(folder) => pictures::read_all(&mut reader, folder).await?,
        None => pictures::store_all(&mut reader, &mut *target).await?,
    };
    target.finish().await?;
    Ok(moved)
}
