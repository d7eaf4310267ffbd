//! A row outside any database.

use super::table::{Kind, Table};
use crate::model::Timestamp;
use crate::store::sql::{Dialect, Row, Value};

/// Something for the row itself, beside its texts.
const ROW_BYTES: usize = 128;

/// The values of a row, in the order of its table's columns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) cells: Vec<Cell>,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    /// Also a flag: 0 or 1.
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    Time(Timestamp),
}

impl Record {
    /// Reads a row that has all columns of a table.
    pub(super) fn read<D: Dialect>(table: &Table, row: &Row<'_, D>) -> Result<Self, sqlx::Error> {
        let cells = table.columns.iter().enumerate();
        let cells = cells.map(|(at, column)| Cell::read(column.kind, row, at)).collect::<Result<_, _>>()?;
        Ok(Self { cells })
    }

    /// The id of the row.
    pub(crate) fn id(&self) -> u64 {
        match self.cells.first() {
            Some(Cell::Integer(id)) => u64::try_from(*id).unwrap_or_default(),
            _ => 0,
        }
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.cells.iter().fold(ROW_BYTES, |sum, cell| sum + cell.bytes())
    }
}

/// Returns a time in a zone whose offset has no seconds, as zones had before there was standard time: texts have
/// minutes only, and would name another time.
fn with_whole_minutes(time: Timestamp) -> Timestamp {
    if time.offset().local_minus_utc() % 60 == 0 { time } else { time.to_utc().fixed_offset() }
}

impl Cell {
    fn read<D: Dialect>(kind: Kind, row: &Row<'_, D>, at: usize) -> Result<Self, sqlx::Error> {
        Ok(match kind {
            Kind::Integer => row.optional_integer(at)?.map_or(Self::Null, Self::Integer),
            Kind::Count => Self::Integer(row.integer(at)?),
            Kind::Flag => {
                row.optional_integer(at)?.map_or(Self::Null, |flag| Self::Integer(i64::from(flag != 0)))
            }
            Kind::ShortText | Kind::Text | Kind::SortKey => {
                row.optional_text(at)?.map_or(Self::Null, Self::Text)
            }
            Kind::Bytes => row.bytes(at)?.map_or(Self::Null, |bytes| Self::Bytes(bytes.to_vec())),
            Kind::Time => Self::of_time(row.time(at)?),
        })
    }

    /// Returns a time as it is moved.
    pub(super) fn of_time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Null, |time| Self::Time(with_whole_minutes(time)))
    }

    /// Returns it as a value of a statement.
    pub(crate) fn value(&self, kind: Kind) -> Value<'_> {
        match self {
            Self::Null if kind == Kind::Time => Value::Time(None),
            Self::Null if matches!(kind, Kind::Bytes | Kind::SortKey) => Value::Bytes(None),
            Self::Null if matches!(kind, Kind::Text | Kind::ShortText) => Value::Text(None),
            Self::Null => Value::Integer(None),
            Self::Integer(value) if kind == Kind::Flag => Value::Flag(*value != 0),
            Self::Integer(value) => Value::Integer(Some(*value)),
            Self::Text(text) if kind == Kind::SortKey => Value::SortKey(text),
            Self::Text(text) => Value::Text(Some(text)),
            Self::Bytes(bytes) => Value::Bytes(Some(bytes)),
            Self::Time(time) => Value::Time(Some(*time)),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Null | Self::Integer(_) | Self::Time(_) => 0,
        }
    }
}
