//! Messages with a key, of which an application keeps only the newest, see
//! [`replacement`](crate::store::replacement).
//!
//! The table `shardcast_keyed` has a row for each of them. A row whose message is gone does no harm: it goes when its
//! key is used again, or with the next start.

use std::collections::{BTreeMap, BTreeSet};

use super::query::LIST_VALUES;
use super::{Dialect, Session, Value, deletions, query};
use crate::model::MessageId;
use crate::store::{InsertOutcome, NewMessage, Replacement};

pub(crate) const FIND: &str = "SELECT id, application_id, replace_key FROM shardcast_keyed WHERE application_id {in} AND replace_key {in}";

/// Some rows above an id, and whether their messages are there. Both tables are read at the same moment, so that no row is
/// taken for one whose message is stored just now.
pub(crate) const STALE: &str = "SELECT keyed.id, m.id FROM (
        SELECT k.id FROM shardcast_keyed k WHERE k.id > ? ORDER BY k.id LIMIT ?
    ) AS keyed LEFT JOIN messages m ON m.id = keyed.id";

/// How many rows are looked at by one statement.
const LOOKED_AT: usize = 1000;

/// What each key of each application is given to.
type Replacements<'m> = BTreeMap<u64, BTreeMap<&'m str, Replacement>>;

/// Rows that one statement inserts at most.
const ROWS_PER_STATEMENT: usize = 256;

/// Answers whether one of these messages has a key. All that is here is only needed then.
pub(crate) fn are_any(messages: &[NewMessage]) -> bool {
    messages.iter().any(|message| message.replace_key().is_some())
}

/// Deletes the messages whose places were taken by these, which the open transaction has stored. To be called while
/// nobody else stores messages of their users.
pub(crate) async fn replace<D: Dialect>(
    session: &mut Session<'_, D>,
    messages: &[NewMessage],
    outcomes: &[InsertOutcome],
) -> Result<Vec<Replacement>, sqlx::Error> {
    let mut replacements = Replacements::new();
    for (message, outcome) in messages.iter().zip(outcomes) {
        let Some((key, id)) = message.replace_key().zip(outcome.id()) else { continue };
        let of_application = replacements.entry(message.application_id.0).or_default();
        let found = of_application.entry(key).or_insert_with(|| Replacement {
            user_id: message.user_id,
            id,
            replaced: Vec::new(),
        });
        if found.id != id {
            found.replaced.push(std::mem::replace(&mut found.id, id));
        }
    }
    if replacements.is_empty() {
        return Ok(Vec::new());
    }
    let applications = replacements.keys().copied().collect();
    let keys: BTreeSet<_> = replacements.values().flat_map(|found| found.keys().copied()).collect();
    let find = query(FIND).bind(Value::Ids(applications)).bind(Value::Texts(keys.into_iter().collect()));
    for row in session.all(find).await? {
        let (id, application, key) = (row.unsigned(0)?, row.unsigned(1)?, row.text(2)?);
        // Another of the applications may have the same key.
        let found = replacements.get_mut(&application).and_then(|found| found.get_mut(key.as_str()));
        if let Some(found) = found {
            found.replaced.push(MessageId(id));
        }
    }
    let all = replacements.values().flat_map(BTreeMap::values);
    let replaced: Vec<_> = all.flat_map(|found| &found.replaced).map(|id| id.0).collect();
    if !replaced.is_empty() {
        deletions::delete(session, &replaced).await?;
    }
    note(session, &replacements).await?;
    let all = replacements.into_values().flat_map(BTreeMap::into_values);
    let mut replacements: Vec<_> = all.filter(|found| !found.replaced.is_empty()).collect();
    for found in &mut replacements {
        found.replaced.sort_unstable();
    }
    replacements.sort_unstable_by_key(|found| found.id);
    Ok(replacements)
}

/// Answers whether each of these messages, which may be stored, has a key that a newer message has by now. Then it makes no
/// difference whether they were stored: they would be gone again.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) async fn are_newer<D: Dialect>(
    session: &mut Session<'_, D>,
    messages: &[NewMessage],
    outcomes: &[InsertOutcome],
) -> Result<bool, sqlx::Error> {
    let stored =
        messages.iter().zip(outcomes).filter_map(|(message, outcome)| Some((message, outcome.id()?)));
    let mut newest = BTreeMap::new();
    for (message, id) in stored {
        let Some(key) = message.replace_key() else { return Ok(false) };
        newest.insert((message.application_id.0, key.to_owned()), id.0);
    }
    let applications: BTreeSet<_> = newest.keys().map(|(application, _)| *application).collect();
    let keys: BTreeSet<_> = newest.keys().map(|(_, key)| key.as_str()).collect();
    let find = query(FIND).bind(Value::Ids(applications.into_iter().collect()));
    let rows = session.all(find.bind(Value::Texts(keys.into_iter().collect()))).await?;
    for row in rows {
        let (id, key) = (row.unsigned(0)?, (row.unsigned(1)?, row.text(2)?));
        if newest.get(&key).is_some_and(|newest| id > *newest) {
            newest.remove(&key);
        }
    }
    Ok(newest.is_empty())
}

/// Notes which message has which key.
async fn note<D: Dialect>(
    session: &mut Session<'_, D>,
    replacements: &Replacements<'_>,
) -> Result<(), sqlx::Error> {
    let rows = replacements.iter().flat_map(|(application, found)| {
        found.iter().map(move |(key, found)| (*application, *key, found.id))
    });
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(ROWS_PER_STATEMENT) {
        let places = vec!["(?, ?, ?)"; some.len()].join(", ");
        let text = format!("INSERT INTO shardcast_keyed (id, application_id, replace_key) VALUES {places}");
        let mut insertion = query(&text);
        for (application, key, id) in some {
            insertion = insertion.id(id.0).id(*application).bind(*key);
        }
        session.run(insertion).await?;
    }
    Ok(())
}

/// Forgets the keys of messages that are deleted.
pub(crate) async fn forget<D: Dialect>(session: &mut Session<'_, D>, ids: &[u64]) -> Result<(), sqlx::Error> {
    for some in ids.chunks(LIST_VALUES) {
        let forget = query("DELETE FROM shardcast_keyed WHERE id {in}");
        session.run(forget.bind(Value::Ids(some.to_vec()))).await?;
    }
    Ok(())
}

/// Looks at some rows above an id. Returns those whose messages are gone, and which one was the last; `None` if there are
/// no more.
pub(crate) async fn stale<D: Dialect>(
    session: &mut Session<'_, D>,
    after: MessageId,
) -> Result<(Vec<u64>, Option<MessageId>), sqlx::Error> {
    let rows = session.all(query(STALE).id(after.0).id(LOOKED_AT as u64)).await?;
    let (mut stale, mut last) = (Vec::new(), after.0);
    for row in &rows {
        let id = row.unsigned(0)?;
        last = last.max(id);
        if row.optional_unsigned(1)?.is_none() {
            stale.push(id);
        }
    }
    Ok((stale, (rows.len() == LOOKED_AT).then_some(MessageId(last))))
}
