//! Users.

use futures_util::TryStreamExt as _;
use sqlx::Executor as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::deletions::Deletion;
use super::{applications, row, slice, time};
use crate::model::{User, UserId};
use crate::store::{Credential, DeletedUser, NewUser, Slice, UpdateUser, UserChange};

/// What a user owns besides messages, in the order in which it is deleted.
const DELETIONS: [&str; 4] = [
    "DELETE FROM applications WHERE user_id = ?",
    "DELETE FROM clients WHERE user_id = ?",
    "DELETE FROM plugin_confs WHERE user_id = ?",
    "DELETE FROM users WHERE id = ?",
];

pub(super) async fn count(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    row::unsigned(&sqlx::query("SELECT count(*) FROM users").fetch_one(connection).await?, 0)
}

pub(super) async fn create(connection: &mut SqliteConnection, user: NewUser) -> Result<User, sqlx::Error> {
    let done = sqlx::query("INSERT INTO users (name, pass, admin, created_at) VALUES (?, ?, ?, ?)")
        .bind(user.name.clone())
        .bind(user.password_hash.into_bytes())
        .bind(user.admin)
        .bind(time::to_text(user.created_at))
        .execute(connection)
        .await?;
    Ok(User {
        id: UserId(done.last_insert_rowid().unsigned_abs()),
        name: user.name,
        admin: user.admin,
        created_at: user.created_at,
    })
}

