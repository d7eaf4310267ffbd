//! What says that a database holds the first part of a copy, and how far that goes.
//!
//! It is a table, `shardcast_copy`, with one row per table that is copied. It is made before the first row is copied,
//! moves with every commit, and goes when all is there. A server does not start on a database that has it with rows.
//!
//! The source may have changed until a copy is continued. So all tables but that of the messages are emptied then, and
//! [`continuation`](super::continuation) looks which messages have changed.

use super::TransferError;
use super::bulk::{BulkConnection, BulkDialect};
use super::table::{MESSAGES, TABLES};
use super::target::{Job, JobKind};
use crate::store::sql::schema::Columns;
use crate::store::sql::{Dialect, Session, pictures, query, search};

/// The table.
const NAME: &str = "shardcast_copy";

const MAKE: &str = "CREATE TABLE IF NOT EXISTS shardcast_copy (number bigint NOT NULL PRIMARY KEY, \
    source text NOT NULL, last_id bigint NOT NULL)";

/// What the source of a restored backup begins with.
pub(super) const BACKUP: &str = "the backup ";

/// Up to which id each table was copied.
pub(super) type Positions = [u64; TABLES.len()];

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
) -> Result<Positions, sqlx::Error> {
    let mut session = connection.session();
    session.run(query(MAKE)).await?;
    session.begin().await?;
    session.run(query("DELETE FROM shardcast_copy")).await?;
    session.run(query(&format!("DELETE FROM {}", TABLES[MESSAGES].name))).await?;
    empty_all_but_messages(&mut session).await?;
    for number in 0..TABLES.len() {
        let row = query("INSERT INTO shardcast_copy (number, source, last_id) VALUES (?, ?, 0)");
        session.run(row.id(number as u64).bind(source)).await?;
    }
    session.commit().await?;
    Ok(Positions::default())
}

/// Prepares a database that has the first part of a copy for the rest. It keeps the messages alone: the rows of the other
/// tables may have changed at the source, in ways that nothing but their content shows.
pub(super) async fn resume<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
) -> Result<Positions, sqlx::Error> {
    let mut session = connection.session();
    let position = query("SELECT last_id FROM shardcast_copy WHERE number = ?").id(MESSAGES as u64);
    let mut positions = Positions::default();
    positions[MESSAGES] = session.one(position).await?.unsigned(0)?;
    session.begin().await?;
    empty_all_but_messages(&mut session).await?;
    // The copy has written none. They would be in the way of rows that it writes.
    let above = format!("DELETE FROM {} WHERE id > ?", TABLES[MESSAGES].name);
    session.run(query(&above).id(positions[MESSAGES])).await?;
    let moved_back = query("UPDATE shardcast_copy SET last_id = 0 WHERE number <> ?");
    session.run(moved_back.id(MESSAGES as u64)).await?;
    session.commit().await?;
    Ok(positions)
}

/// Deletes all rows but the messages, within the open transaction.
async fn empty_all_but_messages<D: BulkDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let copied = TABLES[..MESSAGES].iter().map(|table| table.name);
    let heads = D::HAS_HEADS.then_some("shardcast_heads");
    for table in copied.chain(search::TABLES).chain([pictures::TABLE]).chain(heads) {
        session.run(query(&format!("DELETE FROM {table}"))).await?;
    }
    Ok(())
}

/// Takes note of how far a table is copied, within the transaction that has written its rows.
pub(super) async fn note<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
    number: usize,
    last_id: u64,
) -> Result<(), sqlx::Error> {
    let moved = query("UPDATE shardcast_copy SET last_id = ? WHERE number = ?");
    connection.session().run(moved.id(last_id).id(number as u64)).await.map(drop)
}

/// Ends it: all is there.
pub(super) async fn end<D: BulkDialect>(connection: &mut BulkConnection<D>) -> Result<(), sqlx::Error> {
    connection.session().run(query("DROP TABLE shardcast_copy")).await.map(drop)
}
