//! Clients.

use futures_util::TryStreamExt as _;
use sqlx::Executor as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _};

use super::{row, slice, time};
use crate::model::{Client, ClientId, Timestamp, UserId};
use crate::store::{NewClient, Owned, Slice, UpdateClient};

macro_rules! columns {
    () => {
        "id, user_id, token, name, created_at, last_used, elevated_until, \
         expires_after_inactivity_seconds, expires_at"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM clients ", $rest)
    };
}

/// `None` if there is no such owner.
pub(super) async fn create(
    connection: &mut SqliteConnection,
    new: NewClient,
) -> Result<Option<Client>, sqlx::Error> {
    let expires_at = Client::expiry(new.created_at, new.expires_after_inactivity_seconds);
    let done = sqlx::query(
        "INSERT INTO clients (token, user_id, name, created_at, elevated_until, \
         expires_after_inactivity_seconds, expires_at) SELECT ?, id, ?, ?, ?, ?, ? FROM users WHERE id = ?",
    )
    .bind(new.token.as_str())
    .bind(new.name.as_str())
    .bind(time::to_text(new.created_at))
    .bind(new.elevated_until.map(time::to_text))
    .bind(row::id(new.expires_after_inactivity_seconds))
    .bind(expires_at.map(time::to_text))
    .bind(row::id(new.user_id.0))
    .execute(connection)
    .await?;
    Ok((done.rows_affected() > 0).then(|| Client {
        id: ClientId(done.last_insert_rowid().unsigned_abs()),
        token: new.token,
        name: new.name,
        created_at: new.created_at,
        last_used: None,
        elevated_until: new.elevated_until,
        expires_after_inactivity_seconds: new.expires_after_inactivity_seconds,
        expires_at,
    }))
}

const LIST: &str = slice::list!(columns!(), "clients" "WHERE user_id = ?2", by "id", texts "token" "name");

const BY_IDS: &str = slice::by_ids!(columns!(), "clients");

pub(super) async fn listed(
    connection: &mut SqliteConnection,
    user: UserId,
    max_bytes: usize,
) -> Result<Slice<Client, ClientId>, sqlx::Error> {
    let found = sqlx::query(LIST).bind(slice::small(max_bytes)).bind(row::id(user.0)).fetch(connection);
    slice::read(found, max_bytes, [9, 10], (ClientId, client)).await
}

pub(super) async fn by_ids(
    connection: &mut SqliteConnection,
    ids: &[ClientId],
) -> Result<Vec<Client>, sqlx::Error> {
    let ids = row::id_list(ids.iter().map(|id| id.0));
    sqlx::query(BY_IDS).bind(ids).fetch(connection).and_then(async |found| client(&found)).try_collect().await
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

pub(super) async fn update(
    connection: &mut SqliteConnection,
    id: ClientId,
    change: UpdateClient,
    now: Timestamp,
) -> Result<Option<Client>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let found =
        sqlx::query(select!("WHERE id = ?")).bind(row::id(id.0)).fetch_optional(&mut *connection).await?;
    let found = found.as_ref().map(client).transpose()?;
    let Some(mut changed) = found.filter(|client| !client.has_expired(now)) else {
        connection.execute("COMMIT").await?;
        return Ok(None);
    };
    changed.name = change.name;
    if let Some(seconds) = change.expires_after_inactivity_seconds {
        changed.expires_after_inactivity_seconds = seconds;
    }
    changed.expires_at = Client::expiry(
        changed.last_used.unwrap_or(changed.created_at),
        changed.expires_after_inactivity_seconds,
    );
    sqlx::query(
        "UPDATE clients SET name = ?, expires_after_inactivity_seconds = ?, expires_at = ? WHERE id = ?",
    )
    .bind(changed.name.as_str())
    .bind(row::id(changed.expires_after_inactivity_seconds))
    .bind(changed.expires_at.map(time::to_text))
    .bind(row::id(id.0))
    .execute(&mut *connection)
    .await?;
    connection.execute("COMMIT").await?;
    Ok(Some(changed))
}

pub(super) async fn elevate(
    connection: &mut SqliteConnection,
    id: ClientId,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Client>, sqlx::Error> {
    let changed = sqlx::query(concat!(
        "UPDATE clients SET elevated_until = ? \
         WHERE id = ? AND (expires_at IS NULL OR unixepoch(expires_at, 'subsec') > ?) RETURNING ",
        columns!()
    ))
    .bind(time::to_text(until))
    .bind(row::id(id.0))
    .bind(time::to_unix(now))
    .fetch_all(connection)
    .await?;
    changed.first().map(client).transpose()
}

pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: ClientId,
) -> Result<Option<Client>, sqlx::Error> {
    let deleted = sqlx::query(concat!("DELETE FROM clients WHERE id = ? RETURNING ", columns!()))
        .bind(row::id(id.0))
        .fetch_all(connection)
        .await?;
    deleted.first().map(client).transpose()
}

