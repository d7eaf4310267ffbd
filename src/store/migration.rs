//! What a start changes in a database before it can be used.

use std::fmt;
use std::path::PathBuf;

/// One change. The text says what is made, and in how many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MigrationStep {
    /// A file that only a Gotify has used is copied, beside it.
    CopyFile {
        /// The file.
        file: PathBuf,
    },
    /// A table is made.
    MakeTable {
        /// Its name.
        table: String,
    },
    /// A column is added to a table.
    AddColumn {
        /// The table.
        table: String,
        /// The name of the column.
        column: String,
    },
    /// Rows that do not say when they were made get the time of the start.
    FillDates {
        /// The table.
        table: String,
        /// How many rows those are.
        rows: u64,
    },
    /// Applications get a place in the order of their user's applications.
    FillSortKeys {
        /// How many applications those are.
        rows: u64,
    },
    /// Applications that do not say up to which message they were read count as read, up to their newest message.
    FillReadMarks {
        /// How many applications those are.
        rows: u64,
    },
    /// An index is made. This takes some seconds per million rows.
    MakeIndex {
        /// Its name.
        index: String,
        /// The table.
        table: String,
        /// How many rows the table has.
        rows: u64,
    },
}

impl fmt::Display for MigrationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CopyFile { file } => write!(f, "copy `{}`, beside it", file.display()),
            Self::MakeTable { table } => write!(f, "make the table `{table}`"),
            Self::AddColumn { table, column } => write!(f, "add the column `{table}.{column}`"),
            Self::FillDates { table, rows } => write!(f, "fill `{table}.created_at` in {rows} rows"),
            Self::FillSortKeys { rows } => write!(f, "fill `applications.sort_key` in {rows} rows"),
            Self::FillReadMarks { rows } => write!(f, "fill `applications.read_up_to` in {rows} rows"),
            Self::MakeIndex { index, table, rows } => {
                write!(f, "make the index `{index}` of the table `{table}`, which has {rows} rows")
            }
        }
    }
}
