//! The newest message of each user, on databases that several connections write to at once.
//!
//! Whoever has locked a user's head is the only one who writes messages of that user until it commits, so that the
//! ids of a user's messages become visible in their order. SQLite has one writer, and needs no heads.

use super::query::LIST_VALUES;
use super::{Dialect, Query, Session, Value, query};
use crate::model::{MessageId, UserId};
use crate::store::DatabaseTime;

/// Locks the heads of users until the transaction ends, in the order of their ids so that nobody waits in a circle.
/// It must be the first statement of the transaction.
pub(crate) async fn lock<D: Dialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<(), sqlx::Error> {
    if D::HAS_HEADS {
        let users = Value::Ids(users.iter().map(|user| user.0).collect());
        let heads = "SELECT user_id FROM shardcast_heads WHERE user_id {in} ORDER BY user_id{for update}";
        session.all(query(heads).bind(users)).await?;
    }
    Ok(())
}

/// Makes the head of a new user, so that its first message is stored as any other.
pub(crate) async fn make<D: Dialect>(session: &mut Session<'_, D>, user: UserId) -> Result<(), sqlx::Error> {
    // There may be one of an earlier user with that id, whom a Gotify has deleted.
    let head = format!(
        "INSERT INTO shardcast_heads (user_id, newest, moved_at) SELECT id, 0, {} FROM users WHERE id = ? \
         AND NOT EXISTS (SELECT 1 FROM shardcast_heads h WHERE h.user_id = users.id)",
        D::HEAD_TIME
    );
    session.run(query(&head).id(user.0)).await.map(drop)
}

/// Deletes the head of a user that is deleted.
pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<(), sqlx::Error> {
    if D::HAS_HEADS {
        session.run(query("DELETE FROM shardcast_heads WHERE user_id = ?").id(user.0)).await?;
    }
    Ok(())
}

/// Returns the heads of users, without those that have none.
pub(crate) async fn of<D: Dialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<Vec<(UserId, MessageId)>, sqlx::Error> {
    let mut found = Vec::with_capacity(users.len());
    for some in users.chunks(LIST_VALUES) {
        let ids = Value::Ids(some.iter().map(|user| user.0).collect());
        let heads = query("SELECT user_id, newest FROM shardcast_heads WHERE user_id {in}").bind(ids);
        found.extend(read(session, heads).await?);
    }
    Ok(found)
}

/// Returns what time it is by the clock of the database.
pub(crate) async fn now<D: Dialect>(session: &mut Session<'_, D>) -> Result<DatabaseTime, sqlx::Error> {
    Ok(DatabaseTime(session.one(query("SELECT {now}")).await?.unsigned(0)?))
}

/// Returns the heads that have moved since then. A transaction writes its heads last, and the time with them; it ends
/// within the longest time that one may take, so that its head may become visible that much later.
pub(crate) async fn moved_since<D: Dialect>(
    session: &mut Session<'_, D>,
    since: DatabaseTime,
) -> Result<Vec<(UserId, MessageId)>, sqlx::Error> {
    let longest = u64::try_from(D::LONGEST_REVOCATION.as_millis()).unwrap_or(u64::MAX);
    let moved = query(D::MOVED_HEADS).id(since.0.saturating_sub(longest));
    read(session, moved).await
}

async fn read<D: Dialect>(
    session: &mut Session<'_, D>,
    heads: Query<'_>,
) -> Result<Vec<(UserId, MessageId)>, sqlx::Error> {
    let found = session.all(heads).await?;
    found.iter().map(|row| Ok((UserId(row.unsigned(0)?), MessageId(row.unsigned(1)?)))).collect()
}
