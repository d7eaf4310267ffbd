//! Users as an identity provider knows them.

use sqlx::sqlite::SqliteConnection;

use super::{row, time, users};
use crate::model::{User, UserId};
use crate::store::NewLinkedUser;

pub(super) async fn user(
    connection: &mut SqliteConnection,
    oidc_id: &str,
) -> Result<Option<User>, sqlx::Error> {
    let found = sqlx::query("SELECT id, name, admin, created_at FROM users WHERE oidc_id = ?")
        .bind(oidc_id)
        .fetch_optional(connection)
        .await?;
    found.as_ref().map(users::user).transpose()
}

pub(super) async fn create(
    connection: &mut SqliteConnection,
    user: NewLinkedUser,
) -> Result<User, sqlx::Error> {
    let done = sqlx::query("INSERT INTO users (name, admin, created_at, oidc_id) VALUES (?, ?, ?, ?)")
        .bind(user.name.clone())
        .bind(false)
        .bind(time::to_text(user.created_at))
        .bind(user.oidc_id)
        .execute(connection)
        .await?;
    Ok(User {
        id: UserId(done.last_insert_rowid().unsigned_abs()),
        name: user.name,
        admin: false,
        created_at: user.created_at,
    })
}

pub(super) async fn link(
    connection: &mut SqliteConnection,
    id: UserId,
    oidc_id: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("UPDATE users SET oidc_id = ? WHERE id = ? AND coalesce(oidc_id, '') = ''")
        .bind(oidc_id)
        .bind(row::id(id.0))
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}
