//! The dates of some messages.

#[cfg(feature = "sqlite")]
use super::Pages;
#[cfg(feature = "sqlite")]
use super::packed::{self, Packing};
use super::{MessageId, Timestamp, UserId, Value, query};
use crate::store::sql::{Dialect, Session};

/// A row for each message.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) const DATES: &str = "SELECT m.id, m.date FROM messages m WHERE m.id {in} \
    AND EXISTS (SELECT 1 FROM applications a WHERE a.id = m.application_id AND a.user_id = ?)";

/// All in one value, for [`Pages::Packed`]: the id, how many bytes the date has, and the date. The list of the ids is
/// gone through as it is: as `{in}`, SQLite would make a table of it first.
#[cfg(feature = "sqlite")]
pub(crate) const PACKED_DATES: &str = "SELECT group_concat( \
        m.id || ' ' || coalesce(octet_length(m.date), 0) || ' ' || coalesce(m.date, ''), '') \
    FROM json_each(?) AS listed CROSS JOIN messages m ON m.id = listed.value \
    WHERE EXISTS (SELECT 1 FROM applications a WHERE a.id = m.application_id AND a.user_id = ?)";

/// Returns those of some messages that are still there and are a user's, with their dates, the newest first.
///
/// Dates are compared by the caller: SQLite can't read all forms in which Gotify's databases hold them.
pub(crate) async fn of_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    ids: Vec<u64>,
) -> Result<Vec<(MessageId, Timestamp)>, sqlx::Error> {
    let dates_of = |text| query(text).bind(Value::Ids(ids)).id(user.0);
    let mut dates = match D::PAGES {
        #[cfg(feature = "sqlite")]
        Pages::Packed { packing, .. } => {
            let found = session.one(dates_of(PACKED_DATES)).await?;
            unpacked(found.bytes(0)?.unwrap_or_default(), packing)?
        }
        #[cfg(any(feature = "mysql", feature = "postgres"))]
        _ => {
            let date = |row: &super::Row<'_, D>| Ok((MessageId(row.unsigned(0)?), row.set_time(1)?));
            session.all(dates_of(DATES)).await?.iter().map(date).collect::<Result<Vec<_>, sqlx::Error>>()?
        }
    };
    dates.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
    Ok(dates)
}

/// Reads the value of [`PACKED_DATES`].
#[cfg(feature = "sqlite")]
fn unpacked(mut rest: &[u8], packing: Packing) -> Result<Vec<(MessageId, Timestamp)>, sqlx::Error> {
    let mut dates = Vec::new();
    while !rest.is_empty() {
        let date = split_date(&mut rest, packing).ok_or_else(|| packed::broken(rest.len()))?;
        dates.push(date);
    }
    Ok(dates)
}

#[cfg(feature = "sqlite")]
fn split_date(rest: &mut &[u8], packing: Packing) -> Option<(MessageId, Timestamp)> {
    let id = packed::split_number(rest)?;
    let bytes = packed::split_number(rest)?;
    Some((MessageId(id), packing.date(rest.split_off(..bytes)?)))
}
