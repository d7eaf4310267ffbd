//! Reading a list up to a number of bytes.
//!
//! A statement names every row of its list with the row's size, which SQLite knows without reading the texts, and
//! returns the texts of small rows only. sqlx reads some rows ahead; that their texts fit is what "small" means.

use std::pin::pin;

use futures_util::{Stream, TryStreamExt};
use sqlx::sqlite::SqliteRow;

use super::row;
use crate::store::{LeftOut, Slice};

/// How many rows sqlx reads ahead.
const ROWS_AHEAD: usize = 50;

/// The size of a row: its texts, and something for the row itself.
macro_rules! size {
    ($($text:literal)+) => {
        concat!("256", $(" + ifnull(octet_length(", $text, "), 0)",)+)
    };
}

/// The statement that lists rows of a table: its columns, then the id and the size. `?1` is up to which size rows
/// are small.
macro_rules! list {
    ($columns:expr, $table:literal $which:literal, by $place:literal, texts $($text:literal)+) => {
        concat!(
            "SELECT ", $columns, ", listed, size FROM (SELECT id AS listed, ", $place, " AS place, ",
            $crate::store::sqlite::slice::size!($($text)+), " AS size FROM ", $table, " ", $which,
            ") LEFT JOIN ", $table, " ON id = listed AND size <= ?1 ORDER BY place, listed"
        )
    };
}

/// The statement that returns the rows whose ids are in the JSON array `?1`, in its order: SQLite never reorders a
/// `CROSS JOIN`. An `ORDER BY` would take each row through the sorter, which copies its texts four times.
macro_rules! by_ids {
    ($columns:expr, $table:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM (SELECT value AS wanted FROM json_each(?1)) CROSS JOIN ",
            $table,
            " ON id = wanted"
        )
    };
}

pub(super) use {by_ids, list, size};

/// Returns up to which size a row is small, as a statement takes it.
pub(super) fn small(max_bytes: usize) -> i64 {
    i64::try_from(max_bytes / ROWS_AHEAD).unwrap_or(i64::MAX)
}

/// Takes rows up to so many bytes, and names the others. `id` and `size` are columns.
pub(super) async fn read<T, I>(
    rows: impl Stream<Item = Result<SqliteRow, sqlx::Error>>,
    max_bytes: usize,
    [id, size]: [usize; 2],
    (of_id, of_row): (impl Fn(u64) -> I, impl Fn(&SqliteRow) -> Result<T, sqlx::Error>),
) -> Result<Slice<T, I>, sqlx::Error> {
    let mut rows = pin!(rows);
    let mut slice = Slice { rows: Vec::new(), left_out: Vec::new() };
    let small = small(max_bytes).unsigned_abs();
    let mut total = 0_usize;
    while let Some(found) = rows.try_next().await? {
        let bytes = row::unsigned(&found, size)?;
        let of_slice = usize::try_from(bytes).unwrap_or(usize::MAX);
        total = total.saturating_add(of_slice);
        if slice.left_out.is_empty() && bytes <= small && total <= max_bytes {
            slice.rows.push(of_row(&found)?);
        } else {
            slice.left_out.push(LeftOut { id: of_id(row::unsigned(&found, id)?), bytes: of_slice });
        }
    }
    Ok(slice)
}
