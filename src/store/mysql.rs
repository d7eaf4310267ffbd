//! MariaDB and MySQL, in Gotify's own schema, so that a Gotify can take it over again.

use super::remote::Remote;
use super::{MigrationStep, OpenDatabaseError};

mod bulk;
mod connection;
mod dialect;
mod insertion;
mod zone;

#[cfg(test)]
mod tests;

pub(super) use dialect::MysqlDialect;

/// A database of MariaDB or MySQL.
pub(super) type Mysql = Remote<MysqlDialect>;

/// Reads a connection in the form that Gotify takes.
#[cfg(any(feature = "sqlite", fuzzing))]
pub(super) fn options(connection: &str) -> Result<sqlx::mysql::MySqlConnectOptions, OpenDatabaseError> {
    connection::parse(connection).map(|(options, _)| options)
}

/// Where the database of a connection is, without what logs in to it; `None` if the connection can't be read.
pub(super) fn place(connection: &str) -> Option<String> {
    connection::parse(connection).ok().map(|(options, _)| connection::place(&options))
}

/// Connects, and changes nothing.
pub(super) async fn connect(connection: &str) -> Result<Mysql, OpenDatabaseError> {
    let (options, zone) = connection::parse(connection)?;
    Mysql::connect(MysqlDialect { zone }, options).await
}

/// Connects, and leaves the schema as it is.
pub(super) async fn open_beside_server(connection: &str) -> Result<Mysql, OpenDatabaseError> {
    let (options, zone) = connection::parse(connection)?;
    Mysql::beside_server(MysqlDialect { zone }, options).await
}

/// Returns what the start of a server would change, and changes nothing.
pub(super) async fn plan(connection: &str) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
    let (options, zone) = connection::parse(connection)?;
    Mysql::plan(MysqlDialect { zone }, options).await
}
