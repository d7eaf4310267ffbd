//! Where rows come from.

use std::ops::RangeInclusive;
use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use tokio::sync::mpsc::Sender;

use super::bulk::{Access, BulkConnection, BulkDialect};
use super::packed;
use super::parts::Parts;
use super::record::Record;
use super::table::{MESSAGES, TABLES, Table};
use super::{Totals, TransferError};
use crate::model::Timestamp;
#[cfg(feature = "mysql")]
use crate::store::mysql::MysqlDialect;
#[cfg(feature = "postgres")]
use crate::store::postgres::PostgresDialect;
use crate::store::sql::{pictures, query};
#[cfg(feature = "sqlite")]
use crate::store::sqlite::SqliteDialect;
use crate::store::{DatabaseConfig, Dialect, ImageName};

/// A batch ends after so many rows, or after so many bytes.
pub(super) const BATCH_ROWS: usize = 4096;
pub(super) const BATCH_BYTES: usize = 1024 * 1024;

/// Where rows come from: a database or a backup. It stays as it is.
#[async_trait]
pub(super) trait Source: Send {
    /// Where that is, as in ``PostgreSQL `localhost:5432/gotify` ``.
    fn place(&self) -> String;
    /// Counts the rows of a table.
    async fn totals(&mut self, table: &'static Table) -> Result<Totals, TransferError>;
    /// Returns the highest id that a table has given, also to rows that were deleted.
    async fn last_id(&mut self, table: &'static Table) -> Result<u64, TransferError>;
    /// Sends the rows that have these ids, in the order of ids. Ends early if nobody takes them. A backup sends all.
    async fn read(
        &mut self,
        table: &'static Table,
        ids: RangeInclusive<u64>,
        batches: Sender<Vec<Record>>,
    ) -> Result<(), TransferError>;
    /// Closes it.
    async fn close(self: Box<Self>);
}

/// A database that is read.
#[async_trait]
pub(super) trait DatabaseSource: Source {
    /// It as any source.
    fn as_source(&mut self) -> &mut dyn Source;
    /// Returns what tells the messages up to an id apart from others.
    async fn parts(&mut self, up_to: u64) -> Result<Parts, TransferError>;
    /// Returns the names of the pictures that it keeps, in their order.
    async fn picture_names(&mut self) -> Result<Vec<ImageName>, TransferError>;
    /// Returns the content of a picture.
    async fn picture(&mut self, name: &ImageName) -> Result<Option<Bytes>, TransferError>;
    /// Returns the names of the pictures that its applications have, wherever those are.
    async fn application_pictures(&mut self) -> Result<Vec<String>, TransferError>;
}

/// Opens a database to read from.
pub(super) async fn open(config: &DatabaseConfig) -> Result<Box<dyn DatabaseSource>, TransferError> {
    match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => connect::<SqliteDialect>(config).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => connect::<PostgresDialect>(config).await,
        #[cfg(feature = "mysql")]
        Dialect::Mysql => connect::<MysqlDialect>(config).await,
    }
}

async fn connect<D: BulkDialect>(config: &DatabaseConfig) -> Result<Box<dyn DatabaseSource>, TransferError> {
    use secrecy::ExposeSecret as _;

    let place = config.connection.expose_secret();
    let connected = D::connect(place, Access::Read).await;
    let Some(mut connection) = connected.map_err(TransferError::OpenSource)? else {
        return Err(no_source::<D>(place));
    };
    let is_ours = connection.has_table("users").await.map_err(|error| connection.failed_to("read", error))?;
    if !is_ours {
        return Err(TransferError::NotOurs { place: connection.name() });
    }
    Ok(Box::new(connection))
}

/// Names the file that is not there, from the root on: a relative path may be meant for another folder.
pub(super) fn no_source<D: BulkDialect>(connection: &str) -> TransferError {
    let file = D::file(connection).unwrap_or_default();
    TransferError::NoSource(std::path::absolute(&file).unwrap_or(file))
}

#[async_trait]
impl<D: BulkDialect> Source for BulkConnection<D> {
    fn place(&self) -> String {
        self.name()
    }

    async fn totals(&mut self, table: &'static Table) -> Result<Totals, TransferError> {
        let totals = match self.has_table(table.name).await {
            Ok(false) => Ok(Totals::default()),
            Ok(true) => Self::totals(self, table).await,
            Err(error) => Err(error),
        };
        totals.map_err(|error| self.failed_to("count the rows of", error))
    }

    async fn last_id(&mut self, table: &'static Table) -> Result<u64, TransferError> {
        let last_id = match self.has_table(table.name).await {
            Ok(false) => Ok(0),
            Ok(true) => Self::last_id(self, table).await,
            Err(error) => Err(error),
        };
        last_id.map_err(|error| self.failed_to("read", error))
    }

    async fn read(
        &mut self,
        table: &'static Table,
        ids: RangeInclusive<u64>,
        batches: Sender<Vec<Record>>,
    ) -> Result<(), TransferError> {
        let read = send_rows(self, table, ids, batches).await;
        read.map_err(|error| self.failed_to("read", error))
    }

