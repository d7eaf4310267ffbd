//! One connection that reads or writes whole tables, and what each kind of database does there in its own way.

use std::fmt::{self, Debug};
use std::path::PathBuf;

use super::parts::{self, Parts};
use super::record::Record;
use super::table::Table;
use super::{Totals, TransferError};
use crate::model::Timestamp;
use crate::store::OpenDatabaseError;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::store::remote::{RemoteDialect, may_pass};
use crate::store::sql::dialect::Connection;
use crate::store::sql::{Dialect, Session, cause, query};

/// What a connection is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It changes nothing, and sees the database as it is when the first row is read.
    Read,
    Write,
}

/// What moving whole tables needs, beside the [`Dialect`].
pub(crate) trait BulkDialect: Dialect {
    /// The name of its kind in messages.
    const KIND: &'static str;
    /// What a connection that reads runs first. Nothing bounds how long its statements take.
    const PREPARE_SOURCE: &'static str;
    /// Begins a transaction that only reads, and whose queries all see the same moment.
    const BEGIN_SOURCE: &'static str;
    /// What a connection that writes runs first.
    const PREPARE_TARGET: &'static str;
    /// How many rows an `INSERT` has at most; a power of two, so that few statements are prepared.
    const INSERT_ROWS: usize = 512;
    /// How many bytes of rows are loaded at once, where few are slow.
    const LOAD_BYTES: usize = 0;
    /// Returns each column: its table and its name.
    const LIST_COLUMNS: &'static str;
    /// What a value is cast to, to be a whole number with a sign, of 64 bits.
    const INTEGER: &'static str;
    /// The most bytes of a text, where there is a limit.
    const TEXT_BYTES: Option<usize>;
    /// The most characters of a name or token, where there is a limit.
    const SHORT_TEXT_CHARACTERS: Option<usize>;

    /// Reads a time of a packed row; `None` where rows are not packed.
    const PACKED_TIME: Option<fn(&str) -> Option<Timestamp>> = None;

    /// How many bytes a text has in UTF-8, for [`Parts`].
    fn text_bytes(column: &str) -> String {
        format!("octet_length({column})")
    }

    /// The file that a connection names, where a database is a file.
    fn file(_connection: &str) -> Option<PathBuf> {
        None
    }

    /// The query for the highest id that a table has given, also to rows that were deleted.
    fn last_id(table: &str) -> String;

    /// The statements after which a table gives ids above this one.
    fn raise_last_id(table: &str, id: u64) -> Vec<String>;

    /// Connects; `None` if there is no such database, which a server would make.
    fn connect(
        connection: &str,
        access: Access,
    ) -> impl Future<Output = Result<Option<BulkConnection<Self>>, OpenDatabaseError>> + Send;

    /// Inserts rows, within a transaction.
    fn load(
        session: &mut Session<'_, Self>,
        table: &'static Table,
        rows: &[Record],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        insert(session, table, rows)
    }
}

/// Inserts rows by statements with many rows each.
async fn insert<D: BulkDialect>(
    session: &mut Session<'_, D>,
    table: &'static Table,
    rows: &[Record],
) -> Result<(), sqlx::Error> {
    let names = table.column_names();
    let places = vec!["?"; table.columns.len()].join(",");
    let mut rest = rows;
    while !rest.is_empty() {
        let count = rest.len().min(D::INSERT_ROWS);
        // The largest power of two that is not above.
        let count = if count.is_power_of_two() { count } else { count.next_power_of_two() / 2 };
        let (now, later) = rest.split_at(count);
        let rows = vec![format!("({places})"); count].join(",");
        let text = format!("INSERT INTO {} ({names}) VALUES {rows}", table.name);
        let mut statement = query(&text);
        for record in now {
            for (cell, column) in record.cells.iter().zip(table.columns) {
                statement = statement.bind(cell.value(column.kind));
            }
        }
        session.run(statement).await?;
        rest = later;
    }
    Ok(())
}

/// A connection for whole tables.
pub(crate) struct BulkConnection<D: BulkDialect> {
    dialect: D,
    connection: Connection<D>,
    /// Where the database is, without what logs in to it.
    place: String,
    /// What keeps servers away.
    lock: Option<Box<dyn Debug + Send + Sync>>,
    /// How many messages are read in one value; 0 if each is read by itself.
    pub(super) packed_messages: usize,
}

