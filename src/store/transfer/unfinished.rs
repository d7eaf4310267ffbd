//! What says that a database holds the first part of a copy, and how far that goes.
//!
//! It is a table, `shardcast_copy`, with one row per table that is copied. It is made before the first row is copied,
//! moves with every commit, and goes when all is there. A server does not start on a database that has it with rows.

use super::bulk::{BulkConnection, BulkDialect};
use super::table::TABLES;
use super::target::{Job, JobKind};
use super::{Totals, TransferError};
use crate::store::sql::schema::Columns;
use crate::store::sql::{Dialect, Session, pictures, query, search};

/// The table.
const NAME: &str = "shardcast_copy";

const MAKE: &str = "CREATE TABLE IF NOT EXISTS shardcast_copy (number bigint NOT NULL PRIMARY KEY, \
    source text NOT NULL, last_id bigint NOT NULL, left_out bigint NOT NULL, left_out_ids bigint NOT NULL)";

/// What the source of a restored backup begins with.
pub(super) const BACKUP: &str = "the backup ";

/// How much of a table was copied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    pub(super) last_id: u64,
    pub(super) left_out: Totals,
}

/// What is in a database.
#[derive(Debug)]
pub(super) enum Contents {
    Nothing,
    Rows { place: String, table: &'static str },
    Unfinished { place: String, source: String },
}

impl Contents {
    /// Answers whether the rest of the same copy is to be written.
    pub(super) fn allow(&self, job: &Job) -> Result<bool, TransferError> {
        match (self, job.kind) {
            (Self::Nothing, _)
            | (Self::Rows { .. } | Self::Unfinished { .. }, JobKind::Restore { replace: true, .. }) => {
                Ok(false)
            }
            (Self::Unfinished { source, .. }, JobKind::Copy) if *source == job.source => Ok(true),
            (Self::Unfinished { source, .. }, JobKind::Restore { .. }) if source.starts_with(BACKUP) => {
                Ok(false)
            }
            (Self::Unfinished { place, source }, _) => {
                Err(TransferError::OtherCopy { place: place.clone(), source_place: source.clone() })
            }
            (Self::Rows { place, table }, JobKind::Copy) => {
                Err(TransferError::NotEmpty { place: place.clone(), table })
            }
            (Self::Rows { place, table }, JobKind::Restore { .. }) => {
                Err(TransferError::NotEmptyToRestore { place: place.clone(), table })
            }
        }
    }
}

/// Answers whether a database with these tables has the first part of a copy.
pub(crate) async fn is_there<D: Dialect>(
    session: &mut Session<'_, D>,
    tables: &Columns,
) -> Result<bool, sqlx::Error> {
    // Without a row nothing was copied yet: MariaDB and MySQL make the table before the transaction that adds them.
    Ok(tables.has_table(NAME) && session.first(query("SELECT number FROM shardcast_copy")).await?.is_some())
}

/// Looks what is in a database.
pub(super) async fn contents<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
) -> Result<Contents, sqlx::Error> {
    let columns = connection.columns().await?;
    let has = |table: &str| columns.iter().any(|(found, _)| found == table);
    if has(NAME) {
        let source = connection.session().first(query("SELECT source FROM shardcast_copy")).await?;
        if let Some(source) = source {
            let source = source.text(0)?;
            return Ok(Contents::Unfinished { place: connection.name(), source });
        }
    }
    for table in TABLES.iter().filter(|table| has(table.name)) {
        let text = format!("SELECT id FROM {} LIMIT 1", table.name);
        if connection.session().first(query(&text)).await?.is_some() {
            return Ok(Contents::Rows { place: connection.name(), table: table.name });
        }
    }
    Ok(Contents::Nothing)
}

/// Empties a database that has all tables, and begins a copy.
pub(super) async fn begin<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
    source: &str,
) -> Result<[Position; TABLES.len()], sqlx::Error> {
    let mut session = connection.session();
    session.run(query(MAKE)).await?;
    session.begin().await?;
    session.run(query("DELETE FROM shardcast_copy")).await?;
    for table in &TABLES {
        session.run(query(&format!("DELETE FROM {}", table.name))).await?;
    }
    for table in search::TABLES.into_iter().chain([pictures::TABLE]) {
        session.run(query(&format!("DELETE FROM {table}"))).await?;
    }
    if D::HAS_HEADS {
        session.run(query("DELETE FROM shardcast_heads")).await?;
    }
    for number in 0..TABLES.len() {
        let row = query(
            "INSERT INTO shardcast_copy (number, source, last_id, left_out, left_out_ids) VALUES (?, ?, 0, 0, 0)",
        );
        session.run(row.id(number as u64).bind(source)).await?;
    }
    session.commit().await?;
    Ok(Default::default())
}

/// Returns how far the copy goes.
pub(super) async fn positions<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
) -> Result<[Position; TABLES.len()], sqlx::Error> {
    let rows = connection
        .session()
        .all(query("SELECT number, last_id, left_out, left_out_ids FROM shardcast_copy"))
        .await?;
    let mut positions: [Position; TABLES.len()] = Default::default();
    for row in &rows {
        let number = usize::try_from(row.unsigned(0)?).unwrap_or(usize::MAX);
        if let Some(position) = positions.get_mut(number) {
            let left_out = Totals { rows: row.unsigned(2)?, ids: row.unsigned(3)? };
            *position = Position { last_id: row.unsigned(1)?, left_out };
        }
    }
    Ok(positions)
}

/// Takes note of how far a table is copied, within the transaction that has written its rows.
pub(super) async fn note<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
    number: usize,
    position: Position,
) -> Result<(), sqlx::Error> {
    let moved =
        query("UPDATE shardcast_copy SET last_id = ?, left_out = ?, left_out_ids = ? WHERE number = ?");
    let Position { last_id, left_out } = position;
    connection
        .session()
        .run(moved.id(last_id).id(left_out.rows).id(left_out.ids).id(number as u64))
        .await
        .map(drop)
}

/// Ends it: all is there.
pub(super) async fn end<D: BulkDialect>(connection: &mut BulkConnection<D>) -> Result<(), sqlx::Error> {
    connection.session().run(query("DROP TABLE shardcast_copy")).await.map(drop)
}
