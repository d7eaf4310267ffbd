//! Why rows were not moved.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use super::Totals;
use crate::store::OpenDatabaseError;

type Cause = Box<dyn Error + Send + Sync>;

/// A copy, a backup or a restore that was not completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The database that is read can't be opened.
    #[error("failed to open the database to read from")]
    OpenSource(#[source] OpenDatabaseError),
    /// The database that is written can't be opened.
    #[error("failed to open the database to write to")]
    OpenTarget(#[source] OpenDatabaseError),
    /// There is no such file.
    #[error(
        "there is no database `{}`; name one that is there, or run the command in the folder of the server",
        .0.display()
    )]
    NoSource(PathBuf),
    /// The database has no table of Gotify's.
    #[error("{place} is no database of Gotify or Shardcast: it has no table `users`; name another one")]
    NotOurs {
        /// Where it is.
        place: String,
    },
    /// The target of a copy is in use.
    #[error("{place} has rows in the table `{table}`, and a copy needs an empty database; name another one")]
    NotEmpty {
        /// Where it is.
        place: String,
        /// A table with rows.
        table: &'static str,
    },
    /// The target of a backup is in use.
    #[error(
        "{place} has rows in the table `{table}`; name an empty database, or say --force to delete what is there \
         and restore the backup instead"
    )]
    NotEmptyToRestore {
        /// Where it is.
        place: String,
        /// A table with rows.
        table: &'static str,
    },
    /// The target has the first part of something else.
    #[error(
        "{place} has the first part of {source_place}, and no other copy can go on there; copy from there again, or \
         make an empty database"
    )]
    OtherCopy {
        /// Where it is.
        place: String,
        /// What was copied.
        source_place: String,
    },
    /// A database failed.
    #[error("failed to {operation} {place}")]
    Database {
        /// What was being done.
        operation: &'static str,
        /// Where it is.
        place: String,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// Rows were refused.
    #[error(
        "failed to write the rows {first} to {last} of the table `{table}` to {place}; what was copied before is kept"
    )]
    Write {
        /// The table.
        table: &'static str,
        /// The id of the first row.
        first: u64,
        /// The id of the last row.
        last: u64,
        /// Where the target is.
        place: String,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// The target can't hold a row.
    #[error(
        "row {id} of the table `{table}` can't be copied: {reason}; shorten or delete it at the source, or say \
         --leave-out to go on without such rows"
    )]
    Unstorable {
        /// The table.
        table: &'static str,
        /// The row.
        id: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The target does not hold what the source does.
    #[error(
        "the table `{table}` has {expected} at the source and {found} at the target: something has changed one of them \
         meanwhile; see that nothing does, and run the command again"
    )]
    Different {
        /// The table.
        table: &'static str,
        /// What the source has, without what was left out.
        expected: Totals,
        /// What the target has.
        found: Totals,
    },
    /// The target of a continued copy does not hold what was written to it.
    #[error(
        "rows between {first} and {last} of the table `{table}` in {place} are not those that were copied: something \
         has changed them; see that nothing does, and run the command again"
    )]
    Changed {
        /// The table.
        table: &'static str,
        /// No row with a lower id is concerned.
        first: u64,
        /// No row with a higher id is concerned.
        last: u64,
        /// Where the target is.
        place: String,
    },
    /// The file of a backup, or a picture, can't be read or written.
    #[error("failed to {operation} `{}`", path.display())]
    File {
        /// What was being done.
        operation: &'static str,
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file that a backup would have is there.
    #[error("`{}` exists, and a backup never replaces a file; name another one", .0.display())]
    Exists(PathBuf),
    /// The folder of the file that a backup would have is not there.
    #[error("there is no folder `{}`; make it, or name a file in another one", .0.display())]
    NoFolder(PathBuf),
    /// The file is no backup, or damaged.
    #[error("`{}` can't be restored: {problem}", path.display())]
    NoBackup {
        /// Which one.
        path: PathBuf,
        /// What is wrong, and in which line.
        problem: String,
    },
    /// The folder of pictures is in use.
    #[error(
        "the folder `{}` has pictures; name an empty one in `uploadedimagesdir`, or say --force to write the pictures of \
         the backup beside them",
        .0.display()
    )]
    PicturesThere(PathBuf),
}
