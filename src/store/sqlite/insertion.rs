//! Storing messages: a whole batch by one statement, and what came of each message.
//!
//! The statement stores a message only while its application exists and belongs to its user, and stores nothing
//! unless the last id in the file is the one that this process remembers. So one turn of the connection's thread
//! checks and writes, and whatever else has happened to the file is noticed before anything is stored.

use std::collections::{HashMap, HashSet};
use std::slice;

use parking_lot::Mutex;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::dialect::session;
use super::error::{refuses_a_row, store_error};
use super::{row, time};
use crate::model::{ApplicationId, MessageId, UserId};
use crate::store::sql::{keyed, messages};
use crate::store::{InsertOutcome, Inserted, NewMessage};

/// What the connection is leased for.
pub(super) const OPERATION: &str = "insert messages";

/// Users whose newest message is remembered. When there are more, all are forgotten, and looked up again.
const REMEMBERED_USERS: usize = 65_536;

/// The highest id that SQLite has given to a message of this file. It does not fall when messages are deleted.
const LAST_ID: &str = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'messages'";

/// What this process knows of the file's messages. Used only by who holds the connection that writes.
///
/// What is known of a user is taken as known only after the commit. A write that was dropped half-way, or whose
/// answer was lost, leaves the file ahead of this, which the next write finds out.
#[derive(Debug)]
pub(super) struct MessageIds(Mutex<KnownIds>);

#[derive(Debug)]
struct KnownIds {
    /// The highest id given to a message.
    last: MessageId,
    /// The newest message of each user that something was stored for.
    newest: HashMap<UserId, MessageId>,
}

impl MessageIds {
    /// Reads where the file's ids are.
    pub(super) async fn of(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let last = last_id(connection).await?;
        Ok(Self(Mutex::new(KnownIds { last, newest: HashMap::new() })))
    }

    fn last(&self) -> MessageId {
        self.0.lock().last
    }

    /// Takes note of stored messages, whose ids follow on one another from `first` on. Returns the newest message
    /// before `first` of each of their users, and the users of whom it is not known.
    fn note(
        &self,
        first: MessageId,
        stored: &[(UserId, MessageId)],
    ) -> (Vec<(UserId, MessageId)>, Vec<UserId>) {
        let (mut previous, mut unknown) = (Vec::new(), Vec::new());
        let mut known = self.0.lock();
        if known.newest.len() >= REMEMBERED_USERS {
            known.newest.clear();
        }
        for &(user, id) in stored {
            known.last = id;
            match known.newest.insert(user, id) {
                None => unknown.push(user),
                Some(before) if before < first => previous.push((user, before)),
                Some(_) => {}
            }
        }
        (previous, unknown)
    }

    /// Compares with the file, and answers whether they differed. They agree afterwards.
    ///
    /// A file whose ids are lower than this process has seen was restored from a backup. Streams have seen those
    /// ids, so they are not given again: the file's ids go on where they were.
    async fn reconcile(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let (found, expected) = (last_id(connection).await?, self.last());
        if found == expected {
            return Ok(false);
        }
        if found < expected {
            tracing::warn!(
                "the database went back from message {expected} to {found}, as if a backup was restored: \
                 the next message gets an id above {expected}"
            );
            raise_last_id(connection, expected).await?;
        }
        let mut known = self.0.lock();
        known.last = found.max(expected);
        known.newest.clear();
        Ok(true)
    }
}

async fn last_id(connection: &mut SqliteConnection) -> Result<MessageId, sqlx::Error> {
    let found = sqlx::query(LAST_ID).fetch_one(connection).await?;
    Ok(MessageId(row::unsigned(&found, 0)?))
}

