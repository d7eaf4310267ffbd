//! A connection while an operation runs on it.

use std::io;

use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::dialect::Connection;
use super::{Dialect, Query, Row};
use crate::model::Timestamp;

/// A connection that belongs to one operation.
pub(crate) struct Session<'c, D: Dialect> {
    dialect: &'c D,
    connection: &'c mut Connection<D>,
    /// When what has not ended fails.
    deadline: Option<Instant>,
}

impl<'c, D: Dialect> Session<'c, D> {
    /// An operation on this connection. A statement that runs at the deadline fails by [`sqlx::Error::Io`]; the
    /// connection must not be used again then, because the database goes on with the statement.
    pub(crate) fn new(dialect: &'c D, connection: &'c mut Connection<D>, deadline: Option<Instant>) -> Self {
        Self { dialect, connection, deadline }
    }

    /// The connection, for statements that only this kind of database has. Whoever runs one keeps the deadline, by
    /// [`Self::deadline`].
    #[cfg(feature = "postgres")]
    pub(crate) fn connection(&mut self) -> &mut Connection<D> {
        self.connection
    }

    /// Returns a time as it reads back once it was stored.
    pub(crate) fn kept(&self, time: Timestamp) -> Timestamp {
        self.dialect.kept(time)
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.batch(D::BEGIN).await
    }

    /// Commits it.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.batch("COMMIT").await
    }

    /// Runs statements without values.
    pub(crate) async fn batch(&mut self, text: &'static str) -> Result<(), sqlx::Error> {
        in_time(self.deadline, D::batch(self.connection, text)).await
    }

    /// Takes back what the transaction has done, and ends it.
    pub(crate) async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        self.batch("ROLLBACK").await
    }

    /// Runs statements without values in one round trip, and returns the rows of all of them. The statements after one
    /// that fails are not run.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) async fn script(&mut self, text: String) -> Result<Vec<Row<'c, D>>, sqlx::Error> {
        let rows = in_time(self.deadline, D::script(self.connection, text)).await?;
        Ok(rows.into_iter().map(|row| Row::new(self.dialect, row)).collect())
    }

    /// Runs a statement, and returns how many rows it has changed.
    pub(crate) async fn run(&mut self, query: Query<'_>) -> Result<u64, sqlx::Error> {
        let (text, arguments) = query.write(self.dialect)?;
        in_time(self.deadline, D::run(self.connection, text, arguments)).await
    }

    /// Inserts a row; false if there is one of the same key already. Not for transactions, which PostgreSQL ends then.
    pub(crate) async fn insert_if_new(&mut self, query: Query<'_>) -> Result<bool, sqlx::Error> {
        match self.run(query).await {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Inserts one row and returns its id.
    pub(crate) async fn insert(&mut self, query: Query<'_>) -> Result<u64, sqlx::Error> {
        let (text, arguments) = query.write(self.dialect)?;
        in_time(self.deadline, D::insert(self.connection, text, arguments)).await
    }

    /// Returns all rows.
    pub(crate) async fn all(&mut self, query: Query<'_>) -> Result<Vec<Row<'c, D>>, sqlx::Error> {
        let deadline = self.deadline;
        in_time(deadline, self.rows(query)?.try_collect()).await
    }

    /// Returns the first row. The statement runs to its end.
    pub(crate) async fn first(&mut self, query: Query<'_>) -> Result<Option<Row<'c, D>>, sqlx::Error> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Returns the row whose text in a column is this one, byte by byte: MariaDB and MySQL also find texts in other case,
    /// or with spaces at their end. The text is the query's one value.
    pub(crate) async fn exact(
        &mut self,
        query: Query<'_>,
        text: &str,
        column: usize,
    ) -> Result<Option<Row<'c, D>>, sqlx::Error> {
        if !D::HOLDS_NUL && text.contains('\0') {
            return Ok(None);
        }
        for row in self.all(query).await? {
            if row.bytes(column)? == Some(text.as_bytes()) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Returns the one row that there always is.
    pub(crate) async fn one(&mut self, query: Query<'_>) -> Result<Row<'c, D>, sqlx::Error> {
        self.first(query).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Returns rows one after the other. Whoever takes them keeps the deadline, by [`Self::deadline`].
    pub(crate) fn rows(
        &mut self,
        query: Query<'_>,
    ) -> Result<impl Stream<Item = Result<Row<'c, D>, sqlx::Error>> + Send, sqlx::Error> {
        let (text, arguments) = query.write(self.dialect)?;
        let dialect = self.dialect;
        Ok(D::rows(self.connection, text, arguments).map(move |found| Ok(Row::new(dialect, found?))))
    }

    /// When what has not ended fails.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// Ends with an error at a deadline.
pub(crate) async fn in_time<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let Some(deadline) = deadline else { return work.await };
    timeout_at(deadline, work).await.unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time").into())
    })
}
