//! Where rows go to.

mod loading;

use std::ops::RangeInclusive;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use loading::Loading;

use super::bulk::{Access, BulkDialect};
use super::parts::Parts;
use super::record::Record;
use super::source::no_source;
use super::table::Table;
use super::unfinished::{self, Contents};
use super::{Totals, TransferError};
#[cfg(feature = "mysql")]
use crate::store::mysql::MysqlDialect;
#[cfg(feature = "postgres")]
use crate::store::postgres::PostgresDialect;
#[cfg(feature = "sqlite")]
use crate::store::sqlite::SqliteDialect;
use crate::store::{self, DatabaseConfig, Dialect, ImageName};

/// Where rows go to: a database or a backup.
#[async_trait]
pub(super) trait Target: Send {
    /// After which id rows of a table are missing. Tables are named by their place in [`TABLES`](super::table::TABLES).
    fn after(&self, table: usize) -> u64;
    /// Says why it can't hold a row.
    fn refusal(&self, table: &'static Table, record: &Record) -> Option<String>;
    /// How many bytes it wants to be given at once, where few are slow.
    fn wanted_bytes(&self) -> usize {
        0
    }
    /// Begins a table. Its highest id is this one, or one that was given to a row that is deleted.
    async fn begin_table(&mut self, table: usize, last_id: u64) -> Result<(), TransferError>;
    /// Writes rows, and takes note of those that are left out.
    async fn write(&mut self, table: usize, batch: &Written<'_>) -> Result<(), TransferError>;
    /// Ends a table, and makes it durable.
    async fn end_table(&mut self, table: usize) -> Result<(), TransferError>;
    /// Counts the rows of a table, and those that were left out.
    async fn totals(&mut self, table: usize) -> Result<(Totals, Totals), TransferError>;
}

/// What came of a batch.
pub(super) struct Written<'b> {
    pub(super) rows: &'b [Record],
    pub(super) left_out: Totals,
    /// The last id of the batch, left out or not.
    pub(super) last_id: u64,
}

/// What is written into a database.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Where the rows come from.
    pub(super) source: String,
    pub(super) kind: JobKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobKind {
    /// The target is empty, or has the first part of this copy.
    Copy,
    /// The target is empty, or is emptied.
    Restore {
        /// Whether rows may be deleted that nobody wrote by restoring.
        replace: bool,
        /// How far above the highest id of the backup new messages begin.
        gap: u64,
    },
}

/// Opens a database to write to, once nothing speaks against it.
pub(super) async fn open(
    config: &DatabaseConfig,
    job: &Job,
) -> Result<Box<dyn DatabaseTarget>, TransferError> {
    match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => prepare::<SqliteDialect>(config, job).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => prepare::<PostgresDialect>(config, job).await,
        #[cfg(feature = "mysql")]
        Dialect::Mysql => prepare::<MysqlDialect>(config, job).await,
    }
}

async fn prepare<D: BulkDialect>(
    config: &DatabaseConfig,
    job: &Job,
) -> Result<Box<dyn DatabaseTarget>, TransferError> {
    let place = config.connection.expose_secret();
    let contents = match D::connect(place, Access::Read).await.map_err(TransferError::OpenTarget)? {
        Some(mut connection) => {
            let found = unfinished::contents(&mut connection).await;
            let found = found.map_err(|error| connection.failed_to("look into", error));
            connection.close().await;
            found?
        }
        None => Contents::Nothing,
    };
    let is_rest = contents.allow(job)?;
    if !matches!(contents, Contents::Unfinished { .. }) {
        // This makes the tables.
        store::open(config).await.map_err(TransferError::OpenTarget)?.close().await;
    }
    let connected = D::connect(place, Access::Write).await.map_err(TransferError::OpenTarget)?;
    let mut connection = connected.ok_or_else(|| no_source::<D>(place))?;
    let positions = if is_rest {
        unfinished::resume(&mut connection).await
    } else {
        unfinished::begin(&mut connection, &job.source).await
    };
    let positions = positions.map_err(|error| connection.failed_to("prepare", error))?;
    let gap = match job.kind {
        JobKind::Copy => 0,
        JobKind::Restore { gap, .. } => gap,
    };
    Ok(Box::new(Loading::new(connection, positions, is_rest, gap)))
}

/// A database that is written to.
#[async_trait]
pub(super) trait DatabaseTarget: Target {
    /// Compares the messages that an earlier run has copied with those of the source. Returns the ids of those that
    /// must be copied again.
    async fn outdated(&mut self, source: &Parts) -> Result<Vec<RangeInclusive<u64>>, TransferError>;
    /// Deletes the messages that have these ids.
    async fn delete(&mut self, ids: &RangeInclusive<u64>) -> Result<(), TransferError>;
    /// Compares the messages that are there with those that should be, after an earlier run has copied some of them.
    async fn verify(&mut self) -> Result<(), TransferError>;
    /// Saves a picture, unless it is there.
    async fn save_picture(&mut self, name: &ImageName, content: &[u8]) -> Result<(), TransferError>;
    /// Takes note that all is there, and closes it.
    async fn finish(self: Box<Self>) -> Result<(), TransferError>;
    /// It as any target.
    fn as_target(&mut self) -> &mut dyn Target;
}