impl<D: BulkDialect> Debug for BulkConnection<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkConnection").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A server that can't be reached.
#[cfg(any(feature = "mysql", feature = "postgres"))]
#[derive(Debug, thiserror::Error)]
#[error("failed to connect to {kind}{remedy}")]
struct Unreachable {
    kind: &'static str,
    remedy: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Says that a server could not be connected to.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn unreachable<D: BulkDialect + RemoteDialect>(error: sqlx::Error) -> OpenDatabaseError {
    let may_pass = may_pass::<D>(&error);
    let remedy = if may_pass {
        ": it can't be reached, or takes no connections now"
    } else {
        "; check the address, the user and the password"
    };
    let unreachable = Unreachable { kind: <D as BulkDialect>::KIND, remedy, source: cause(error) }.into();
    if may_pass {
        OpenDatabaseError::Unavailable(unreachable)
    } else {
        OpenDatabaseError::Unusable(unreachable)
    }
}

impl<D: BulkDialect> BulkConnection<D> {
    /// Prepares a new connection.
    pub(crate) async fn prepare(
        dialect: D,
        connection: Connection<D>,
        place: String,
        access: Access,
    ) -> Result<Self, sqlx::Error> {
        let mut prepared = Self { dialect, connection, place, lock: None, packed_messages: 0 };
        let mut session = prepared.session();
        match access {
            Access::Read => {
                session.batch(D::PREPARE_SOURCE).await?;
                session.batch(D::BEGIN_SOURCE).await?;
            }
            Access::Write => session.batch(D::PREPARE_TARGET).await?,
        }
        Ok(prepared)
    }

    /// Keeps servers away until it is closed.
    #[cfg(feature = "sqlite")]
    pub(crate) fn holding(self, lock: impl Debug + Send + Sync + 'static) -> Self {
        Self { lock: Some(Box::new(lock)), ..self }
    }

    /// Reads so many messages in one value.
    #[cfg(feature = "sqlite")]
    pub(crate) fn packing(self, messages: usize) -> Self {
        Self { packed_messages: messages, ..self }
    }

    /// Its kind and where it is.
    pub(super) fn name(&self) -> String {
        format!("{} `{}`", D::KIND, self.place)
    }

    /// Says what could not be done.
    pub(super) fn failed_to(&self, operation: &'static str, error: sqlx::Error) -> TransferError {
        TransferError::Database { operation, place: self.name(), source: cause(error) }
    }

    /// What statements run by. They take as long as they take.
    pub(super) fn session(&mut self) -> Session<'_, D> {
        Session::new(&self.dialect, &mut self.connection, None)
    }

    /// Answers whether the database has this table.
    pub(super) async fn has_table(&mut self, table: &str) -> Result<bool, sqlx::Error> {
        let columns = self.columns().await?;
        Ok(columns.iter().any(|(found, _)| found == table))
    }

    /// Returns all columns with their tables.
    pub(super) async fn columns(&mut self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let rows = self.session().all(query(D::LIST_COLUMNS)).await?;
        rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
    }

    /// Counts the rows of a table.
    pub(super) async fn totals(&mut self, table: &Table) -> Result<Totals, sqlx::Error> {
        let text = format!("SELECT count(*), CAST(sum(id) AS {}) FROM {}", D::INTEGER, table.name);
        let row = self.session().one(query(&text)).await?;
        Ok(Totals { rows: row.unsigned(0)?, ids: row.unsigned(1)? })
    }

    /// Returns what tells rows of a table apart from others, up to an id.
    pub(super) async fn parts(&mut self, table: &Table, up_to: u64) -> Result<Parts, sqlx::Error> {
        let columns = self.columns().await?;
        let text = parts::query::<D>(table, |column| {
            columns.iter().any(|(of, name)| of == table.name && name == column)
        });
        let rows = self.session().all(query(&text).id(up_to)).await?;
        Parts::read(&rows, table)
    }

    /// Returns the highest id that a table has given, also to rows that were deleted.
    pub(super) async fn last_id(&mut self, table: &Table) -> Result<u64, sqlx::Error> {
        let text = D::last_id(table.name);
        self.session().one(query(&text)).await?.unsigned(0)
    }

    /// Closes it well. What was not committed is lost.
    pub(super) async fn close(self) {
        // Whatever was to be kept was committed before.
        let _ = sqlx::Connection::close(self.connection).await;
        drop(self.lock);
    }
}
