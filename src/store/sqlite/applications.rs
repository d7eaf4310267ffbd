//! Applications.

use futures_util::TryStreamExt as _;
use sqlx::Executor as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::deletions::Deletion;
use super::{row, slice, time};
use crate::model::{Application, ApplicationId, Timestamp, UserId};
use crate::store::{NewApplication, Owned, Slice, UpdateApplication, sort_key};

macro_rules! columns {
    () => {
        "id, user_id, token, name, description, internal, image, default_priority, created_at, last_used, \
         sort_key"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM applications ", $rest)
    };
}

/// `None` if there is no such owner.
pub(super) async fn create(
    connection: &mut SqliteConnection,
    new: NewApplication,
) -> Result<Option<Application>, sqlx::Error> {
    // Nobody else writes before the insertion: this is the one connection that does.
    let sort_key = match new.sort_key {
        Some(key) => key,
        None => next_sort_key(connection, new.user_id).await?,
    };
    let done = sqlx::query(
        "INSERT INTO applications \
         (token, user_id, name, description, internal, image, default_priority, created_at, sort_key) \
         SELECT ?, id, ?, ?, 0, '', ?, ?, ? FROM users WHERE id = ?",
    )
    .bind(new.token.as_str())
    .bind(new.name.as_str())
    .bind(new.description.as_str())
    .bind(new.default_priority)
    .bind(time::to_text(new.created_at))
    .bind(sort_key.as_str())
    .bind(row::id(new.user_id.0))
    .execute(connection)
    .await?;
    Ok((done.rows_affected() > 0).then(|| Application {
        id: ApplicationId(done.last_insert_rowid().unsigned_abs()),
        token: new.token,
        name: new.name,
        description: new.description,
        internal: false,
        image: image_path(""),
        default_priority: new.default_priority,
        created_at: new.created_at,
        last_used: None,
        sort_key,
    }))
}

const LIST: &str = slice::list!(columns!(), "applications" "WHERE user_id = ?2", by "sort_key", texts "token" "name" "description" "image" "sort_key");

const BY_IDS: &str = slice::by_ids!(columns!(), "applications");

pub(super) async fn listed(
    connection: &mut SqliteConnection,
    user: UserId,
    max_bytes: usize,
) -> Result<Slice<Application, ApplicationId>, sqlx::Error> {
    let found = sqlx::query(LIST).bind(slice::small(max_bytes)).bind(row::id(user.0)).fetch(connection);
    slice::read(found, max_bytes, [11, 12], (ApplicationId, application)).await
}

pub(super) async fn by_ids(
    connection: &mut SqliteConnection,
    ids: &[ApplicationId],
) -> Result<Vec<Application>, sqlx::Error> {
    let ids = row::id_list(ids.iter().map(|id| id.0));
    sqlx::query(BY_IDS)
        .bind(ids)
        .fetch(connection)
        .and_then(async |found| application(&found))
        .try_collect()
        .await
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: ApplicationId,
) -> Result<Option<Owned<Application>>, sqlx::Error> {
    let found = sqlx::query(select!("WHERE id = ?")).bind(row::id(id.0)).fetch_optional(connection).await?;
    found.as_ref().map(owned).transpose()
}

pub(super) async fn by_token(
    connection: &mut SqliteConnection,
    token: &str,
) -> Result<Option<Owned<Application>>, sqlx::Error> {
    let found = sqlx::query(select!("WHERE token = ?")).bind(token).fetch_optional(connection).await?;
    found.as_ref().map(owned).transpose()
}

pub(super) async fn update(
    connection: &mut SqliteConnection,
    id: ApplicationId,
    change: UpdateApplication,
) -> Result<Option<Application>, sqlx::Error> {
    // All rows are fetched, though there is one at most: only then the statement runs to its commit.
    let changed = sqlx::query(concat!(
        "UPDATE applications SET name = ?, description = ?, default_priority = ?, \
         sort_key = coalesce(?, sort_key) WHERE id = ? RETURNING ",
        columns!()
    ))
    .bind(change.name)
    .bind(change.description)
    .bind(change.default_priority)
    .bind(change.sort_key)
    .bind(row::id(id.0))
    .fetch_all(connection)
    .await?;
    changed.first().map(application).transpose()
}

