//! The newest message of each user, see [`super`].

use std::collections::BTreeMap;

use super::RemoteDialect;
use super::pool::Pool;
use crate::model::{MessageId, UserId};
use crate::store::StoreError;
use crate::store::sql::{Connections as _, Lease as _, Session, Value, query};

/// The newest message of each user that has any, by one search in the index for each application.
const NEWEST: &str = "SELECT user_id, newest FROM (
        SELECT a.user_id, max((
            SELECT m.id FROM messages m WHERE m.application_id = a.id ORDER BY m.id DESC LIMIT 1
        )) AS newest FROM applications a GROUP BY a.user_id
    ) AS found WHERE newest IS NOT NULL";

/// Locks the heads of users until the transaction ends, and returns them. It is the first statement of its
/// transaction. Users who are not there have none.
pub(super) async fn lock<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<BTreeMap<UserId, MessageId>, sqlx::Error> {
    let mut heads = locked(session, users).await?;
    let missing: Vec<_> = users.iter().copied().filter(|user| !heads.contains_key(user)).collect();
    if !missing.is_empty() {
        make(session, &missing).await?;
        heads.extend(locked(session, &missing).await?);
    }
    Ok(heads)
}

/// In the order of ids, so that nobody waits in a circle.
async fn locked<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<BTreeMap<UserId, MessageId>, sqlx::Error> {
    let users = Value::Ids(users.iter().map(|user| user.0).collect());
    let heads =
        query("SELECT user_id, newest FROM shardcast_heads WHERE user_id {in} ORDER BY user_id{for update}");
    let found = session.all(heads.bind(users)).await?;
    found.iter().map(|row| Ok((UserId(row.unsigned(0)?), MessageId(row.unsigned(1)?)))).collect()
}

/// Makes the heads of users whom a Gotify has made. Their rows are locked meanwhile: a user who is being deleted gets
/// none.
async fn make<D: RemoteDialect>(session: &mut Session<'_, D>, users: &[UserId]) -> Result<(), sqlx::Error> {
    let users = Value::Ids(users.iter().map(|user| user.0).collect());
    let there = query("SELECT id FROM users WHERE id {in} ORDER BY id{for update}").bind(users);
    let mut heads = Vec::new();
    for row in session.all(there).await? {
        let user = UserId(row.unsigned(0)?);
        let newest = crate::store::sql::messages::newest(session, user, MessageId(u64::MAX)).await?;
        heads.push((user, newest.unwrap_or(MessageId(0))));
    }
    if heads.is_empty() { Ok(()) } else { D::raise_heads(session, &heads).await }
}

/// Raises heads to what the messages say: a Gotify may have written since the last start.
pub(super) async fn raise<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), StoreError> {
    let mut lease = pool.lease("look for the newest messages").await?;
    let raised = raise_all(&mut lease.session()).await;
    lease.end(raised).await
}

async fn raise_all<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let known = session.all(query("SELECT user_id, newest FROM shardcast_heads")).await?;
    let known: BTreeMap<u64, u64> = known
        .iter()
        .map(|row| Ok((row.unsigned(0)?, row.unsigned(1)?)))
        .collect::<Result<_, sqlx::Error>>()?;
    let mut behind = Vec::new();
    for row in session.all(query(NEWEST)).await? {
        let (user, newest) = (row.unsigned(0)?, row.unsigned(1)?);
        if known.get(&user).is_none_or(|&head| head < newest) {
            behind.push((UserId(user), MessageId(newest)));
        }
    }
    if behind.is_empty() { Ok(()) } else { D::raise_heads(session, &behind).await }
}
