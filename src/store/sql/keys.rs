//! Keys that are made up by whoever needs one first, and are the same for everybody from then on.

use super::{Dialect, Session, Value, query};

/// A key: the statements that find and insert it, and what names its row.
#[derive(Debug)]
pub(crate) struct Key {
    find: &'static str,
    insert: &'static str,
    row: Value<'static>,
}

/// The one that seals logins through an identity provider. Databases are copied without it.
pub(crate) static LOGINS: Key = Key {
    find: "SELECT content FROM shardcast_keys WHERE name = ?",
    insert: "INSERT INTO shardcast_keys (name, content) VALUES (?, ?)",
    row: Value::Text(Some("logins")),
};

/// The one that names this server to push services, in a table of its own, which is copied with the subscriptions.
pub(crate) static PUSH: Key = Key {
    find: "SELECT content FROM shardcast_push_keys WHERE id = ?",
    insert: "INSERT INTO shardcast_push_keys (id, content) VALUES (?, ?)",
    row: Value::Integer(Some(1)),
};

pub(crate) async fn find<D: Dialect>(
    session: &mut Session<'_, D>,
    key: &Key,
) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let found = session.first(query(key.find).bind(key.row.clone())).await?;
    Ok(found.as_ref().map(|row| row.bytes(0)).transpose()?.flatten().map(<[u8]>::to_vec))
}

/// Stores a key unless there is one, and returns the one that is there then.
pub(crate) async fn make<D: Dialect>(
    session: &mut Session<'_, D>,
    key: &Key,
    made_up: &[u8],
) -> Result<Vec<u8>, sqlx::Error> {
    session.insert_if_new(query(key.insert).bind(key.row.clone()).bind(made_up)).await?;
    find(session, key).await?.ok_or(sqlx::Error::RowNotFound)
}