    async fn close(self: Box<Self>) {
        Self::close(*self).await;
    }
}

#[async_trait]
impl<D: BulkDialect> DatabaseSource for BulkConnection<D> {
    fn as_source(&mut self) -> &mut dyn Source {
        self
    }

    async fn parts(&mut self, up_to: u64) -> Result<Parts, TransferError> {
        let parts = Self::parts(self, &TABLES[MESSAGES], up_to).await;
        parts.map_err(|error| self.failed_to("compare the messages of", error))
    }

    async fn picture_names(&mut self) -> Result<Vec<ImageName>, TransferError> {
        let names = match self.has_table(pictures::TABLE).await {
            Ok(false) => Ok(Vec::new()),
            Ok(true) => pictures::names(&mut self.session()).await,
            Err(error) => Err(error),
        };
        let names = names.map_err(|error| self.failed_to("read the pictures of", error))?;
        Ok(names.iter().filter_map(|name| ImageName::parse(name)).collect())
    }

    async fn picture(&mut self, name: &ImageName) -> Result<Option<Bytes>, TransferError> {
        let content = pictures::content(&mut self.session(), name.as_str()).await;
        content.map_err(|error| self.failed_to("read a picture of", error))
    }

    async fn application_pictures(&mut self) -> Result<Vec<String>, TransferError> {
        // An early Gotify has no pictures.
        let names = match self.columns().await {
            Ok(columns) if columns.iter().any(|(of, name)| of == "applications" && name == "image") => {
                pictures::of_applications(&mut self.session()).await
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        names.map_err(|error| self.failed_to("read the applications of", error))
    }
}

async fn send_rows<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
    table: &'static Table,
    ids: RangeInclusive<u64>,
    batches: Sender<Vec<Record>>,
) -> Result<(), sqlx::Error> {
    let found = connection.columns().await?;
    let has = |column: &str| found.iter().any(|(of, name)| of == table.name && name == column);
    if !has("id") {
        return Ok(());
    }
    // An older Gotify has not all columns.
    let columns = table.columns.iter().map(|column| if has(column.name) { column.name } else { "NULL" });
    let columns = columns.collect::<Vec<_>>().join(", ");
    if let Some(time) = D::PACKED_TIME
        && table.name == "messages"
        && connection.packed_messages > 0
        && table.columns.iter().all(|column| has(column.name))
    {
        return send_packed(connection, table, ids, batches, time).await;
    }
    let text = format!("SELECT {columns} FROM {} WHERE id >= ? AND id <= ? ORDER BY id", table.name);
    let mut session = connection.session();
    let mut rows = pin!(session.rows(query(&text).id(*ids.start()).id(*ids.end()))?);
    let mut out = Batches::new(batches);
    while let Some(row) = rows.try_next().await? {
        if !out.push(Record::read(table, &row)?).await {
            return Ok(());
        }
    }
    out.end().await;
    Ok(())
}

/// Sends the rows of a table of which many come in one value.
async fn send_packed<D: BulkDialect>(
    connection: &mut BulkConnection<D>,
    table: &'static Table,
    ids: RangeInclusive<u64>,
    batches: Sender<Vec<Record>>,
    time: fn(&str) -> Option<Timestamp>,
) -> Result<(), sqlx::Error> {
    let text = packed::query(table);
    let limit = i64::try_from(connection.packed_messages).unwrap_or(i64::MAX);
    let mut session = connection.session();
    let mut out = Batches::new(batches);
    let (mut next, end) = ids.into_inner();
    loop {
        let found = session.one(query(&text).id(next).id(end).bind(limit)).await?;
        let value = found.bytes(0)?.unwrap_or_default();
        let rows = packed::split(table, value, time)
            .ok_or_else(|| sqlx::Error::Decode(format!("the rows from id {next} on can't be read").into()))?;
        let Some(last) = rows.last() else { break };
        next = last.id().saturating_add(1);
        for record in rows {
            if !out.push(record).await {
                return Ok(());
            }
        }
    }
    out.end().await;
    Ok(())
}

/// Collects rows to batches.
struct Batches {
    sender: Sender<Vec<Record>>,
    batch: Vec<Record>,
    bytes: usize,
}

impl Batches {
    fn new(sender: Sender<Vec<Record>>) -> Self {
        Self { sender, batch: Vec::new(), bytes: 0 }
    }

    /// Adds a row; returns whether somebody still takes batches.
    async fn push(&mut self, record: Record) -> bool {
        self.bytes += record.bytes();
        self.batch.push(record);
        if self.batch.len() < BATCH_ROWS && self.bytes < BATCH_BYTES {
            return true;
        }
        self.bytes = 0;
        self.sender.send(std::mem::take(&mut self.batch)).await.is_ok()
    }

    async fn end(self) {
        if !self.batch.is_empty() {
            // Nobody takes it where writing has failed, which is the error that counts.
            let _ = self.sender.send(self.batch).await;
        }
    }
}
