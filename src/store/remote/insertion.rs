//! Storing messages: a whole batch in one transaction, and what came of each message.
//!
//! The transaction locks the heads of the batch's users, checks the applications, inserts, raises the heads, and
//! commits. Whoever deletes an application or a user locks the head first too, so what was checked holds until the
//! commit.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::heads;
use super::kept::KeptConnection;
use super::pool::{fault, store_error};
use super::{Fault, OPERATION, RemoteDialect, UsedIds, history};
use crate::model::{ApplicationId, Message, MessageId, UserId};
use crate::store::sql::messages::{self, encode_extras};
use crate::store::sql::{Lease as _, Session, Value, keyed, query};
use crate::store::{InsertOutcome, Inserted, NewMessage, StoreError, Unstorable};

/// What the connection is leased for.
const NAME: &str = "insert messages";

/// How often a transaction is begun at most, where others were in its way or its connection was cut.
const ATTEMPTS: u32 = 5;

/// What a statement has beside its messages, and beside the texts of each.
const STATEMENT_BYTES: usize = 512;
const ROW_BYTES: usize = 96;

/// Stores messages until a deadline.
pub(super) async fn insert<D: RemoteDialect>(
    connection: &KeptConnection<D>,
    messages: &[NewMessage],
    deadline: Instant,
) -> Result<Inserted, StoreError> {
    if messages.is_empty() {
        return Ok(Inserted::default());
    }
    let mut each_alone = false;
    let mut are_ids_behind = false;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut lease = connection.lease_until(NAME, deadline).await?;
        let used = UsedIds {
            heads: MessageId(0),
            stored_here: connection.newest_stored(),
            went_back: connection.went_back(),
        };
        let most_bytes = connection.most_bytes();
        each_alone |= most_bytes < usize::MAX && bytes_of(messages) > most_bytes;
        let prepared = async {
            if std::mem::take(&mut are_ids_behind) {
                heads::raise_ids(&mut lease.session()).await?;
            }
            prepare(&mut lease.session(), messages, used, each_alone.then_some(most_bytes)).await
        };
        let prepared = prepared.await;
        let fault = prepared.as_ref().err().map(fault::<D>);
        let inserted = match prepared {
            Err(error) => lease.end(Err(error)).await,
            Ok((inserted, newest)) => {
                let committed = commit(&mut lease.session(), &newest, connection.went_back()).await;
                let is_uncertain =
                    matches!(committed, Err(ref error) if !matches!(error, sqlx::Error::Database(_)));
                let ended = lease.end(committed).await;
                if newest.is_empty() {
                    // Nothing was stored that may be lost.
                    Ok(inserted)
                } else if is_uncertain {
                    confirm(connection, (messages, &newest), inserted, ended).await
                } else {
                    ended.map(|()| inserted)
                }
            }
        };
        if let Ok(Some(newest)) = inserted.as_ref().map(|inserted| inserted.ids().into_iter().max()) {
            connection.note_stored(newest);
        }
        match fault {
            Some(Fault::Unstorable(_)) if !each_alone => each_alone = true,
            // Another message has an id: somebody has filled in the table without the counter.
            Some(Fault::Taken(_)) if attempt < ATTEMPTS && Instant::now() < deadline => are_ids_behind = true,
            // It had not come to the commit, so that nothing is stored.
            Some(Fault::Conflict | Fault::Disconnected)
                if attempt < ATTEMPTS && Instant::now() < deadline => {}
            _ => return inserted,
        }
    }
}

/// Returns how many bytes a statement has that inserts messages, or somewhat fewer than this.
fn bytes_of<'m>(messages: impl IntoIterator<Item = &'m NewMessage>) -> usize {
    let bytes = |message: &NewMessage| {
        let extras = message.extras.as_ref().and_then(encode_extras).map_or(0, |extras| extras.len());
        ROW_BYTES + message.message.len() + message.title.len() + extras
    };
    STATEMENT_BYTES + messages.into_iter().map(bytes).sum::<usize>()
}

