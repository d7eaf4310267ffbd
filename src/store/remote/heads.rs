//! The newest message of each user, see [`super`].

use std::collections::BTreeMap;

use super::RemoteDialect;
use super::pool::Pool;
use crate::model::{MessageId, UserId};
use crate::store::StoreError;
use crate::store::sql::query::LIST_VALUES;
use crate::store::sql::{Lease as _, Query, Row, Session, Value, query};

/// Returns the newest message of each user that has any, by one search in the index for each application.
macro_rules! newest {
    ($of:literal) => {
        $crate::store::remote::heads::newest!(
            $of,
            "SELECT m.id FROM messages m WHERE m.application_id = a.id ORDER BY m.id DESC LIMIT 1"
        )
    };
    ($of:literal, $search:expr) => {
        concat!(
            "SELECT user_id, newest FROM (SELECT a.user_id, max((",
            $search,
            ")) AS newest FROM applications a ",
            $of,
            " GROUP BY a.user_id) AS found WHERE newest IS NOT NULL"
        )
    };
}

pub(crate) use newest;

/// Begins a transaction, locks the heads of users until it ends, and returns them. Users who are not there have none.
pub(super) async fn begin_and_lock<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<BTreeMap<UserId, MessageId>, sqlx::Error> {
    // The lock is in a statement of its own, though not in a round trip of its own.
    let mut heads = newest_of(&session.script(format!("{}; {}", D::BEGIN, locking(users))).await?)?;
    let missing: Vec<_> = users.iter().copied().filter(|user| !heads.contains_key(user)).collect();
    if !missing.is_empty() {
        make(session, &missing).await?;
        heads.extend(newest_of(&session.script(locking(&missing)).await?)?);
    }
    Ok(heads)
}

/// Returns the statement that locks heads, in the order of ids, so that nobody waits in a circle.
fn locking(users: &[UserId]) -> String {
    let users = listed(users.iter().map(|user| user.0.to_string()));
    format!(
        "SELECT user_id, newest FROM shardcast_heads WHERE user_id IN ({users}) ORDER BY user_id FOR UPDATE"
    )
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

/// Returns the statement that raises the heads of users to these messages, and makes those that are missing.
pub(super) fn raising<D: RemoteDialect>(newest: &[(UserId, MessageId)]) -> String {
    let heads = newest.iter().map(|(user, newest)| format!("({},{},{})", user.0, newest.0, D::HEAD_TIME));
    let (heads, raise) = (listed(heads), D::RAISE_HEADS);
    format!("INSERT INTO shardcast_heads (user_id, newest, moved_at) VALUES {heads} {raise}")
}

/// Runs a query that returns users, each with a message.
async fn newest_of_each<D: RemoteDialect>(
    session: &mut Session<'_, D>,
    query: Query<'_>,
) -> Result<BTreeMap<UserId, MessageId>, sqlx::Error> {
    newest_of(&session.all(query).await?)
}

fn newest_of<D: RemoteDialect>(found: &[Row<'_, D>]) -> Result<BTreeMap<UserId, MessageId>, sqlx::Error> {
    found.iter().map(|row| Ok((UserId(row.unsigned(0)?), MessageId(row.unsigned(1)?)))).collect()
}

/// Makes the heads of users whom a Gotify has made. Their rows are locked meanwhile: a user who is being deleted gets
/// none.
async fn make<D: RemoteDialect>(session: &mut Session<'_, D>, users: &[UserId]) -> Result<(), sqlx::Error> {
    let there = query("SELECT id FROM users WHERE id {in} ORDER BY id{for update}");
    let there = session.all(there.bind(Value::Ids(users.iter().map(|user| user.0).collect()))).await?;
    let there: Vec<_> = there.iter().map(|row| row.unsigned(0)).collect::<Result<_, _>>()?;
    if there.is_empty() {
        return Ok(());
    }
    let newest = newest_of_each(session, query(D::NEWEST_OF).bind(Value::Ids(there.clone()))).await?;
    let head = |user| (user, newest.get(&user).copied().unwrap_or(MessageId(0)));
    let heads: Vec<_> = there.into_iter().map(UserId).map(head).collect();
    session.script(raising::<D>(&heads)).await.map(drop)
}

/// Raises heads to what the messages say: a Gotify may have written since the last start. Raises the counter of the
/// messages' ids above all of them: whoever fills in a table by its rows alone leaves it behind.
///
/// That takes as long as it takes: there may be millions of users.
pub(super) async fn raise<D: RemoteDialect>(pool: &Pool<D>) -> Result<(), StoreError> {
    let mut lease = pool.lease_until("look for the newest messages", None).await?;
    let mut session = lease.session();
    let raised = async {
        session.batch(D::PREPARE_SCHEMA).await?;
        raise_all(&mut session).await?;
        raise_ids(&mut session).await
    };
    let raised = raised.await;
    let raised = lease.finish(raised).await;
    // Its statements may take long now.
    lease.discard().await;
    raised
}

async fn raise_all<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let behind = format!(
        "SELECT f.user_id, f.newest FROM ({}) AS f LEFT JOIN shardcast_heads h ON h.user_id = f.user_id \
         WHERE h.newest IS NULL OR h.newest < f.newest",
        D::NEWEST
    );
    let behind: Vec<_> = newest_of_each(session, query(&behind)).await?.into_iter().collect();
    for some in behind.chunks(LIST_VALUES) {
        session.script(raising::<D>(some)).await?;
    }
    Ok(())
}

/// Raises the counter of the messages' ids above all messages and heads, where it can be behind them.
pub(super) async fn raise_ids<D: RemoteDialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    if let Some(raise) = D::RAISE_IDS {
        session.all(query(raise)).await?;
    }
    Ok(())
}
