//! Values of rows, read the way Go reads them: whatever a column holds becomes what the program needs.

use super::Dialect;
use super::dialect::DatabaseRow;
use crate::model::{Timestamp, zero_time};

/// A row that a query returned.
pub(crate) struct Row<'d, D: Dialect> {
    dialect: &'d D,
    row: DatabaseRow<D>,
}

impl<'d, D: Dialect> Row<'d, D> {
    pub(super) fn new(dialect: &'d D, row: DatabaseRow<D>) -> Self {
        Self { dialect, row }
    }

    /// Reads an id, a count or the like.
    pub(crate) fn unsigned(&self, column: usize) -> Result<u64, sqlx::Error> {
        Ok(self.integer(column)?.try_into().unwrap_or_default())
    }

    /// Reads an id or the like that may be NULL.
    pub(crate) fn optional_unsigned(&self, column: usize) -> Result<Option<u64>, sqlx::Error> {
        Ok(self.optional_integer(column)?.map(|value| value.try_into().unwrap_or_default()))
    }

    /// Reads a number that may be NULL.
    pub(crate) fn optional_integer(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        D::integer(&self.row, column)
    }

    /// Reads a number; NULL, as in a column that was added later, is 0.
    pub(crate) fn integer(&self, column: usize) -> Result<i64, sqlx::Error> {
        Ok(self.optional_integer(column)?.unwrap_or_default())
    }

    /// Reads a flag; NULL is false.
    pub(crate) fn flag(&self, column: usize) -> Result<bool, sqlx::Error> {
        Ok(self.integer(column)? != 0)
    }

    /// Reads text; NULL is empty.
    pub(crate) fn text(&self, column: usize) -> Result<String, sqlx::Error> {
        Ok(self.optional_text(column)?.unwrap_or_default())
    }

    /// Reads text that may be NULL. Gotify stores form fields byte by byte, so that not all of it is UTF-8.
    pub(crate) fn optional_text(&self, column: usize) -> Result<Option<String>, sqlx::Error> {
        Ok(self.bytes(column)?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }

    /// Reads bytes that may be NULL.
    pub(crate) fn bytes(&self, column: usize) -> Result<Option<&[u8]>, sqlx::Error> {
        D::bytes(&self.row, column)
    }

    /// Reads a time that every row has; the zero time where one has none.
    pub(crate) fn set_time(&self, column: usize) -> Result<Timestamp, sqlx::Error> {
        Ok(self.time(column)?.unwrap_or_else(zero_time))
    }

    /// Reads a time; `None` for NULL and for what is no time.
    pub(crate) fn time(&self, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        self.dialect.time(&self.row, column)
    }

    /// Reads a time that was selected by `{moment COLUMN}`.
    pub(crate) fn moment(&self, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
        self.dialect.moment_of(&self.row, column)
    }
}