/// Does all of the transaction up to raising the heads, and returns to which messages they are to be raised. Each message is
/// inserted alone if a statement must not have more than so many bytes.
async fn prepare<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    messages: &[NewMessage],
    used: UsedIds<'_>,
    each_within: Option<usize>,
) -> Result<(Inserted, Vec<(UserId, MessageId)>), sqlx::Error> {
    let mut users: Vec<_> = messages.iter().map(|message| message.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let heads = heads::begin_and_lock(session, &users).await?;
    let (owned, reserved) = senders(session, messages).await?;
    let has_sender = |message: &&NewMessage| {
        heads.contains_key(&message.user_id) && owned.contains(&(message.application_id, message.user_id))
    };
    let used = UsedIds { heads: heads.values().max().copied().unwrap_or(MessageId(0)), ..used };
    let storable: Vec<_> = messages.iter().filter(has_sender).collect();
    let mut stored = if let Some(most_bytes) = each_within {
        insert_each(session, &storable, &reserved, used, most_bytes).await?
    } else if storable.is_empty() {
        Vec::new()
    } else {
        let reserved =
            if D::RESERVES_IDS { reserved.get(..storable.len()).unwrap_or_default() } else { &reserved };
        let ids = D::insert_messages(session, &storable, reserved, used).await?;
        ids.into_iter().map(InsertOutcome::Stored).collect()
    }
    .into_iter();
    let outcomes: Vec<_> = messages
        .iter()
        .map(|message| {
            let outcome = has_sender(&message).then(|| stored.next()).flatten();
            outcome.unwrap_or(InsertOutcome::NoSuchApplication)
        })
        .collect();
    let replaced = if keyed::are_any(messages) {
        keyed::replace(session, messages, &outcomes).await?
    } else {
        Vec::new()
    };
    let mut newest = BTreeMap::new();
    for (message, outcome) in messages.iter().zip(&outcomes) {
        if let Some(id) = outcome.id() {
            newest.insert(message.user_id, id);
        }
    }
    let newest: Vec<_> = newest.into_iter().collect();
    let previous = newest.iter().filter_map(|(user, _)| Some((*user, *heads.get(user)?))).collect();
    Ok((Inserted { outcomes, previous, replaced }, newest))
}

/// Raises the heads to the newest messages, says in the log if the database went back, and commits.
async fn commit<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    newest: &[(UserId, MessageId)],
    went_back: &AtomicBool,
) -> Result<(), sqlx::Error> {
    let is_logged = went_back.load(Ordering::Relaxed);
    if is_logged {
        history::log(session).await?;
    }
    if newest.is_empty() {
        session.commit().await?;
    } else {
        session.script(format!("{}; COMMIT", heads::raising::<D>(newest))).await?;
    }
    if is_logged {
        went_back.store(false, Ordering::Relaxed);
    }
    Ok(())
}

