//! Users.

use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{row, time};
use crate::model::{User, UserId};
use crate::store::{Credential, NewUser};

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
    let found = sqlx::query("SELECT id, name, admin, pass, created_at FROM users WHERE id = ?")
        .bind(row::id(id.0))
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(credential).transpose()
}

pub(super) async fn by_name(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Credential>, sqlx::Error> {
    let found = sqlx::query("SELECT id, name, admin, pass, created_at FROM users WHERE name = ?")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(credential).transpose()
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

fn credential(found: &SqliteRow) -> Result<Credential, sqlx::Error> {
    Ok(Credential {
        user: User {
            id: UserId(row::unsigned(found, 0)?),
            name: row::text(found, 1)?,
            admin: row::flag(found, 2)?,
            created_at: row::set_time(found, 4)?,
        },
        // A user who only logs in elsewhere has no hash, or an empty one.
        password_hash: row::optional_text(found, 3)?.filter(|hash| !hash.is_empty()),
    })
}