/// Returns the token that was replaced.
pub(super) async fn replace_token(
    connection: &mut SqliteConnection,
    id: ApplicationId,
    token: &str,
) -> Result<Option<String>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let replaced = sqlx::query("SELECT token FROM applications WHERE id = ?")
        .bind(row::id(id.0))
        .fetch_optional(&mut *connection)
        .await?;
    sqlx::query("UPDATE applications SET token = ? WHERE id = ?")
        .bind(token)
        .bind(row::id(id.0))
        .execute(&mut *connection)
        .await?;
    connection.execute("COMMIT").await?;
    replaced.map(|replaced| row::text(&replaced, 0)).transpose()
}

pub(super) async fn set_image(
    connection: &mut SqliteConnection,
    id: ApplicationId,
    file: &str,
) -> Result<Option<(Application, String)>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let before = sqlx::query("SELECT image FROM applications WHERE id = ?")
        .bind(row::id(id.0))
        .fetch_optional(&mut *connection)
        .await?;
    let changed =
        sqlx::query(concat!("UPDATE applications SET image = ? WHERE id = ? RETURNING ", columns!()))
            .bind(file)
            .bind(row::id(id.0))
            .fetch_all(&mut *connection)
            .await?;
    connection.execute("COMMIT").await?;
    let (Some(before), Some(changed)) = (before, changed.first()) else {
        return Ok(None);
    };
    Ok(Some((application(changed)?, row::text(&before, 0)?)))
}

/// Deletes an application with the first slice of its messages, see [`super::deletions`].
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: ApplicationId,
) -> Result<Option<Application>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    Deletion::whole([id]).slice(connection).await?;
    let deleted = sqlx::query(concat!("DELETE FROM applications WHERE id = ? RETURNING ", columns!()))
        .bind(row::id(id.0))
        .fetch_all(&mut *connection)
        .await?;
    connection.execute("COMMIT").await?;
    deleted.first().map(application).transpose()
}

/// Returns the ids of a user's applications.
pub(super) async fn ids_of_user(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<Vec<ApplicationId>, sqlx::Error> {
    let found = sqlx::query("SELECT id FROM applications WHERE user_id = ?")
        .bind(row::id(user.0))
        .fetch_all(connection)
        .await?;
    found.iter().map(|found| row::unsigned(found, 0).map(ApplicationId)).collect()
}

pub(super) async fn touch(
    connection: &mut SqliteConnection,
    ids: &[ApplicationId],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE applications SET last_used = ? WHERE id IN (SELECT value FROM json_each(?))")
        .bind(time::to_text(at))
        .bind(row::id_list(ids.iter().map(|id| id.0)))
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns a sort key above all that the user's applications have.
pub(super) async fn next_sort_key(
    connection: &mut SqliteConnection,
    user: UserId,
) -> Result<String, sqlx::Error> {
    let last =
        sqlx::query("SELECT sort_key FROM applications WHERE user_id = ? ORDER BY sort_key DESC LIMIT 1")
            .bind(row::id(user.0))
            .fetch_optional(connection)
            .await?;
    let last = last.map(|found| row::text(&found, 0)).transpose()?;
    Ok(sort_key::after(last.as_deref()))
}

fn owned(found: &SqliteRow) -> Result<Owned<Application>, sqlx::Error> {
    Ok(Owned { user_id: UserId(row::unsigned(found, 1)?), row: application(found)? })
}

fn application(found: &SqliteRow) -> Result<Application, sqlx::Error> {
    Ok(Application {
        id: ApplicationId(row::unsigned(found, 0)?),
        token: row::text(found, 2)?,
        name: row::text(found, 3)?,
        description: row::text(found, 4)?,
        internal: row::flag(found, 5)?,
        image: image_path(&row::text(found, 6)?),
        default_priority: row::integer(found, 7)?,
        created_at: row::set_time(found, 8)?,
        last_used: row::time(found, 9)?,
        sort_key: row::text(found, 10)?,
    })
}

/// The column holds a file's name, or nothing; the model the path below the server's base URL.
fn image_path(file: &str) -> String {
    if file.is_empty() { "static/defaultapp.png".to_owned() } else { format!("image/{file}") }
}