pub(super) async fn by_id(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<Option<Credential>, sqlx::Error> {
    let found = sqlx::query("SELECT id, name, admin, created_at, pass FROM users WHERE id = ?")
        .bind(row::id(id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(credential).transpose()
}

pub(super) async fn by_name(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Credential>, sqlx::Error> {
    let found = sqlx::query("SELECT id, name, admin, created_at, pass FROM users WHERE name = ?")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(credential).transpose()
}

const LIST: &str = slice::list!("id, name, admin, created_at", "users" "", by "id", texts "name");

const BY_IDS: &str = slice::by_ids!("id, name, admin, created_at", "users");

pub(super) async fn listed(
    connection: &mut SqliteConnection,
    max_bytes: usize,
) -> Result<Slice<User, UserId>, sqlx::Error> {
    let found = sqlx::query(LIST).bind(slice::small(max_bytes)).fetch(connection);
    slice::read(found, max_bytes, [4, 5], (UserId, user)).await
}

pub(super) async fn by_ids(
    connection: &mut SqliteConnection,
    ids: &[UserId],
) -> Result<Vec<User>, sqlx::Error> {
    let ids = row::id_list(ids.iter().map(|id| id.0));
    sqlx::query(BY_IDS).bind(ids).fetch(connection).and_then(async |found| user(&found)).try_collect().await
}

pub(super) async fn update(
    connection: &mut SqliteConnection,
    id: UserId,
    change: UpdateUser,
) -> Result<UserChange<User>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let outcome = if let Some(refusal) = refusal(connection, id, change.admin).await? {
        refusal
    } else {
        sqlx::query("UPDATE users SET name = ?, admin = ?, pass = coalesce(?, pass) WHERE id = ?")
            .bind(change.name)
            .bind(change.admin)
            .bind(change.password_hash.map(String::into_bytes))
            .bind(row::id(id.0))
            .execute(&mut *connection)
            .await?;
        let changed = sqlx::query("SELECT id, name, admin, created_at FROM users WHERE id = ?")
            .bind(row::id(id.0))
            .fetch_one(&mut *connection)
            .await?;
        UserChange::Made(user(&changed)?)
    };
    connection.execute("COMMIT").await?;
    Ok(outcome)
}

/// Deletes a user with all that it owns, but for messages beyond the first slice, see [`super::deletions`].
pub(super) async fn delete(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<UserChange<DeletedUser>, sqlx::Error> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let outcome = if let Some(refusal) = refusal(connection, id, false).await? {
        refusal
    } else {
        let owned = owned_by(connection, id).await?;
        let applications = applications::ids_of_user(connection, id).await?;
        Deletion::whole(applications).slice(connection).await?;
        for deletion in DELETIONS {
            sqlx::query(deletion).bind(row::id(id.0)).execute(&mut *connection).await?;
        }
        UserChange::Made(owned)
    };
    connection.execute("COMMIT").await?;
    Ok(outcome)
}

/// Returns why a user can't be changed or deleted, if so. To be asked within the transaction of the change:
/// between two, another one could take the other administrator.
async fn refusal<T>(
    connection: &mut SqliteConnection,
    id: UserId,
    stays_admin: bool,
) -> Result<Option<UserChange<T>>, sqlx::Error> {
    let found = sqlx::query(
        "SELECT admin, (SELECT count(*) FROM users others WHERE others.admin AND others.id <> users.id) \
         FROM users WHERE id = ?",
    )
    .bind(row::id(id.0))
    .fetch_optional(connection)
    .await?;
    let Some(found) = found else {
        return Ok(Some(UserChange::NoSuchUser));
    };
    let is_last_admin = row::flag(&found, 0)? && row::unsigned(&found, 1)? == 0;
    Ok((is_last_admin && !stays_admin).then_some(UserChange::LastAdmin))
}

async fn owned_by(connection: &mut SqliteConnection, id: UserId) -> Result<DeletedUser, sqlx::Error> {
    let mut owned = DeletedUser::default();
    let applications = sqlx::query("SELECT token, image FROM applications WHERE user_id = ?")
        .bind(row::id(id.0))
        .fetch_all(&mut *connection)
        .await?;
    for application in &applications {
        owned.application_tokens.push(row::text(application, 0)?);
        owned.image_files.extend(row::optional_text(application, 1)?.filter(|file| !file.is_empty()));
    }
    let clients = sqlx::query("SELECT token FROM clients WHERE user_id = ?")
        .bind(row::id(id.0))
        .fetch_all(connection)
        .await?;
    for client in &clients {
        owned.client_tokens.push(row::text(client, 0)?);
    }
    Ok(owned)
}

pub(super) async fn set_password_hash(
    connection: &mut SqliteConnection,
    id: UserId,
    hash: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE users SET pass = ? WHERE id = ?")
        .bind(hash.as_bytes())
        .bind(row::id(id.0))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) fn user(found: &SqliteRow) -> Result<User, sqlx::Error> {
    Ok(User {
        id: UserId(row::unsigned(found, 0)?),
        name: row::text(found, 1)?,
        admin: row::flag(found, 2)?,
        created_at: row::set_time(found, 3)?,
    })
}

/// Also where Gotify or a person has written the hash as text.
pub(super) async fn replace_password_hash(
    connection: &mut SqliteConnection,
    id: UserId,
    old: &str,
    new: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE users SET pass = ? WHERE id = ? AND CAST(pass AS BLOB) = ?")
        .bind(new.as_bytes())
        .bind(row::id(id.0))
        .bind(old.as_bytes())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn highest_password_cost(
    connection: &mut SqliteConnection,
) -> Result<Option<u32>, sqlx::Error> {
    let found = sqlx::query_scalar::<_, Option<i64>>(
        "SELECT max(CAST(substr(CAST(pass AS TEXT), 5, 2) AS INTEGER)) FROM users
         WHERE CAST(pass AS TEXT) LIKE '$2_$__$%'",
    )
    .fetch_one(connection)
    .await?;
    Ok(found.and_then(|cost| u32::try_from(cost).ok()))
}

fn credential(found: &SqliteRow) -> Result<Credential, sqlx::Error> {
    Ok(Credential {
        user: user(found)?,
        // A user who only logs in elsewhere has no hash, or an empty one.
        password_hash: row::optional_text(found, 4)?.filter(|hash| !hash.is_empty()),
    })
}
