//! A database on the command line: its kind, a colon, and its connection.

use secrecy::{ExposeSecret as _, SecretString};

use crate::store::{DatabaseConfig, Dialect};

/// A text that names no database. Nothing of the text is shown: it may be a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidDatabase {
    #[error(
        "a database is written as `sqlite3:PATH`, as `postgres:` or `mysql:` and its connection, or as a URL that \
         begins with `postgres://`"
    )]
    Form,
    #[cfg(not(all(feature = "mysql", feature = "postgres")))]
    #[error("this build has no {name}; build it with `cargo build --release --features {feature}`")]
    NotBuiltIn { name: &'static str, feature: &'static str },
}

/// Reads one.
pub(super) fn parse(text: &SecretString) -> Result<DatabaseConfig, InvalidDatabase> {
    let text = text.expose_secret();
    let (kind, connection) = text.split_once(':').ok_or(InvalidDatabase::Form)?;
    match kind {
        "sqlite3" => Ok(DatabaseConfig::new(Dialect::Sqlite, connection)),
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" if connection.starts_with("//") => {
            Ok(DatabaseConfig::new(Dialect::Postgres, text))
        }
        #[cfg(feature = "postgres")]
        "postgres" => Ok(DatabaseConfig::new(Dialect::Postgres, connection)),
        #[cfg(not(feature = "postgres"))]
        "postgres" | "postgresql" => {
            Err(InvalidDatabase::NotBuiltIn { name: "PostgreSQL", feature: "postgres" })
        }
        #[cfg(feature = "mysql")]
        "mysql" => Ok(DatabaseConfig::new(Dialect::Mysql, connection)),
        #[cfg(not(feature = "mysql"))]
        "mysql" => Err(InvalidDatabase::NotBuiltIn { name: "MariaDB and MySQL", feature: "mysql" }),
        _ => Err(InvalidDatabase::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_its_kind_and_its_connection() {
        for (text, dialect, connection) in [
            ("sqlite3:data/gotify.db", Dialect::Sqlite, "data/gotify.db"),
            #[cfg(feature = "postgres")]
            ("postgres:host=db user=a", Dialect::Postgres, "host=db user=a"),
            #[cfg(feature = "postgres")]
            ("postgresql://a@db/push", Dialect::Postgres, "postgresql://a@db/push"),
            #[cfg(feature = "mysql")]
            ("mysql:a:b@tcp(db:1)/push", Dialect::Mysql, "a:b@tcp(db:1)/push"),
        ] {
            let parsed = parse(&text.into()).unwrap();
            assert_eq!((parsed.dialect, parsed.connection.expose_secret()), (dialect, connection));
        }
    }

    #[test]
    fn anything_else_is_refused_and_not_shown() {
        for text in ["", "hunter2", "data/gotify.db", "mssql:hunter2", "a:hunter2@tcp(db)/push"] {
            let error = parse(&text.into()).unwrap_err();
            assert_eq!(error, InvalidDatabase::Form, "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
