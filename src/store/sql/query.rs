//! A query in the form that all databases share.
//!
//! `?` stands for the next value, `?2` for the second one. In braces stands what each database writes in its own way:
//!
//! | in a query | means |
//! |---|---|
//! | `{in}` | is one of the list that is the next value: [`Value::Ids`] or [`Value::Texts`] |
//! | `{for update}` | locks the rows that it finds until the transaction ends |
//! | `{unchanged}` | lets nobody change the rows that it finds until the transaction ends |
//! | `{moment COLUMN}` | a time as it is compared, with [`Value::Moment`] |
//! | `{now}` | what time it is, by the clock of the database: milliseconds since 1970, in UTC |

use super::Dialect;
use super::dialect::Arguments;
use crate::model::Timestamp;

/// The longest list of a query. MariaDB and MySQL bind 65 535 values at most.
pub(crate) const LIST_VALUES: usize = 10_000;

/// A value of a query.
#[derive(Clone, Debug)]
pub(crate) enum Value<'q> {
    Integer(Option<i64>),
    Flag(bool),
    Text(Option<&'q str>),
    Bytes(Option<&'q [u8]>),
    /// A sort key: text that is compared byte by byte.
    SortKey(&'q str),
    /// A time as it is stored.
    Time(Option<Timestamp>),
    /// A time as it is compared.
    Moment(Timestamp),
    /// A list of ids, for `{in}`.
    Ids(Vec<u64>),
    /// A list of texts, for `{in}`.
    Texts(Vec<&'q str>),
}

/// A query with its values.
#[derive(Debug)]
pub(crate) struct Query<'q> {
    text: &'q str,
    values: Vec<Value<'q>>,
}

/// A query without values yet.
pub(crate) fn query(text: &str) -> Query<'_> {
    Query { text, values: Vec::new() }
}

impl<'q> Query<'q> {
    /// Adds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds an id, a count or the like. No row has one above the highest that databases hold.
    pub(crate) fn id(self, id: u64) -> Self {
        self.bind(i64::try_from(id).unwrap_or(i64::MAX))
    }

    /// Writes it as a database takes it.
    pub(super) fn write<D: Dialect>(self, dialect: &D) -> Result<(String, Arguments<D>), sqlx::Error> {
        let (text, named) = self.text_for::<D>();
        let mut arguments = Arguments::<D>::default();
        if D::BINDS_BY_NUMBER {
            for value in self.values {
                dialect.bind(&mut arguments, value).map_err(sqlx::Error::Encode)?;
            }
        } else {
            for value in named.iter().filter_map(|number| self.values.get(number - 1)) {
                dialect.bind(&mut arguments, value.clone()).map_err(sqlx::Error::Encode)?;
            }
        }
        Ok((text, arguments))
    }

    /// Returns whether no place names the number of its value.
    fn is_in_order(&self) -> bool {
        let mut places = self.text.split('?').skip(1);
        places.all(|after| !after.starts_with(|c: char| c.is_ascii_digit())) && !self.text.contains("{in}")
    }

    /// Returns the text, and the numbers of the values that it names, in its order.
    fn text_for<D: Dialect>(&self) -> (String, Vec<usize>) {
        let mut text = String::with_capacity(self.text.len() + 64);
        let mut named = Vec::with_capacity(self.values.len());
        let mut next = 1;
        let unnumbered = D::UNNUMBERED && self.is_in_order();
        let mut rest = self.text;
        while let Some(at) = rest.find(['?', '{']) {
            let (before, mark) = rest.split_at(at);
            text.push_str(before);
            if let Some(after) = mark.strip_prefix('?') {
                let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let number = after[..digits].parse().unwrap_or(next);
                if unnumbered {
                    text.push('?');
                } else {
                    D::placeholder(&mut text, number);
                }
                named.push(number);
                next = next.max(number + 1);
                rest = &after[digits..];
                continue;
            }
            let (word, after) = mark[1..].split_once('}').unwrap_or((&mark[1..], ""));
            match word {
                "in" => {
                    D::is_one_of(&mut text, next, self.values.get(next - 1).map_or(0, Value::len));
                    named.push(next);
                    next += 1;
                }
                "for update" => text.push_str(D::FOR_UPDATE),
                "unchanged" => text.push_str(D::UNCHANGED),
                "now" => text.push_str(D::NOW),
                _ => text.push_str(&D::moment(word.trim_start_matches("moment "))),
            }
            rest = after;
        }
        text.push_str(rest);
        (text, named)
    }
}

impl Value<'_> {
    /// How many values a list has.
    fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Texts(texts) => texts.len(),
            _ => 1,
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(value: &'q str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'q> From<Option<&'q [u8]>> for Value<'q> {
    fn from(value: Option<&'q [u8]>) -> Self {
        Self::Bytes(value)
    }
}

impl<'q> From<&'q [u8]> for Value<'q> {
    fn from(value: &'q [u8]) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Time(Some(value))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Time(value)
    }
}