/// Returns the applications of messages that are there, with their owners, and the third column of
/// [`RemoteDialect::SENDERS`].
async fn senders<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    messages: &[NewMessage],
) -> Result<(HashSet<(ApplicationId, UserId)>, Vec<u64>), sqlx::Error> {
    let mut ids: Vec<_> = messages.iter().map(|message| message.application_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut senders = query(D::SENDERS).bind(Value::Ids(ids));
    if D::RESERVES_IDS {
        senders = senders.id(messages.len() as u64);
    }
    let (mut owned, mut reserved) = (HashSet::new(), Vec::new());
    for row in session.all(senders).await? {
        match row.optional_unsigned(2)? {
            Some(id) => reserved.push(id),
            None => drop(owned.insert((ApplicationId(row.unsigned(0)?), UserId(row.unsigned(1)?)))),
        }
    }
    reserved.sort_unstable();
    Ok((owned, reserved))
}

/// Inserts messages one by one, because the database refuses one of them at least, or all of them in one statement.
async fn insert_each<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    messages: &[&NewMessage],
    reserved: &[u64],
    mut used: UsedIds<'_>,
    most_bytes: usize,
) -> Result<Vec<InsertOutcome>, sqlx::Error> {
    let mut outcomes = Vec::with_capacity(messages.len());
    for (place, message) in messages.iter().enumerate() {
        if bytes_of([*message]) > most_bytes {
            // The server would cut the connection, often without saying why.
            outcomes.push(InsertOutcome::Refused(StoreError::Unstorable(Unstorable::TooLarge)));
            continue;
        }
        session.batch("SAVEPOINT message").await?;
        let reserved =
            if D::RESERVES_IDS { reserved.get(place..=place).unwrap_or_default() } else { reserved };
        outcomes.push(match D::insert_messages(session, &[message], reserved, used).await {
            Ok(ids) => {
                // What is stored in the same transaction does not show that the database went back.
                let heads = ids.first().copied().unwrap_or(used.heads);
                used = UsedIds { heads, stored_here: MessageId(0), ..used };
                InsertOutcome::Stored(used.heads)
            }
            Err(error) if matches!(fault::<D>(&error), Fault::Unstorable(_)) => {
                session.batch("ROLLBACK TO SAVEPOINT message").await?;
                InsertOutcome::Refused(store_error::<D>(NAME, error))
            }
            Err(error) => return Err(error),
        });
    }
    Ok(outcomes)
}

/// Finds out whether a transaction was committed whose connection was lost while it was to be. Nothing is stored a
/// second time: with the heads locked, what is there is what was committed.
async fn confirm<D: RemoteDialect>(
    connection: &KeptConnection<D>,
    batch: (&[NewMessage], &[(UserId, MessageId)]),
    inserted: Inserted,
    lost: Result<(), StoreError>,
) -> Result<Inserted, StoreError> {
    let mut lease = connection.lease_until(NAME, Instant::now() + OPERATION).await?;
    let looked = is_committed(&mut lease.session(), batch, &inserted).await;
    let found = lease.end(looked).await?;
    if found { Ok(inserted) } else { lost.map(|()| inserted) }
}

/// Looks whether a transaction was committed that has stored these messages, and raised heads to the newest of them.
///
/// Nothing of it is there without the rest, so one of its messages is enough. If the server has crashed, another node may
/// have stored others with the same ids meanwhile. If nothing has these ids, somebody has replaced or deleted the
/// messages, or they were never there: a head says so that nobody has raised further, or newer messages with their keys.
pub(super) async fn is_committed<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    (messages, newest): (&[NewMessage], &[(UserId, MessageId)]),
    inserted: &Inserted,
) -> Result<bool, sqlx::Error> {
    let users: Vec<_> = newest.iter().map(|(user, _)| *user).collect();
    let heads = heads::begin_and_lock(session, &users).await?;
    let with_same_ids = messages::by_ids(session, &inserted.ids()).await?;
    let is_committed = if with_same_ids.is_empty() {
        newest.iter().any(|(user, newest)| heads.get(user) == Some(newest))
            || keyed::are_newer(session, messages, &inserted.outcomes).await?
    } else {
        let stored: BTreeMap<_, _> =
            inserted.outcomes.iter().zip(messages).filter_map(|(o, m)| Some((o.id()?, m))).collect();
        with_same_ids.iter().any(|there| stored.get(&there.id).is_some_and(|sent| are_same(there, sent)))
    };
    session.commit().await?;
    Ok(is_committed)
}

/// Whether a message that is there is one that was to be stored. Databases keep times to the millisecond at least.
fn are_same(there: &Message, sent: &NewMessage) -> bool {
    there.application_id == sent.application_id
        && there.date.timestamp_millis() == sent.date.timestamp_millis()
        && (there.priority, &there.title, &there.message) == (sent.priority, &sent.title, &sent.message)
}
