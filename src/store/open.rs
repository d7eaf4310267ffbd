//! Opening the database that a configuration names.

use std::error::Error;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

#[cfg(feature = "sqlite")]
use super::Sqlite;
#[cfg(feature = "mysql")]
use super::mysql;
#[cfg(feature = "postgres")]
use super::postgres;
use super::{Database, MigrationStep, StoreError};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// One file on this machine. The connection is its path or its `file:` URI.
    #[cfg(feature = "sqlite")]
    Sqlite,
    /// A PostgreSQL server. The connection is a list of settings, `host=… user=… dbname=…`, or a URL.
    #[cfg(feature = "postgres")]
    Postgres,
    /// A server of MariaDB or MySQL. The connection is `user:password@tcp(host:3306)/database?loc=Local`.
    #[cfg(feature = "mysql")]
    Mysql,
}

/// Which database to open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// Its kind.
    pub dialect: Dialect,
    /// Where it is, as its kind writes that.
    pub connection: SecretString,
}

impl DatabaseConfig {
    /// A database of this kind at this place.
    pub fn new(dialect: Dialect, connection: impl Into<SecretString>) -> Self {
        Self { dialect, connection: connection.into() }
    }
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenDatabaseError {
    /// Another server uses it.
    #[error("it is used by another server, {holder}; stop that one first, or use another database")]
    InUse {
        /// Which one: its process and since when.
        holder: String,
    },
    /// It can't be used now: its server can't be reached or takes no connections, its file is locked, or its disk is
    /// full. The same call may go through later.
    #[error(transparent)]
    Unavailable(Box<dyn Error + Send + Sync>),
    /// The connection names nothing that can be used as a database. The text says what would be right.
    #[error(transparent)]
    Unusable(Box<dyn Error + Send + Sync>),
}

impl From<StoreError> for OpenDatabaseError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => Self::Unavailable(error.into()),
            other => Self::Unusable(other.into()),
        }
    }
}

/// A database whose server has answered. Nothing was changed yet.
#[derive(Debug)]
pub struct ReachedDatabase(Reached);

#[derive(Debug)]
enum Reached {
    #[cfg(feature = "sqlite")]
    Sqlite(SecretString),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Postgres),
    #[cfg(feature = "mysql")]
    Mysql(mysql::Mysql),
}

impl ReachedDatabase {
    /// Opens it for a server, and brings it to the schema of this version.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn open(self) -> Result<Arc<dyn Database>, OpenDatabaseError> {
        Ok(match self.0 {
            #[cfg(feature = "sqlite")]
            Reached::Sqlite(connection) => Arc::new(Sqlite::open(connection.expose_secret()).await?),
            #[cfg(feature = "postgres")]
            Reached::Postgres(database) => Arc::new(database.prepared().await?),
            #[cfg(feature = "mysql")]
            Reached::Mysql(database) => Arc::new(database.prepared().await?),
        })
    }
}

/// Connects to the server of a database, and changes nothing. A file is reached at once.
///
/// # Cancel safety
///
/// A dropped future leaves nothing behind: whoever is to stop need not wait for a server that is away.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn reach(config: &DatabaseConfig) -> Result<ReachedDatabase, OpenDatabaseError> {
    Ok(ReachedDatabase(match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => Reached::Sqlite(config.connection.clone()),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => Reached::Postgres(postgres::connect(config.connection.expose_secret()).await?),
        #[cfg(feature = "mysql")]
        Dialect::Mysql => Reached::Mysql(mysql::connect(config.connection.expose_secret()).await?),
    }))
}

/// Opens a database for a server, and brings it to the schema of this version. Nobody else should know its kind.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn open(config: &DatabaseConfig) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    reach(config).await?.open().await
}

/// Opens a database that is there, beside the server that may be using it, for a command that changes a little.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn open_beside_server(config: &DatabaseConfig) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    let connection = config.connection.expose_secret();
    Ok(match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => Arc::new(Sqlite::open_beside_server(connection).await?),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => Arc::new(postgres::open_beside_server(connection).await?),
        #[cfg(feature = "mysql")]
        Dialect::Mysql => Arc::new(mysql::open_beside_server(connection).await?),
    })
}

/// Looks whether a connection can be read, as [`open`] reads it, and connects to nothing. An error names all that is wrong,
/// without a value: it may be a password at the wrong place.
#[cfg(feature = "sqlite")]
pub(crate) fn check_connection(config: &DatabaseConfig) -> Result<(), OpenDatabaseError> {
    let connection = config.connection.expose_secret();
    match config.dialect {
        Dialect::Sqlite => super::sqlite::file(connection).map(drop),
        #[cfg(feature = "postgres")]
        Dialect::Postgres => postgres::options(connection).map(drop),
        #[cfg(feature = "mysql")]
        Dialect::Mysql => mysql::options(connection).map(drop),
    }
}

/// Returns what [`open`] would change in a database, in that order, and changes nothing.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn plan_migration(config: &DatabaseConfig) -> Result<Vec<MigrationStep>, OpenDatabaseError> {
    let connection = config.connection.expose_secret();
    match config.dialect {
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => Sqlite::plan(connection).await,
        #[cfg(feature = "postgres")]
        Dialect::Postgres => postgres::plan(connection).await,
        #[cfg(feature = "mysql")]
        Dialect::Mysql => mysql::plan(connection).await,
    }
}