/// Clients of these ids were used.
pub(super) async fn touch(
    connection: &mut SqliteConnection,
    ids: &[ClientId],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    touch_where(connection, "id", &row::id_list(ids.iter().map(|id| id.0)), at).await?;
    connection.execute("COMMIT").await?;
    Ok(())
}

/// Clients with these tokens were used. Returns the tokens that no client has.
pub(super) async fn touch_tokens(
    connection: &mut SqliteConnection,
    tokens: &[Box<str>],
    at: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    let tokens = serde_json::to_string(tokens).map_err(|error| sqlx::Error::Encode(error.into()))?;
    connection.execute("BEGIN IMMEDIATE").await?;
    touch_where(connection, "token", &tokens, at).await?;
    let unknown = sqlx::query(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM clients WHERE token = value)",
    )
    .bind(tokens.as_str())
    .fetch_all(&mut *connection)
    .await?;
    connection.execute("COMMIT").await?;
    unknown.iter().map(|found| row::text(found, 0)).collect()
}

/// Notes a use of the clients whose `column` is in a JSON array, and puts their expiry off; one that has expired
/// is not brought back. To be called within a transaction.
async fn touch_where(
    connection: &mut SqliteConnection,
    column: &str,
    values: &str,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let which = format!(
        "{column} IN (SELECT value FROM json_each(?)) \
         AND (expires_at IS NULL OR unixepoch(expires_at, 'subsec') > ?)"
    );
    let now = time::to_unix(at);
    let periods = format!(
        "SELECT DISTINCT expires_after_inactivity_seconds FROM clients WHERE {which} \
         AND expires_after_inactivity_seconds > 0"
    );
    let periods =
        sqlx::query(AssertSqlSafe(periods)).bind(values).bind(now).fetch_all(&mut *connection).await?;
    let touch = format!("UPDATE clients SET last_used = ? WHERE {which}");
    sqlx::query(AssertSqlSafe(touch))
        .bind(time::to_text(at))
        .bind(values)
        .bind(now)
        .execute(&mut *connection)
        .await?;
    for found in periods {
        let period = row::unsigned(&found, 0)?;
        let put_off = format!(
            "UPDATE clients SET expires_at = ? WHERE expires_after_inactivity_seconds = ? AND {which}"
        );
        sqlx::query(AssertSqlSafe(put_off))
            .bind(Client::expiry(at, period).map(time::to_text))
            .bind(row::id(period))
            .bind(values)
            .bind(now)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Returns when the next client expires, in Unix seconds.
pub(super) async fn next_expiry(connection: &mut SqliteConnection) -> Result<Option<Timestamp>, sqlx::Error> {
    let found =
        sqlx::query("SELECT min(unixepoch(expires_at, 'subsec')) FROM clients WHERE expires_at IS NOT NULL")
            .fetch_one(connection)
            .await?;
    Ok(found.try_get::<Option<f64>, _>(0)?.and_then(time::from_unix))
}

/// Deletes the clients that have expired; returns their tokens.
pub(super) async fn delete_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Vec<Owned<String>>, sqlx::Error> {
    // All rows are fetched: only then the statement runs to its commit.
    let deleted = sqlx::query(
        "DELETE FROM clients WHERE expires_at IS NOT NULL AND unixepoch(expires_at, 'subsec') <= ? \
         RETURNING user_id, token",
    )
    .bind(time::to_unix(now))
    .fetch_all(connection)
    .await?;
    let token = |found: &SqliteRow| {
        Ok(Owned { user_id: UserId(row::unsigned(found, 0)?), row: row::text(found, 1)? })
    };
    deleted.iter().map(token).collect()
}

fn owned(found: &SqliteRow) -> Result<Owned<Client>, sqlx::Error> {
    Ok(Owned { user_id: UserId(row::unsigned(found, 1)?), row: client(found)? })
}

fn client(found: &SqliteRow) -> Result<Client, sqlx::Error> {
    Ok(Client {
        id: ClientId(row::unsigned(found, 0)?),
        token: row::text(found, 2)?,
        name: row::text(found, 3)?,
        created_at: row::set_time(found, 4)?,
        last_used: row::time(found, 5)?,
        elevated_until: row::time(found, 6)?,
        expires_after_inactivity_seconds: row::unsigned(found, 7)?,
        expires_at: row::time(found, 8)?,
    })
}
