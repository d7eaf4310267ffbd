//! Push subscriptions.

use super::query::LIST_VALUES;
use super::{Dialect, Row, Session, Value, clients, query};
use crate::model::{ClientId, UserId};
use crate::store::{ClientSubscription, MAX_PUSH_SUBSCRIPTIONS, Owned, PushSubscription, SubscribeOutcome};

macro_rules! columns {
    () => {
        "p.endpoint, p.p256dh, p.auth, p.min_priority"
    };
}

/// A Gotify deletes clients and leaves their subscriptions, so that only those count whose client is there.
pub(crate) async fn users<D: Dialect>(session: &mut Session<'_, D>) -> Result<Vec<UserId>, sqlx::Error> {
    let users = query(
        "SELECT DISTINCT c.user_id FROM shardcast_push p JOIN clients c ON c.id = p.id ORDER BY c.user_id",
    );
    session.all(users).await?.iter().map(|row| row.unsigned(0).map(UserId)).collect()
}

pub(crate) async fn of_users<D: Dialect>(
    session: &mut Session<'_, D>,
    users: &[UserId],
) -> Result<Vec<ClientSubscription>, sqlx::Error> {
    const OF_USERS: &str = concat!(
        "SELECT ",
        columns!(),
        ", c.id, c.user_id FROM shardcast_push p JOIN clients c ON c.id = p.id WHERE c.user_id {in} ORDER BY c.id"
    );
    let mut found = Vec::new();
    for some in users.chunks(LIST_VALUES) {
        let some = Value::Ids(some.iter().map(|user| user.0).collect());
        for row in session.all(query(OF_USERS).bind(some)).await? {
            let (client_id, user_id) = (ClientId(row.unsigned(4)?), UserId(row.unsigned(5)?));
            found.push(ClientSubscription { client_id, user_id, subscription: subscription(&row)? });
        }
    }
    Ok(found)
}

pub(crate) async fn of_client<D: Dialect>(
    session: &mut Session<'_, D>,
    client: ClientId,
) -> Result<Option<PushSubscription>, sqlx::Error> {
    const OF_CLIENT: &str =
        concat!("SELECT ", columns!(), " FROM shardcast_push p JOIN clients c ON c.id = p.id WHERE p.id = ?");
    session.first(query(OF_CLIENT).id(client.0)).await?.as_ref().map(subscription).transpose()
}

pub(crate) async fn save<D: Dialect>(
    session: &mut Session<'_, D>,
    client: ClientId,
    new: &PushSubscription,
) -> Result<SubscribeOutcome, sqlx::Error> {
    session.begin().await?;
    // One after the other, on all nodes: the row is that of the key, which is there before anybody subscribes. Of two
    // that save the same endpoint at once, none would find the row of the other.
    session.all(query("SELECT id FROM shardcast_push_keys ORDER BY id{for update}")).await?;
    let Some(Owned { user_id, .. }) = clients::lock(session, client).await? else {
        session.commit().await?;
        return Ok(SubscribeOutcome::NoSuchClient);
    };
    session.run(query("DELETE FROM shardcast_push WHERE id = ?").id(client.0)).await?;
    let former = query("DELETE FROM shardcast_push WHERE endpoint = ?");
    session.run(former.bind(new.endpoint.as_str())).await?;
    let of_user =
        query("SELECT count(*) FROM shardcast_push p JOIN clients c ON c.id = p.id WHERE c.user_id = ?");
    if session.one(of_user.id(user_id.0)).await?.unsigned(0)? >= MAX_PUSH_SUBSCRIPTIONS {
        session.roll_back().await?;
        return Ok(SubscribeOutcome::TooMany);
    }
    let insertion =
        query("INSERT INTO shardcast_push (id, endpoint, p256dh, auth, min_priority) VALUES (?, ?, ?, ?, ?)")
            .id(client.0)
            .bind(new.endpoint.as_str())
            .bind(new.p256dh.as_slice())
            .bind(new.auth.as_slice())
            .bind(new.min_priority);
    session.run(insertion).await?;
    session.commit().await?;
    Ok(SubscribeOutcome::Saved)
}

/// Returns false if there was none.
pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    client: ClientId,
    endpoint: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let deletion = match endpoint {
        None => query("DELETE FROM shardcast_push WHERE id = ?").id(client.0),
        Some(endpoint) => {
            query("DELETE FROM shardcast_push WHERE id = ? AND endpoint = ?").id(client.0).bind(endpoint)
        }
    };
    Ok(session.run(deletion).await? > 0)
}

/// Deletes those of clients that are deleted in the same transaction.
pub(super) async fn delete_of_clients<D: Dialect>(
    session: &mut Session<'_, D>,
    clients: Vec<u64>,
) -> Result<(), sqlx::Error> {
    let deletion = query("DELETE FROM shardcast_push WHERE id {in}");
    session.run(deletion.bind(Value::Ids(clients))).await.map(drop)
}

fn subscription<D: Dialect>(row: &Row<'_, D>) -> Result<PushSubscription, sqlx::Error> {
    Ok(PushSubscription {
        endpoint: row.text(0)?,
        p256dh: row.bytes(1)?.unwrap_or_default().to_vec(),
        auth: row.bytes(2)?.unwrap_or_default().to_vec(),
        min_priority: row.integer(3)?,
    })
}
