//! The lines of a backup.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::store::transfer::Totals;
use crate::store::transfer::record::{Cell, Record};
use crate::store::transfer::table::{Kind, Table};

/// A line that is no row.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum Line {
    Head(Head),
    Table(TableLine),
    Picture(Picture),
    End { end: End },
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    pub(super) format: String,
    pub(super) version: u64,
    pub(super) made_by: String,
    pub(super) made_at: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TableLine {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) last_id: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Picture {
    picture: String,
    content: String,
}

/// The last line.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct End {
    pub(super) rows: BTreeMap<String, TableTotals>,
    pub(super) pictures: u64,
    pub(super) sha256: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct TableTotals {
    rows: u64,
    ids: u64,
}

impl From<Totals> for TableTotals {
    fn from(Totals { rows, ids }: Totals) -> Self {
        Self { rows, ids }
    }
}

impl TableLine {
    /// The line before the rows of a table.
    pub(super) fn of(table: &Table, last_id: u64) -> Self {
        let columns = table.columns.iter().map(|column| column.name.to_owned()).collect();
        Self { table: table.name.to_owned(), columns, last_id }
    }
}

impl Picture {
    pub(super) fn new(name: &str, content: &[u8]) -> Self {
        Self { picture: name.to_owned(), content: STANDARD.encode(content) }
    }

    /// Returns its name and what is in its file; `None` if that is no base64.
    pub(super) fn content(self) -> Option<(String, Vec<u8>)> {
        Some((self.picture, STANDARD.decode(self.content).ok()?))
    }
}

/// A row as a line.
pub(super) struct RowLine<'r>(pub(super) &'static Table, pub(super) &'r Record);

impl Serialize for RowLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(table, record) = self;
        let mut line = serializer.serialize_seq(Some(record.cells.len()))?;
        for (cell, column) in record.cells.iter().zip(table.columns) {
            match cell {
                Cell::Integer(value) if column.kind == Kind::Flag => {
                    line.serialize_element(&(*value != 0))?;
                }
                Cell::Integer(value) => line.serialize_element(value)?,
                Cell::Text(text) => line.serialize_element(text)?,
                Cell::Bytes(bytes) => line.serialize_element(&STANDARD.encode(bytes))?,
                // RFC 3339 has no other years, and no client sends them.
                Cell::Time(time) if (0..=9999).contains(&time.year()) => {
                    line.serialize_element(&time.to_rfc3339())?;
                }
                Cell::Null | Cell::Time(_) => line.serialize_element(&())?,
            }
        }
        line.end()
    }
}

/// Reads a row; the error says what is wrong with it.
pub(super) fn row(table: &Table, line: &[u8]) -> Result<Record, String> {
    let values: Vec<Value> =
        serde_json::from_slice(line).map_err(|error| format!("it is no row: {error}"))?;
    if values.len() != table.columns.len() {
        let (found, expected) = (values.len(), table.columns.len());
        return Err(format!("the row has {found} values, and the table `{}` has {expected}", table.name));
    }
    let cells = values.into_iter().zip(table.columns).map(|(value, column)| {
        cell(column.kind, value).ok_or_else(|| format!("its `{}` is not of the right kind", column.name))
    });
    Ok(Record { cells: cells.collect::<Result<_, _>>()? })
}

fn cell(kind: Kind, value: Value) -> Option<Cell> {
    Some(match (kind, value) {
        (Kind::Count, Value::Null) => Cell::Integer(0),
        (_, Value::Null) => Cell::Null,
        (Kind::Integer | Kind::Count, Value::Number(number)) => Cell::Integer(number.as_i64()?),
        (Kind::Flag, Value::Bool(flag)) => Cell::Integer(i64::from(flag)),
        (Kind::ShortText | Kind::Text | Kind::SortKey, Value::String(text)) => Cell::Text(text),
        (Kind::Bytes, Value::String(text)) => Cell::Bytes(STANDARD.decode(text).ok()?),
        (Kind::Time, Value::String(text)) => Cell::Time(DateTime::parse_from_rfc3339(&text).ok()?),
        _ => return None,
    })
}
