//! Clients.

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{row, time};
use crate::model::{Client, ClientId, Timestamp, UserId};
use crate::store::{NewClient, Owned};

macro_rules! columns {
    () => {
        "id, user_id, token, name, created_at, last_used"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM clients ", $rest)
    };
}

pub(super) async fn create(connection: &mut SqliteConnection, new: NewClient) -> Result<Client, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO clients (token, user_id, name, created_at, expires_after_inactivity_seconds) \
         VALUES (?, ?, ?, ?, 0)",
    )
    .bind(new.token.as_str())
    .bind(row::id(new.user_id.0))
    .bind(new.name.as_str())
    .bind(time::to_text(new.created_at))
    .execute(connection)
    .await?;
    Ok(Client {
        id: ClientId(done.last_insert_rowid().unsigned_abs()),
        token: new.token,
        name: new.name,
        created_at: Some(new.created_at),
        last_used: None,
    })
}

pub(super) async fn of_user(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<Vec<Client>, sqlx::Error> {
    let found = sqlx::query(select!("WHERE user_id = ? ORDER BY id"))
        .bind(row::id(user.0))
        .fetch_all(connection)
        .await?;
    found.iter().map(client).collect()
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: ClientId,
) -> Result<Option<Owned<Client>>, sqlx::Error> {
    let found = sqlx::query(select!("WHERE id = ?")).bind(row::id(id.0)).fetch_optional(connection).await?;
    found.as_ref().map(owned).transpose()
}

pub(super) async fn by_token(
    connection: &mut SqliteConnection,
    token: &str,
) -> Result<Option<Owned<Client>>, sqlx::Error> {
    let found = sqlx::query(select!("WHERE token = ?")).bind(token).fetch_optional(connection).await?;
    found.as_ref().map(owned).transpose()
}

pub(super) async fn rename(
    connection: &mut SqliteConnection,
    id: ClientId,
    name: &str,
) -> Result<Option<Client>, sqlx::Error> {
    // All rows are fetched, though there is one at most: only then the statement runs to its commit.
    let renamed = sqlx::query(concat!("UPDATE clients SET name = ? WHERE id = ? RETURNING ", columns!()))
        .bind(name)
        .bind(row::id(id.0))
        .fetch_all(connection)
        .await?;
    renamed.first().map(client).transpose()
}

pub(super) async fn delete(connection: &mut SqliteConnection, id: ClientId) -> Result<bool, sqlx::Error> {
    let done =
        sqlx::query("DELETE FROM clients WHERE id = ?").bind(row::id(id.0)).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn touch(
    connection: &mut SqliteConnection,
    ids: &[ClientId],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE clients SET last_used = ? WHERE id IN (SELECT value FROM json_each(?))")
        .bind(time::to_text(at))
        .bind(row::id_list(ids.iter().map(|id| id.0)))
        .execute(connection)
        .await?;
    Ok(())
}

fn owned(found: &SqliteRow) -> Result<Owned<Client>, sqlx::Error> {
    Ok(Owned { user_id: UserId(row::unsigned(found, 1)?), row: client(found)? })
}

fn client(found: &SqliteRow) -> Result<Client, sqlx::Error> {
    Ok(Client {
        id: ClientId(row::unsigned(found, 0)?),
        token: row::text(found, 2)?,
        name: row::text(found, 3)?,
        created_at: row::time(found, 4)?,
        last_used: row::time(found, 5)?,
    })
}