async fn raise_last_id(connection: &mut SqliteConnection, last: MessageId) -> Result<(), sqlx::Error> {
    // A file that never had a message has no row here.
    sqlx::query(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'messages', 0
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'messages')",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE sqlite_sequence SET seq = ? WHERE name = 'messages'")
        .bind(row::id(last.0))
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores messages in one transaction.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    ledger: &MessageIds,
    messages: &[NewMessage],
) -> Result<Inserted, sqlx::Error> {
    if messages.is_empty() {
        return Ok(Inserted::default());
    }
    if keyed::are_any(messages) {
        return insert_keyed(connection, ledger, messages).await;
    }
    let mut inserted = insert_all(connection, messages, ledger.last()).await;
    // Nothing is stored where the last id in the file is another one.
    while inserted.as_ref().is_ok_and(Vec::is_empty) && ledger.reconcile(connection).await? {
        inserted = insert_all(connection, messages, ledger.last()).await;
    }
    let outcomes = match inserted {
        Ok(ids) if ids.len() == messages.len() => ids.into_iter().map(InsertOutcome::Stored).collect(),
        Ok(ids) => outcomes_of_some(connection, messages, ids).await?,
        Err(error) if refuses_a_row(&error) => insert_each(connection, ledger, messages).await?,
        Err(error) => return Err(error),
    };
    let previous = previous(connection, ledger, messages, &outcomes).await;
    Ok(Inserted { outcomes, previous, replaced: Vec::new() })
}

/// As [`insert`], of messages of which some take the place of older ones.
async fn insert_keyed(
    connection: &mut SqliteConnection,
    ledger: &MessageIds,
    messages: &[NewMessage],
) -> Result<Inserted, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    ledger.reconcile(connection).await?;
    let outcomes = match insert_all(connection, messages, ledger.last()).await {
        Ok(ids) => outcomes_of_some(connection, messages, ids).await?,
        Err(error) if refuses_a_row(&error) => insert_in_turn(connection, messages, ledger.last()).await?,
        Err(error) => return Err(error),
    };
    let replaced = keyed::replace(&mut session(connection), messages, &outcomes).await?;
    connection.execute("COMMIT").await?;
    let previous = previous(connection, ledger, messages, &outcomes).await;
    Ok(Inserted { outcomes, previous, replaced })
}

/// Stores all messages whose applications are there, by one statement, and returns the ids of those that it stored.
/// Stores none if the last id in the file is not `last`.
///
/// Rows one by one cost thirty times as much, `RETURNING` twice as much. SQLite binds 32 766 values at most, which
/// are 4096 rows; the writer's batches are far smaller.
async fn insert_all(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
    last: MessageId,
) -> Result<Vec<MessageId>, sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(insertion(messages.len()))).bind(row::id(last.0));
    for message in messages {
        query = query
            .bind(row::id(message.application_id.0))
            .bind(message.message.as_str())
            .bind(message.title.as_str())
            .bind(message.priority)
            .bind(message.extras.as_ref().and_then(messages::encode_extras))
            .bind(time::to_text(message.date))
            .bind(row::id(message.user_id.0));
    }
    let done = query.execute(connection).await?;
    // Ids of one statement are consecutive: each is one above the highest, and nobody else writes meanwhile.
    let last = done.last_insert_rowid().unsigned_abs();
    Ok((last + 1 - done.rows_affected()..=last).map(MessageId).collect())
}

/// Returns the statement for so many rows, or more: parameters that are not bound are NULL, and such rows have no
/// application. So the connection prepares and keeps one statement for each power of two. `CROSS JOIN` makes SQLite
/// go through the rows in the order in which they are given. The last id is compared in `LIMIT`, which SQLite evaluates
/// once. As a part of `WHERE` it was evaluated twice, and the expected id was put into a temporary table for that, which
/// was a third of what storing one message took.
fn insertion(rows: usize) -> String {
    const ROW: &str = "(?,?,?,?,?,?,?),";
    let values = ROW.repeat(rows.next_power_of_two());
    format!(
        "WITH expected (last) AS (SELECT ?) \
         INSERT INTO messages (application_id, message, title, priority, extras, date) \
         SELECT column1, column2, column3, column4, column5, column6 FROM (VALUES {}) \
         CROSS JOIN applications a ON a.id = column1 AND a.user_id = column7 \
         LIMIT CASE WHEN ({LAST_ID}) = (SELECT last FROM expected) THEN -1 ELSE 0 END",
        values.trim_end_matches(',')
    )
}

