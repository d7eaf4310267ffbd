//! What a database said.

use std::error::Error;

/// Returns what a database said, without sqlx's error around it, whose text is the same again.
pub(crate) fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(error) => error.into_error(),
        sqlx::Error::Io(error) => error.into(),
        other => other.into(),
    }
}
