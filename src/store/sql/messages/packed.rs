//! A page of messages in one value.
//!
//! For SQLite, whose driver hands each row over from another thread, and copies each of its values by itself: as one
//! row, a page of 100 messages takes a third of the time.
//!
//! The value has an entry for each message. It begins with seven numbers, each followed by a space: the id, the
//! application, the priority, and how many bytes the text, the title, the extras and the date have. If the message is
//! small, its text, title, extras and date follow.

use super::{ApplicationId, Message, MessageId, Order, decode_extras};
use crate::model::{Timestamp, zero_time};
use crate::store::sql::{Dialect, Query, Session};
use crate::store::{LeftOut, Slice};

/// The query that packs the messages whose ids a subquery returns. `?4` is up to which size messages are small.
macro_rules! packing {
    ($ids:expr) => {
        concat!(
            "SELECT group_concat(packed, '') FROM (
                SELECT s.id || ' ' || application_id || ' ' || CAST(coalesce(priority, 0) AS integer) || ' '
                    || coalesce(octet_length(message), 0) || ' ' || coalesce(octet_length(title), 0) || ' '
                    || coalesce(octet_length(extras), 0) || ' ' || coalesce(octet_length(date), 0) || ' '
                    || iif(",
            $crate::store::sql::slice::size!("message" "title"),
            " + 8 * coalesce(octet_length(extras), 0) <= ?4,
                        coalesce(message, '') || coalesce(title, '') || coalesce(extras, '') || coalesce(date, ''),
                        '') AS packed
                FROM (",
            $ids,
            ") AS page CROSS JOIN messages s ON s.id = page.id
            )"
        )
    };
}

pub(crate) use packing;

/// How a value is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packing {
    /// Reads a date.
    pub(crate) time: fn(&str) -> Option<Timestamp>,
}

impl Packing {
    /// Reads a message's date. What is no time is shown as Gotify shows it.
    pub(super) fn date(self, date: &[u8]) -> Timestamp {
        (self.time)(&String::from_utf8_lossy(date)).unwrap_or_else(zero_time)
    }
}

/// What a value has for one message.
struct Entry<'v> {
    id: u64,
    application: u64,
    priority: i64,
    /// As [`LeftOut::bytes`].
    bytes: usize,
    /// The text, the title, the extras and the date of a small message.
    texts: Option<[&'v [u8]; 4]>,
}

/// Runs a query of [`packing!`]; up to which size messages are small is added to its values.
pub(super) async fn read<D: Dialect>(
    session: &mut Session<'_, D>,
    list: Query<'_>,
    (order, limit): (Order, usize),
    max_bytes: usize,
    packing: Packing,
) -> Result<Slice<Message, MessageId>, sqlx::Error> {
    let small = small(limit, max_bytes);
    let found = session.one(list.bind(i64::try_from(small).unwrap_or(i64::MAX))).await?;
    let mut rest = found.bytes(0)?.unwrap_or_default();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        entries.push(Entry::split_from(&mut rest, small).ok_or_else(|| broken(rest.len()))?);
    }
    // SQLite packs them in this order as it is, but does not promise it.
    match order {
        Order::NewestBelow(_) => entries.sort_by_key(|entry| std::cmp::Reverse(entry.id)),
        Order::OldestAbove(_) => entries.sort_by_key(|entry| entry.id),
    }
    let mut slice = Slice { rows: Vec::with_capacity(entries.len()), left_out: Vec::new() };
    let mut total = 0_usize;
    for entry in entries {
        total = total.saturating_add(entry.bytes);
        match entry.texts.filter(|_| slice.left_out.is_empty() && total <= max_bytes) {
            Some(texts) => slice.rows.push(entry.message(texts, packing)),
            None => slice.left_out.push(LeftOut { id: MessageId(entry.id), bytes: entry.bytes }),
        }
    }
    Ok(slice)
}

/// Returns up to which size a message is small: so that a page of usual length, whole in one value, takes no more than
/// twice the bytes that it may have.
fn small(limit: usize, max_bytes: usize) -> usize {
    max_bytes / (limit / 2).clamp(50, 100)
}

pub(super) fn broken(rest: usize) -> sqlx::Error {
    sqlx::Error::Decode(format!("a page of messages has no whole entry in its last {rest} bytes").into())
}

impl<'v> Entry<'v> {
    /// Takes the first entry off.
    fn split_from(rest: &mut &'v [u8], small: usize) -> Option<Self> {
        let id = split_number(rest)?;
        let application = split_number(rest)?;
        let priority = split_number(rest)?;
        let message: usize = split_number(rest)?;
        let title: usize = split_number(rest)?;
        let extras: usize = split_number(rest)?;
        let date: usize = split_number(rest)?;
        // As in the query.
        let bytes = 256 + message + title + 8 * extras;
        let texts = if bytes <= small {
            let mut split = |bytes| rest.split_off(..bytes);
            Some([split(message)?, split(title)?, split(extras)?, split(date)?])
        } else {
            None
        };
        Some(Self { id, application, priority, bytes, texts })
    }

    fn message(&self, [message, title, extras, date]: [&[u8]; 4], packing: Packing) -> Message {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Message {
            id: MessageId(self.id),
            application_id: ApplicationId(self.application),
            message: text(message),
            title: text(title),
            priority: self.priority,
            extras: decode_extras((!extras.is_empty()).then_some(extras)),
            date: packing.date(date),
        }
    }
}

/// Takes a number and the space after it off.
pub(super) fn split_number<N: std::str::FromStr>(rest: &mut &[u8]) -> Option<N> {
    let digits = rest.split_off(..rest.iter().position(|&byte| byte == b' ')?)?;
    rest.split_off_first()?;
    str::from_utf8(digits).ok()?.parse().ok()
}
