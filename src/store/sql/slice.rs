//! Reading a list up to a number of bytes.
//!
//! A query names every row of its list with the row's size, and returns the texts of small rows only. The driver
//! reads some rows ahead; that their texts fit is what "small" means.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt as _;

use super::query::LIST_VALUES;
use super::session::in_time;
use super::{Dialect, Query, Row, Session, Value, query};
use crate::store::{LeftOut, Slice};

/// How many rows sqlx reads ahead of SQLite. It reads none ahead of a server.
const ROWS_AHEAD: usize = 50;

/// The size of a row: its texts, and something for the row itself.
macro_rules! size {
    ($($text:literal)+) => {
        concat!("256", $(" + coalesce(octet_length(", $text, "), 0)",)+)
    };
}

/// The query that lists rows of a table: its columns, then the id and the size. Its values are those of `which`, and
/// up to which size rows are small.
macro_rules! list {
    ($columns:expr, $table:literal $which:literal, by $place:literal, texts $($text:literal)+) => {
        concat!(
            "SELECT ", $columns, ", listed, size FROM (SELECT id AS listed, ", $place, " AS place, ",
            $crate::store::sql::slice::size!($($text)+), " AS size FROM ", $table, " ", $which,
            ") AS list LEFT JOIN ", $table, " ON id = listed AND size <= ? ORDER BY place, listed"
        )
    };
}

pub(crate) use {list, size};

/// Returns up to which size a row is small, as a query takes it.
pub(crate) fn small(max_bytes: usize) -> i64 {
    i64::try_from(max_bytes / ROWS_AHEAD).unwrap_or(i64::MAX)
}

/// Takes rows up to so many bytes, and names the others. `id` and `size` are columns.
pub(crate) async fn read<D: Dialect, T, I>(
    session: &mut Session<'_, D>,
    query: Query<'_>,
    max_bytes: usize,
    [id, size]: [usize; 2],
    (of_id, of_row): (impl Fn(u64) -> I, impl Fn(&Row<'_, D>) -> Result<T, sqlx::Error>),
) -> Result<Slice<T, I>, sqlx::Error> {
    let deadline = session.deadline();
    let mut rows = pin!(session.rows(query)?);
    let mut slice = Slice { rows: Vec::new(), left_out: Vec::new() };
    let small = small(max_bytes).unsigned_abs();
    let mut total = 0_usize;
    while let Some(found) = in_time(deadline, rows.try_next()).await? {
        let bytes = found.unsigned(size)?;
        let of_slice = usize::try_from(bytes).unwrap_or(usize::MAX);
        total = total.saturating_add(of_slice);
        if slice.left_out.is_empty() && bytes <= small && total <= max_bytes {
            slice.rows.push(of_row(&found)?);
        } else {
            slice.left_out.push(LeftOut { id: of_id(found.unsigned(id)?), bytes: of_slice });
        }
    }
    Ok(slice)
}

/// Returns the rows of these ids, in this order. `text` has `{in}`, and the id as its first column.
///
/// They are brought into order here: a sorter of the database would copy each row's texts.
pub(crate) async fn by_ids<D: Dialect, T>(
    session: &mut Session<'_, D>,
    text: &'static str,
    ids: impl Iterator<Item = u64>,
    of_row: impl Fn(&Row<'_, D>) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, sqlx::Error> {
    let ids: Vec<u64> = ids.collect();
    let deadline = session.deadline();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(LIST_VALUES) {
        let mut rows = pin!(session.rows(query(text).bind(Value::Ids(some.to_vec())))?);
        while let Some(row) = in_time(deadline, rows.try_next()).await? {
            found.insert(row.unsigned(0)?, of_row(&row)?);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}
