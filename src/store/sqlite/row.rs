//! Values in the form in which SQLite holds them.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// An id. No row has an id above the highest that SQLite holds.
pub(super) fn id(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
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

/// Reads an id, a count or the like; NULL is 0.
pub(super) fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, sqlx::Error> {
    let value = row.try_get_unchecked::<Option<i64>, _>(column)?;
    Ok(value.unwrap_or_default().try_into().unwrap_or_default())
}
