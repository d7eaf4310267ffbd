//! PostgreSQL, in Gotify's own schema, so that a Gotify can take it over again.

use super::remote::Remote;
use super::{MigrationStep, OpenDatabaseError};

mod bulk;
mod connection;
mod dialect;
mod insertion;

#[cfg(test)]
mod tests;

pub(super) use dialect::PostgresDialect;

/// A PostgreSQL database.
pub(super) type Postgres = Remote<PostgresDialect>;

/// Reads a connection in the forms that Gotify takes.
pub(crate) fn options(connection: &str) -> Result<sqlx::postgres::PgConnectOptions, OpenDatabaseError> {
    connection::parse(connection)
}

/// Where the database of a connection is, without what logs in to it; `None` if the connection can't be read.
pub(super) fn place(connection: &str) -> Option<String> {
    connection::parse(connection).ok().map(|options| connection::place(&options))
}

/// Connects, and changes nothing.
pub(super) async fn connect(connection: &str) -> Result<Postgres, OpenDatabaseError> {
    Postgres::connect(PostgresDialect, connection::parse(connection)?).await
}

/// Connects, and leaves the schema as it is.
pub(super) async fn open_beside_server(connection: &str) -> Result<Postgres, OpenDatabaseError> {
    Postgres::beside_server(PostgresDialect, connection::parse(connection)?).await
}

/// Returns what the start of a server would change, and changes nothing.
pub(super) async fn plan(connection: &str) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
    Postgres::plan(PostgresDialect, connection::parse(connection)?).await
}
