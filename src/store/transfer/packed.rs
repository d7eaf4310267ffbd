//! Many rows in one value, for SQLite, whose driver hands each row over from another thread.
//!
//! The value has an entry for each row. It begins with a number for each column, and a space after it: a number itself,
//! or how many bytes another value has; `-` is NULL. The bytes of the others follow, in the order of the columns.

use super::record::{Cell, Record};
use super::table::{Kind, Table};
use crate::model::Timestamp;

/// Returns the query for the first rows whose ids are at least `?1` and at most `?2`; no more than `?3` of them.
pub(super) fn query(table: &Table) -> String {
    let is_number = |kind| matches!(kind, Kind::Integer | Kind::Count | Kind::Flag);
    let numbers = table.columns.iter().map(|column| match column {
        column if is_number(column.kind) => format!("coalesce(CAST({} AS integer), '-') || ' '", column.name),
        column => format!("coalesce(octet_length({}), '-') || ' '", column.name),
    });
    let texts = table.columns.iter().filter(|column| !is_number(column.kind));
    let texts = texts.map(|column| format!("coalesce({}, '')", column.name));
    let packed = numbers.chain(texts).collect::<Vec<_>>().join(" || ");
    format!(
        "SELECT group_concat(packed, '') FROM \
         (SELECT {packed} AS packed FROM {} WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?)",
        table.name
    )
}

/// Returns the rows of a value, in the order of their ids; `None` if it is none of [`query`].
pub(super) fn split(
    table: &Table,
    mut value: &[u8],
    time: fn(&str) -> Option<Timestamp>,
) -> Option<Vec<Record>> {
    let mut rows = Vec::new();
    while !value.is_empty() {
        let mut cells = Vec::with_capacity(table.columns.len());
        let mut sizes = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            let end = value.iter().position(|&byte| byte == b' ')?;
            let (number, rest) = (str::from_utf8(&value[..end]).ok()?, &value[end + 1..]);
            value = rest;
            let number: Option<i64> = if number == "-" { None } else { Some(number.parse().ok()?) };
            sizes.push(number);
            cells.push(match (column.kind, number) {
                (Kind::Count, number) => Cell::Integer(number.unwrap_or_default()),
                (Kind::Flag, Some(number)) => Cell::Integer(i64::from(number != 0)),
                (_, Some(number)) => Cell::Integer(number),
                (_, None) => Cell::Null,
            });
        }
        for ((column, size), cell) in table.columns.iter().zip(sizes).zip(&mut cells) {
            let (Some(size), false) = (size, matches!(column.kind, Kind::Integer | Kind::Count | Kind::Flag))
            else {
                continue;
            };
            let bytes = value.split_off(..usize::try_from(size).ok()?)?;
            *cell = match column.kind {
                Kind::Bytes => Cell::Bytes(bytes.to_vec()),
                Kind::Time => Cell::of_time(time(&String::from_utf8_lossy(bytes))),
                _ => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
            };
        }
        rows.push(Record { cells });
    }
    // SQLite packs them in this order as it is, but does not promise it.
    rows.sort_by_key(Record::id);
    Some(rows)
}
