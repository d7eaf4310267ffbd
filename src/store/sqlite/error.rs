//! What SQLite's result codes mean to the rest of the program.

use sqlx::error::DatabaseError;

use crate::store::StoreError;

/// SQLite's primary result codes, which are the low byte of the extended ones.
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const READONLY: u32 = 8;
    pub(super) const IOERR: u32 = 10;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANTOPEN: u32 = 14;
}

/// Maps what went wrong while it was to `operation`.
pub(super) fn store_error(operation: &'static str, error: sqlx::Error) -> StoreError {
    if let Some(what) = error.as_database_error().and_then(taken) {
        return StoreError::Conflict { what };
    }
    if is_unavailable(&error) {
        StoreError::Unavailable { operation, source: error.into() }
    } else {
        StoreError::Failed { operation, source: error.into() }
    }
}

/// Whether the connection that said so is better opened anew: its file may be gone, or was opened while it
/// could only be read, which lasts as long as the connection.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            matches!(primary(&**error), Some(code::READONLY | code::IOERR | code::CANTOPEN))
        }
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => true,
        _ => false,
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => matches!(
            primary(&**error),
            Some(code::BUSY | code::LOCKED | code::READONLY | code::IOERR | code::FULL | code::CANTOPEN)
        ),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

fn primary(error: &dyn DatabaseError) -> Option<u32> {
    Some(error.code()?.parse::<u32>().ok()? & 0xff)
}

/// Names the value that another row has already, if that is the complaint.
fn taken(error: &dyn DatabaseError) -> Option<&'static str> {
    if !error.is_unique_violation() {
        return None;
    }
    // The message lists the columns: `UNIQUE constraint failed: users.name`.
    let columns = error.message();
    [
        ("users.name", "user name"),
        (".token", "token"),
        (".sort_key", "sort key"),
        ("users.oidc_id", "OIDC id"),
    ]
    .into_iter()
    .find_map(|(column, what)| columns.contains(column).then_some(what))
    .or(Some("value"))
}
