//! Tells Gotify's database, and our own, from that of another program or of a newer version.
//!
//! A wrong path in the configuration may lead to any SQLite file. Nothing is made or changed in it then.

use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use super::dialect::session;
use super::open_error::OpenFileError;
use super::schema::{self, SCHEMA};
use crate::store::sql::schema::{Columns, UnknownTables, VERSION};
use crate::store::transfer::unfinished;

/// Refuses a file that is neither Gotify's nor ours, and not empty either.
pub(super) async fn refuse(connection: &mut SqliteConnection, file: &Path) -> Result<(), OpenFileError> {
    let read = |error| OpenFileError::of(file, error);
    let there = Columns::of(&mut session(connection), &SCHEMA).await.map_err(read)?;
    match there.verify(&SCHEMA) {
        Ok(()) => {}
        Err(UnknownTables::OfAnotherProgram(missing)) => {
            return Err(OpenFileError::OfAnotherProgram { file: file.to_owned(), missing });
        }
        Err(newer @ UnknownTables::OfNewerGotify { .. }) => {
            return Err(OpenFileError::OfNewerGotify { file: file.to_owned(), unknown: newer.to_string() });
        }
    }
    if unfinished::is_there(&mut session(connection), &there).await.map_err(read)? {
        return Err(OpenFileError::UnfinishedCopy(file.to_owned()));
    }
    let found = schema::version(connection).await.map_err(read)?;
    if found > VERSION { Err(OpenFileError::Newer { file: file.to_owned(), found }) } else { Ok(()) }
}
