//! What SQLite's result codes mean to the rest of the program.

use sqlx::error::DatabaseError;

use crate::store::sql::cause;
use crate::store::{StoreError, Unstorable};

/// SQLite's primary result codes, which are the low byte of the extended ones.
pub(super) mod code {
    pub(in crate::store::sqlite) const BUSY: u32 = 5;
    pub(in crate::store::sqlite) const LOCKED: u32 = 6;
    pub(in crate::store::sqlite) const READONLY: u32 = 8;
    pub(in crate::store::sqlite) const IOERR: u32 = 10;
    pub(in crate::store::sqlite) const FULL: u32 = 13;
    pub(in crate::store::sqlite) const CANTOPEN: u32 = 14;
    pub(in crate::store::sqlite) const TOOBIG: u32 = 18;
    pub(in crate::store::sqlite) const CONSTRAINT: u32 = 19;
    pub(in crate::store::sqlite) const MISMATCH: u32 = 20;
    pub(in crate::store::sqlite) const NOTADB: u32 = 26;
}

/// Maps what went wrong in an `operation`.
pub(super) fn store_error(operation: &'static str, error: sqlx::Error) -> StoreError {
    if let Some(what) = error.as_database_error().and_then(taken) {
        return StoreError::Conflict { what };
    }
    if primary_code(&error) == Some(code::TOOBIG) {
        return StoreError::Unstorable(Unstorable::TooLarge);
    }
    if is_unavailable(&error) {
        StoreError::Unavailable { operation, source: cause(error) }
    } else {
        StoreError::Failed { operation, source: cause(error) }
    }
}

/// Whether the connection that said so is better opened anew: its file may be gone, or was opened while it
/// could only be read, which lasts as long as the connection.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => {
            matches!(primary_code(error), Some(code::READONLY | code::IOERR | code::CANTOPEN))
        }
        sqlx::Error::WorkerCrashed | sqlx::Error::Io(_) => true,
        _ => false,
    }
}

/// Whether the disk or the file system refused a write.
pub(super) fn is_disk_fault(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::READONLY | code::IOERR | code::FULL | code::CANTOPEN))
}

/// Whether it is a value that the database refuses: the same statement may go through with other values.
pub(super) fn refuses_a_row(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(code::TOOBIG | code::CONSTRAINT | code::MISMATCH))
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => matches!(
            primary_code(error),
            Some(code::BUSY | code::LOCKED | code::READONLY | code::IOERR | code::FULL | code::CANTOPEN)
        ),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Returns SQLite's result code, if the error is SQLite's.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<u32> {
    Some(error.as_database_error()?.code()?.parse::<u32>().ok()? & 0xff)
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
