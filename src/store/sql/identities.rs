//! Users as an identity provider knows them.

use super::{Dialect, Session, query, users};
use crate::model::{User, UserId};
use crate::store::NewLinkedUser;

pub(crate) async fn user<D: Dialect>(
    session: &mut Session<'_, D>,
    oidc_id: &str,
) -> Result<Option<User>, sqlx::Error> {
    let of_identity = query("SELECT id, name, admin, created_at, oidc_id FROM users WHERE oidc_id = ?");
    session.exact(of_identity.bind(oidc_id), oidc_id, 4).await?.as_ref().map(users::user).transpose()
}

pub(crate) async fn create<D: Dialect>(
    session: &mut Session<'_, D>,
    user: NewLinkedUser,
) -> Result<User, sqlx::Error> {
    let created_at = session.kept(user.created_at);
    let insertion = query("INSERT INTO users (name, admin, created_at, oidc_id) VALUES (?, ?, ?, ?)")
        .bind(user.name.as_str())
        .bind(false)
        .bind(created_at)
        .bind(user.oidc_id.as_str());
    session.begin().await?;
    let id = users::insert_within(session, insertion).await?;
    session.commit().await?;
    Ok(User { id, name: user.name, admin: false, created_at })
}

pub(crate) async fn link<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
    oidc_id: &str,
) -> Result<bool, sqlx::Error> {
    let link = query("UPDATE users SET oidc_id = ? WHERE id = ? AND coalesce(oidc_id, '') = ''");
    Ok(session.run(link.bind(oidc_id).id(id.0)).await? > 0)
}
