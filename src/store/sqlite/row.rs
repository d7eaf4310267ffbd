//! Values of rows, read the way Go reads them: whatever SQLite holds becomes what the program needs.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::time;
use crate::model::{Timestamp, zero_time};

/// The form in which SQLite holds an id. No row has an id above the highest that it holds.
pub(super) fn id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

/// The form in which SQLite takes a limit.
pub(super) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Ids as a JSON array, which is one value to bind however many they are.
pub(super) fn id_list(ids: impl Iterator<Item = u64>) -> String {
    let mut list = String::from("[");
    for id in ids {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&id.to_string());
    }
    list.push(']');
    list
}

/// Reads an id, a count or the like.
pub(super) fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, sqlx::Error> {
    Ok(integer(row, column)?.try_into().unwrap_or_default())
}

/// Reads a number; NULL, as in a column that was added later, is 0.
pub(super) fn integer(row: &SqliteRow, column: usize) -> Result<i64, sqlx::Error> {
    Ok(row.try_get_unchecked::<Option<i64>, _>(column)?.unwrap_or_default())
}

/// Reads a flag; NULL is false.
pub(super) fn flag(row: &SqliteRow, column: usize) -> Result<bool, sqlx::Error> {
    Ok(integer(row, column)? != 0)
}

/// Reads text; NULL is empty. Gotify stores form fields byte by byte, so that not all of it is UTF-8.
pub(super) fn text(row: &SqliteRow, column: usize) -> Result<String, sqlx::Error> {
    Ok(optional_text(row, column)?.unwrap_or_default())
}

/// Reads text that may be NULL.
pub(super) fn optional_text(row: &SqliteRow, column: usize) -> Result<Option<String>, sqlx::Error> {
    let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(column)?;
    Ok(bytes.map(|bytes| {
        String::from_utf8(bytes)
            .unwrap_or_else(|invalid| String::from_utf8_lossy(invalid.as_bytes()).into_owned())
    }))
}

/// Reads a time that every row has; the zero time where one has none.
pub(super) fn set_time(row: &SqliteRow, column: usize) -> Result<Timestamp, sqlx::Error> {
    Ok(time(row, column)?.unwrap_or_else(zero_time))
}

/// Reads a time; `None` for NULL and for text that is none.
pub(super) fn time(row: &SqliteRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
    Ok(optional_text(row, column)?.as_deref().and_then(time::from_text))
}
