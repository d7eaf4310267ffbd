//! Opening the database that a configuration names.

use std::error::Error;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::{Database, Sqlite};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// One file on this machine. The connection is its path or its `file:` URI.
    Sqlite,
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
    /// The connection names nothing that can be used as a database. The text says what would be right.
    #[error(transparent)]
    Unusable(Box<dyn Error + Send + Sync>),
}

/// Opens a database for a server, and brings it to the schema of this version. Nobody else should know its kind.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn open(config: &DatabaseConfig) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    match config.dialect {
        Dialect::Sqlite => Ok(Arc::new(Sqlite::open(config.connection.expose_secret()).await?)),
    }
}

/// Opens a database that is there, beside the server that may be using it, for a command that changes a little.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn open_beside_server(config: &DatabaseConfig) -> Result<Arc<dyn Database>, OpenDatabaseError> {
    match config.dialect {
        Dialect::Sqlite => Ok(Arc::new(Sqlite::open_beside_server(config.connection.expose_secret()).await?)),
    }
}