/// Says which messages got the ids, in order, where some applications are not there.
async fn outcomes_of_some(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
    ids: Vec<MessageId>,
) -> Result<Vec<InsertOutcome>, sqlx::Error> {
    let senders = messages.iter().map(|message| message.application_id.0);
    let found =
        sqlx::query("SELECT id, user_id FROM applications WHERE id IN (SELECT value FROM json_each(?))")
            .bind(row::id_list(senders))
            .fetch_all(connection)
            .await?;
    let owned: HashSet<_> = found
        .iter()
        .map(|found| Ok((ApplicationId(row::unsigned(found, 0)?), UserId(row::unsigned(found, 1)?))))
        .collect::<Result<_, sqlx::Error>>()?;
    let has_sender = |message: &&NewMessage| owned.contains(&(message.application_id, message.user_id));
    if messages.iter().filter(has_sender).count() != ids.len() {
        return Err(sqlx::Error::Protocol("another program changed the applications meanwhile".to_owned()));
    }
    let mut ids = ids.into_iter();
    let outcome = |message| {
        let id = has_sender(&message).then(|| ids.next()).flatten();
        id.map_or(InsertOutcome::NoSuchApplication, InsertOutcome::Stored)
    };
    Ok(messages.iter().map(outcome).collect())
}

/// Stores messages one by one in one transaction, because the database refuses one of them at least.
async fn insert_each(
    connection: &mut SqliteConnection,
    ledger: &MessageIds,
    messages: &[NewMessage],
) -> Result<Vec<InsertOutcome>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    ledger.reconcile(connection).await?;
    let outcomes = insert_in_turn(connection, messages, ledger.last()).await?;
    connection.execute("COMMIT").await?;
    Ok(outcomes)
}

/// Stores messages one by one within a transaction. `last` is the last id in the file.
async fn insert_in_turn(
    connection: &mut SqliteConnection,
    messages: &[NewMessage],
    mut last: MessageId,
) -> Result<Vec<InsertOutcome>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(messages.len());
    for message in messages {
        outcomes.push(match insert_all(connection, slice::from_ref(message), last).await {
            Ok(ids) => match ids.first() {
                Some(&id) => {
                    last = id;
                    InsertOutcome::Stored(id)
                }
                None => InsertOutcome::NoSuchApplication,
            },
            Err(error) if refuses_a_row(&error) => InsertOutcome::Refused(store_error(OPERATION, error)),
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

/// Takes note of what was stored, and returns the newest message that each of its users had before.
async fn previous(
    connection: &mut SqliteConnection,
    ledger: &MessageIds,
    messages: &[NewMessage],
    outcomes: &[InsertOutcome],
) -> Vec<(UserId, MessageId)> {
    let stored: Vec<_> = messages
        .iter()
        .zip(outcomes)
        .filter_map(|(message, outcome)| Some((message.user_id, outcome.id()?)))
        .collect();
    let Some(&(_, first)) = stored.first() else { return Vec::new() };
    let (mut previous, unknown) = ledger.note(first, &stored);
    for user in unknown {
        // The messages are stored whatever comes of this. An id that is too high costs the user's streams a look
        // into the store, and hides nothing.
        let found = messages::newest(&mut session(connection), user, first).await;
        let highest = MessageId(first.0.saturating_sub(1));
        previous.push((user, found.map_or(highest, |found| found.unwrap_or(MessageId(0)))));
    }
    previous
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_powers_of_two() {
        for (rows, parameters) in [(1, 8), (2, 15), (3, 29), (64, 449), (65, 897), (256, 1793)] {
            assert_eq!(insertion(rows).matches('?').count(), parameters, "{rows} rows");
        }
    }
}
