//! What tells the messages of two databases apart, of whatever kinds these are.
//!
//! The messages whose ids are between two multiples of [`PART_IDS`] are a part. Of each part a database counts the
//! messages and adds up their ids and, for each column, its values: numbers, and how many bytes texts have. Values are
//! multiplied by ids, so that two of them can't be exchanged. All of that is the same in each kind of database. Dates are
//! not: each kind keeps other digits of them, and some keep no zone.
//!
//! Servers add and delete messages, and never change one. A text that somebody has replaced by hand, with another one of
//! as many bytes, is not noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use super::Totals;
use super::bulk::BulkDialect;
use super::record::{Cell, Record};
use super::table::{Column, Kind, Table};
use crate::store::sql::Row;

/// How many ids a part has. A part that differs is copied again as a whole.
pub(super) const PART_IDS: u64 = 4096;

/// Values are taken modulo this, and ids modulo the other one. So sums have at most 61 bits.
const VALUES: i64 = 65_521;
const IDS: u64 = 4_294_967_291;

/// Stands for NULL. It is no remainder.
const NULL: i64 = VALUES;

/// The parts of a table, by the ids that they begin at.
#[derive(Debug, Default)]
pub(super) struct Parts(BTreeMap<u64, Part>);

#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    totals: Totals,
    /// For each column that is compared.
    sums: Vec<i64>,
}

/// Returns the columns that are compared one by one, and their places.
fn compared(table: &Table) -> impl Iterator<Item = (usize, &Column)> {
    table.columns.iter().enumerate().skip(1).filter(|(_, column)| column.kind != Kind::Time)
}

/// Returns the query for the parts of a table, up to the id that is its value. An older Gotify has not all columns.
pub(super) fn query<D: BulkDialect>(table: &Table, has: impl Fn(&str) -> bool) -> String {
    let integer = D::INTEGER;
    let id = format!("CAST(id AS {integer})");
    let sums = compared(table).map(|(_, column)| {
        let name = column.name;
        let value = match column.kind {
            _ if !has(name) => "NULL".to_owned(),
            Kind::Text | Kind::ShortText => format!("{} % {VALUES}", D::text_bytes(name)),
            Kind::Bytes | Kind::SortKey => format!("octet_length({name}) % {VALUES}"),
            Kind::Integer | Kind::Count | Kind::Flag | Kind::Time => {
                format!("CAST({name} AS {integer}) % {VALUES}")
            }
        };
        format!(", CAST(sum({id} % {IDS} * coalesce({value}, {NULL})) AS {integer})")
    });
    format!(
        "SELECT {id} - {id} % {PART_IDS} AS part, count(*), CAST(sum(id) AS {integer}){} FROM {} \
         WHERE id > 0 AND id <= ? GROUP BY 1",
        sums.collect::<String>(),
        table.name
    )
}

impl Parts {
    /// Takes what [`query`] has returned.
    pub(super) fn read<D: BulkDialect>(rows: &[Row<'_, D>], table: &Table) -> Result<Self, sqlx::Error> {
        let part = |row: &Row<'_, D>| {
            let totals = Totals { rows: row.unsigned(1)?, ids: row.unsigned(2)? };
            let sums = (3..).zip(compared(table)).map(|(at, _)| row.integer(at)).collect::<Result<_, _>>()?;
            Ok((row.unsigned(0)?, Part { totals, sums }))
        };
        rows.iter().map(part).collect::<Result<_, _>>().map(Self)
    }

    /// Adds a row that was written.
    pub(super) fn add(&mut self, table: &Table, record: &Record) {
        let id = record.id();
        let part = self.0.entry(id - id % PART_IDS).or_default();
        part.totals = part.totals.plus(Totals::of(id));
        let factor = i64::try_from(id % IDS).unwrap_or_default();
        for (number, (at, _)) in compared(table).enumerate() {
            let value = match record.cells.get(at) {
                Some(Cell::Integer(value)) => value % VALUES,
                Some(Cell::Text(text)) => remainder(text.len()),
                Some(Cell::Bytes(bytes)) => remainder(bytes.len()),
                Some(Cell::Null | Cell::Time(_)) | None => NULL,
            };
            if part.sums.len() == number {
                part.sums.push(0);
            }
            part.sums[number] = part.sums[number].wrapping_add(factor * value);
        }
    }

    /// Forgets the rows that have these ids, which begin and end with parts.
    pub(super) fn remove(&mut self, ids: &RangeInclusive<u64>) {
        self.0.retain(|first, _| !ids.contains(&(*first).max(1)));
    }

    /// Returns the ids of all parts that are not the same in the other ones, up to an id. Neighbors are one range.
    pub(super) fn unlike(&self, other: &Self, up_to: u64) -> Vec<RangeInclusive<u64>> {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        let mut follows = false;
        let firsts: BTreeSet<_> = self.0.keys().chain(other.0.keys()).copied().collect();
        for first in firsts {
            let is_unlike = self.0.get(&first) != other.0.get(&first);
            let end = first.saturating_add(PART_IDS - 1).min(up_to);
            match ranges.last_mut() {
                Some(range) if is_unlike && follows => *range = *range.start()..=end,
                _ if is_unlike => ranges.push(first.max(1)..=end),
                _ => {}
            }
            follows = is_unlike;
        }
        ranges
    }
}

fn remainder(bytes: usize) -> i64 {
    i64::try_from(bytes).map_or(NULL, |bytes| bytes % VALUES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::transfer::table::{MESSAGES, TABLES};

    fn message(id: i64, message: &str) -> Record {
        let text = |text: &str| Cell::Text(text.to_owned());
        let cells = vec![
            Cell::Integer(id),
            Cell::Integer(1),
            text(message),
            text(""),
            Cell::Integer(5),
            Cell::Null,
            Cell::Null,
        ];
        Record { cells }
    }

    fn parts(messages: &[(i64, &str)]) -> Parts {
        let mut parts = Parts::default();
        for (id, text) in messages {
            parts.add(&TABLES[MESSAGES], &message(*id, text));
        }
        parts
    }

    #[test]
    fn parts_differ_by_ids_and_by_content() {
        let one = parts(&[(1, "a"), (5, "bb"), (4096, "c"), (9000, "d")]);
        assert_eq!(one.unlike(&parts(&[(9000, "d"), (1, "a"), (5, "bb"), (4096, "c")]), u64::MAX), []);
        // One message is gone, and another one is there, so that both the number and the sum of ids are the same.
        let gone = parts(&[(2, "a"), (4, "bb"), (4096, "c"), (9000, "d")]);
        assert_eq!(one.unlike(&gone, u64::MAX), [1..=4095]);
        let exchanged = parts(&[(1, "bb"), (5, "a"), (4096, "c"), (9000, "d")]);
        assert_eq!(one.unlike(&exchanged, u64::MAX), [1..=4095]);
        assert_eq!(one.unlike(&parts(&[(1, "a"), (5, "bb"), (4096, "c")]), 9000), [8192..=9000]);
    }

    #[test]
    fn neighbors_that_differ_are_one_range_and_can_be_removed() {
        let mut one = parts(&[(1, "a"), (5000, "b"), (9000, "c"), (90_000, "d"), (100_000, "e")]);
        let other = parts(&[(1, "a"), (5000, "changed"), (90_000, "changed"), (100_000, "e")]);
        let ranges = one.unlike(&other, u64::MAX);
        assert_eq!(ranges, [4096..=90_111]);
        one.remove(&ranges[0]);
        assert_eq!(one.unlike(&parts(&[(1, "a"), (100_000, "e")]), u64::MAX), []);
    }
}
