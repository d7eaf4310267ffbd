//! Push subscriptions, and the key that they are made for.

use super::query::LIST_VALUES;
use super::{Dialect, Row, Session, Value, clients, query};
use crate::model::{ClientId, UserId};
use crate::store::{ClientSubscription, PushSubscription};

macro_rules! columns {
    () => {
        "p.endpoint, p.p256dh, p.auth, p.min_priority"
    };
}

/// The one row of keys.
const KEY_ID: u64 = 1;

pub(crate) async fn key<D: Dialect>(session: &mut Session<'_, D>) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let key = query("SELECT content FROM shardcast_push_keys WHERE id = ?").id(KEY_ID);
    let found = session.first(key).await?;
    Ok(found.as_ref().map(|row| row.bytes(0)).transpose()?.flatten().map(<[u8]>::to_vec))
}

/// Stores a key unless there is one, and returns the one that is there then.
pub(crate) async fn make_key<D: Dialect>(
    session: &mut Session<'_, D>,
    made_up: &[u8],
) -> Result<Vec<u8>, sqlx::Error> {
    let insertion = query("INSERT INTO shardcast_push_keys (id, content) VALUES (?, ?)");
    match session.run(insertion.id(KEY_ID).bind(made_up)).await {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
        inserted => drop(inserted?),
    }
    key(session).await?.ok_or(sqlx::Error::RowNotFound)
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

/// Returns false if there is no such client.
pub(crate) async fn save<D: Dialect>(
    session: &mut Session<'_, D>,
    client: ClientId,
    new: &PushSubscription,
) -> Result<bool, sqlx::Error> {
    session.begin().await?;
    let is_there = clients::lock(session, client).await?.is_some();
    if is_there {
        let earlier = query("DELETE FROM shardcast_push WHERE id = ? OR endpoint = ?");
        session.run(earlier.id(client.0).bind(new.endpoint.as_str())).await?;
        let insertion = query(
            "INSERT INTO shardcast_push (id, endpoint, p256dh, auth, min_priority) VALUES (?, ?, ?, ?, ?)",
        )
        .id(client.0)
        .bind(new.endpoint.as_str())
        .bind(new.p256dh.as_slice())
        .bind(new.auth.as_slice())
        .bind(new.min_priority);
        session.run(insertion).await?;
    }
    session.commit().await?;
    Ok(is_there)
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
