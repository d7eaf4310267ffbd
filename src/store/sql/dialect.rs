//! How one kind of database writes, binds and reads.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::error::BoxDynError;

use super::messages::Pages;
use super::{Value, deletions, messages, search};
use crate::model::Timestamp;

pub(crate) type Connection<D> = <<D as Dialect>::Database as sqlx::Database>::Connection;
pub(crate) type Arguments<D> = <<D as Dialect>::Database as sqlx::Database>::Arguments;
pub(crate) type DatabaseRow<D> = <<D as Dialect>::Database as sqlx::Database>::Row;

/// The dialect of a kind of database.
pub(crate) trait Dialect: fmt::Debug + Send + Sync + Sized + 'static {
    /// sqlx's driver.
    type Database: sqlx::Database;

    /// Begins a transaction that writes.
    const BEGIN: &'static str;
    /// What `{for update}` stands for: nothing where there is one writer at a time.
    const FOR_UPDATE: &'static str;
    /// What `{unchanged}` stands for: nothing where there is one writer at a time.
    const UNCHANGED: &'static str;
    /// What `{now}` stands for.
    const NOW: &'static str;
    /// How long a transaction can take from the id of its entry in the log to its end, see
    /// [`RevocationLog::longest_revocation`](crate::store::RevocationLog::longest_revocation).
    const LONGEST_REVOCATION: Duration;
    /// Begins a transaction whose queries all see the same moment; for [`Pages::PerApplication`] alone.
    #[cfg(feature = "mysql")]
    const BEGIN_SNAPSHOT: &'static str = Self::BEGIN;
    /// How a user's messages are listed.
    const PAGES: Pages;
    /// The query of [`messages::OF_APPLICATION`], or another one that returns the same.
    const OF_APPLICATION: &'static str = messages::OF_APPLICATION;
    /// The query of [`messages::OF_APPLICATION_AFTER`], or another one that returns the same.
    const OF_APPLICATION_AFTER: &'static str = messages::OF_APPLICATION_AFTER;
    /// The query of [`messages::OF_IDS`], or another one that returns the same.
    const OF_IDS: &'static str = messages::OF_IDS;
    /// The query of [`messages::NEWEST_ID`], or another one that returns the same.
    const NEWEST_ID: &'static str = messages::NEWEST_ID;
    /// The query of [`messages::NEWEST_OF_APPLICATION`], or another one that returns the same.
    const NEWEST_OF_APPLICATION: &'static str = messages::NEWEST_OF_APPLICATION;
    /// The query of [`messages::NEWEST_BEYOND`], or another one that returns the same.
    const NEWEST_BEYOND: &'static str = messages::NEWEST_BEYOND;
    /// The query of [`messages::COUNT_AFTER`], or another one that returns the same.
    const COUNT_AFTER: &'static str = messages::COUNT_AFTER;
    /// The query of [`deletions::ORPHANED`], or another one that returns the same.
    const ORPHANED: &'static str = deletions::ORPHANED;
    /// The query of [`search::OF_NOBODY`], or another one that returns the same.
    const OF_NOBODY: &'static str = search::OF_NOBODY;
    /// Whether several connections write at once, see [`super::heads`].
    const HAS_HEADS: bool;
    /// What time it is, as a head holds it.
    const HEAD_TIME: &'static str = Self::NOW;
    /// Returns the heads that have moved since a moment, in milliseconds since 1970. Not used where there are none.
    const MOVED_HEADS: &'static str;
    /// Whether a value that a statement names by its number is bound once, however often it is named.
    const BINDS_BY_NUMBER: bool;
    /// Whether a text may have a NUL. Where it may not, none that has one is ever found.
    const HOLDS_NUL: bool = true;

    /// Whether a query whose values all come in their order has places without numbers. With numbers, SQLite's driver
    /// looks through the list of all of them for each value.
    const UNNUMBERED: bool = false;

    /// Writes the place of the value with that number, from 1 on.
    fn placeholder(text: &mut String, number: usize);
    /// Writes what `{in}` stands for, for a list of so many values that is the value with that number.
    fn is_one_of(text: &mut String, number: usize, count: usize);
    /// Writes a query for an application's messages above an id, at most `limit`. The application and the id are the
    /// values with these numbers.
    fn ids_above(application: usize, id: usize, limit: u64) -> String {
        format!(
            "SELECT m.id FROM messages m WHERE m.application_id = ?{application} AND m.id > ?{id} LIMIT {limit}"
        )
    }
    /// Writes a column's time as it is compared.
    fn moment(column: &str) -> String;

    /// Adds a value to those of a statement.
    fn bind(&self, arguments: &mut Arguments<Self>, value: Value<'_>) -> Result<(), BoxDynError>;

    /// Runs a statement, and returns how many rows it has changed.
    fn run(
        connection: &mut Connection<Self>,
        text: String,
        arguments: Arguments<Self>,
    ) -> BoxFuture<'_, Result<u64, sqlx::Error>>;
    /// Runs a statement that inserts one row, and returns the id that it got.
    fn insert(
        connection: &mut Connection<Self>,
        text: String,
        arguments: Arguments<Self>,
    ) -> BoxFuture<'_, Result<u64, sqlx::Error>>;
    /// Runs a statement that returns rows.
    fn rows(
        connection: &mut Connection<Self>,
        text: String,
        arguments: Arguments<Self>,
    ) -> BoxStream<'_, Result<DatabaseRow<Self>, sqlx::Error>>;
    /// Runs statements without values in one round trip, and returns the rows of all of them.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn script(
        connection: &mut Connection<Self>,
        text: String,
    ) -> BoxFuture<'_, Result<Vec<DatabaseRow<Self>>, sqlx::Error>>;
    /// Runs statements without values.
    fn batch<'c>(
        connection: &'c mut Connection<Self>,
        text: &'static str,
    ) -> BoxFuture<'c, Result<(), sqlx::Error>>;

    /// Reads a number or a flag.
    fn integer(row: &DatabaseRow<Self>, column: usize) -> Result<Option<i64>, sqlx::Error>;
    /// Reads text or bytes.
    fn bytes(row: &DatabaseRow<Self>, column: usize) -> Result<Option<&[u8]>, sqlx::Error>;
    /// Reads a time; `None` also where a column holds something else.
    fn time(&self, row: &DatabaseRow<Self>, column: usize) -> Result<Option<Timestamp>, sqlx::Error>;
    /// Reads a time in the form in which it is compared.
    fn moment_of(&self, row: &DatabaseRow<Self>, column: usize) -> Result<Option<Timestamp>, sqlx::Error>;

    /// Returns a time as it reads back once it was stored.
    fn kept(&self, time: Timestamp) -> Timestamp;
}

