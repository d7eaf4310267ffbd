//! What the fuzz targets reach besides the public API.

use std::path::PathBuf;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use super::{OpenDatabaseError, mysql, postgres, sqlite};

/// Reads a connection of SQLite: the file that it names.
pub fn sqlite_file(connection: &str) -> Result<PathBuf, OpenDatabaseError> {
    sqlite::file(connection)
}

/// Reads a connection of PostgreSQL.
pub fn postgres_options(connection: &str) -> Result<PgConnectOptions, OpenDatabaseError> {
    postgres::options(connection)
}

/// Reads a connection of MariaDB or MySQL.
pub fn mysql_options(connection: &str) -> Result<MySqlConnectOptions, OpenDatabaseError> {
    mysql::options(connection)
}