/// The methods of [`Dialect`] that run statements, which are the same for each driver of sqlx.
macro_rules! runs_statements {
    () => {
        fn run(
            connection: &mut $crate::store::sql::dialect::Connection<Self>,
            text: String,
            arguments: $crate::store::sql::dialect::Arguments<Self>,
        ) -> futures_util::future::BoxFuture<'_, Result<u64, sqlx::Error>> {
            let done =
                sqlx::Executor::execute(connection, sqlx::query_with(sqlx::AssertSqlSafe(text), arguments));
            Box::pin(async move { Ok(done.await?.rows_affected()) })
        }

        fn rows(
            connection: &mut $crate::store::sql::dialect::Connection<Self>,
            text: String,
            arguments: $crate::store::sql::dialect::Arguments<Self>,
        ) -> futures_util::stream::BoxStream<
            '_,
            Result<$crate::store::sql::dialect::DatabaseRow<Self>, sqlx::Error>,
        > {
            sqlx::Executor::fetch(connection, sqlx::query_with(sqlx::AssertSqlSafe(text), arguments))
        }

        #[cfg(any(feature = "mysql", feature = "postgres"))]
        fn script(
            connection: &mut $crate::store::sql::dialect::Connection<Self>,
            text: String,
        ) -> futures_util::future::BoxFuture<
            '_,
            Result<Vec<$crate::store::sql::dialect::DatabaseRow<Self>>, sqlx::Error>,
        > {
            sqlx::Executor::fetch_all(connection, sqlx::raw_sql(sqlx::AssertSqlSafe(text)))
        }

        fn batch<'c>(
            connection: &'c mut $crate::store::sql::dialect::Connection<Self>,
            text: &'static str,
        ) -> futures_util::future::BoxFuture<'c, Result<(), sqlx::Error>> {
            let done = sqlx::Executor::execute(connection, text);
            Box::pin(async move { done.await.map(drop) })
        }
    };
}

pub(crate) use runs_statements;
