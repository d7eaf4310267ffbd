//! Users.

use std::collections::{BTreeSet, HashSet};

use super::deletions::Deletion;
use super::{
    Dialect, Query, Row, Session, Value, applications, heads, pictures, query, revocation_log, slice,
};
use crate::model::{User, UserId};
use crate::store::{Credential, DeletedUser, NewUser, Revocation, Slice, UpdateUser, UserChange};

/// What a user owns besides messages, in the order in which it is deleted.
const DELETIONS: [&str; 5] = [
    "DELETE FROM applications WHERE user_id = ?",
    "DELETE FROM shardcast_push WHERE id IN (SELECT id FROM clients WHERE user_id = ?)",
    "DELETE FROM clients WHERE user_id = ?",
    "DELETE FROM plugin_confs WHERE user_id = ?",
    "DELETE FROM users WHERE id = ?",
];

pub(crate) async fn count<D: Dialect>(session: &mut Session<'_, D>) -> Result<u64, sqlx::Error> {
    session.one(query("SELECT count(*) FROM users")).await?.unsigned(0)
}

pub(crate) async fn create<D: Dialect>(
    session: &mut Session<'_, D>,
    user: NewUser,
) -> Result<User, sqlx::Error> {
    session.begin().await?;
    let user = create_within(session, user).await?;
    session.commit().await?;
    Ok(user)
}

/// Makes a user if there is none. Whoever else tries waits for the lock, and finds the user then.
pub(crate) async fn create_first<D: Dialect>(
    session: &mut Session<'_, D>,
    user: NewUser,
) -> Result<Option<User>, sqlx::Error> {
    session.begin().await?;
    if D::HAS_HEADS {
        // The one row that every database of these kinds has, and that nothing else locks.
        session.all(query("SELECT id FROM shardcast_state{for update}")).await?;
    }
    let made = if count(session).await? == 0 { Some(create_within(session, user).await?) } else { None };
    session.commit().await?;
    Ok(made)
}

async fn create_within<D: Dialect>(session: &mut Session<'_, D>, user: NewUser) -> Result<User, sqlx::Error> {
    let created_at = session.kept(user.created_at);
    let insertion = query("INSERT INTO users (name, pass, admin, created_at) VALUES (?, ?, ?, ?)")
        .bind(user.name.as_str())
        .bind(user.password_hash.as_bytes())
        .bind(user.admin)
        .bind(created_at);
    let id = insert_within(session, insertion).await?;
    Ok(User { id, name: user.name, admin: user.admin, created_at })
}

/// Inserts a user in a transaction that has begun, with a head where users have one, and returns its id.
pub(crate) async fn insert_within<D: Dialect>(
    session: &mut Session<'_, D>,
    insertion: Query<'_>,
) -> Result<UserId, sqlx::Error> {
    let id = UserId(session.insert(insertion).await?);
    if D::HAS_HEADS {
        heads::make(session, id).await?;
    }
    Ok(id)
}

pub(crate) async fn by_id<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
) -> Result<Option<Credential>, sqlx::Error> {
    let found =
        session.first(query("SELECT id, name, admin, created_at, pass FROM users WHERE id = ?").id(id.0));
    found.await?.as_ref().map(credential).transpose()
}

pub(crate) async fn by_name<D: Dialect>(
    session: &mut Session<'_, D>,
    name: &str,
) -> Result<Option<Credential>, sqlx::Error> {
    let of_name = query("SELECT id, name, admin, created_at, pass FROM users WHERE name = ?").bind(name);
    session.exact(of_name, name, 1).await?.as_ref().map(credential).transpose()
}

const LIST: &str = slice::list!("id, name, admin, created_at", "users" "", by "id", texts "name");

pub(crate) async fn listed<D: Dialect>(
    session: &mut Session<'_, D>,
    max_bytes: usize,
) -> Result<Slice<User, UserId>, sqlx::Error> {
    let list = query(LIST).bind(slice::small(max_bytes));
    slice::read(session, list, max_bytes, [4, 5], (UserId, user)).await
}

pub(crate) async fn by_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[UserId],
) -> Result<Vec<User>, sqlx::Error> {
    let which = "SELECT id, name, admin, created_at FROM users WHERE id {in}";
    slice::by_ids(session, which, ids.iter().map(|id| id.0), user).await
}

pub(crate) async fn update<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
    change: UpdateUser,
) -> Result<UserChange<User>, sqlx::Error> {
    session.begin().await?;
    let outcome = if let Some(refusal) = refusal(session, id, change.admin).await? {
        refusal
    } else {
        session
            .run(
                query("UPDATE users SET name = ?, admin = ?, pass = coalesce(?, pass) WHERE id = ?")
                    .bind(change.name.as_str())
                    .bind(change.admin)
                    .bind(change.password_hash.as_deref().map(str::as_bytes))
                    .id(id.0),
            )
            .await?;
        let changed =
            session.one(query("SELECT id, name, admin, created_at FROM users WHERE id = ?").id(id.0)).await?;
        revocation_log::write(session, &[Revocation::UserChanged { user_id: id }]).await?;
        UserChange::Made(user(&changed)?)
    };
    session.commit().await?;
    Ok(outcome)
}

/// Deletes a user with all that it owns, but for messages beyond the first slice, see [`super::deletions`].
pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
) -> Result<UserChange<DeletedUser>, sqlx::Error> {
    session.begin().await?;
    heads::lock(session, &[id]).await?;
    let outcome = if let Some(refusal) = refusal(session, id, false).await? {
        refusal
    } else {
        let owned = owned_by(session, id).await?;
        let applications = applications::ids_of_user(session, id).await?;
        for deletion in DELETIONS {
            session.run(query(deletion).id(id.0)).await?;
        }
        let images: Vec<_> = owned.image_files.iter().map(String::as_str).collect();
        pictures::delete(session, &images).await?;
        Deletion::whole(applications).slice(session).await?;
        heads::delete(session, id).await?;
        let revocation = Revocation::UserDeleted {
            user_id: id,
            client_tokens: owned.client_tokens.clone(),
            application_tokens: owned.application_tokens.clone(),
        };
        revocation_log::write(session, &[revocation]).await?;
        UserChange::Made(owned)
    };
    session.commit().await?;
    Ok(outcome)
}

/// Returns why a user can't be changed or deleted, if so. To be asked within the transaction of the change: between
/// two, another one could take the other administrator. All administrators are locked, for the same reason.
async fn refusal<T, D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
    stays_admin: bool,
) -> Result<Option<UserChange<T>>, sqlx::Error> {
    let found = session
        .all(query("SELECT id, admin FROM users WHERE admin OR id = ? ORDER BY id{for update}").id(id.0))
        .await?;
    let mut others = false;
    let mut is_admin = None;
    for row in &found {
        if row.unsigned(0)? == id.0 {
            is_admin = Some(row.flag(1)?);
        } else {
            others = true;
        }
    }
    Ok(match is_admin {
        None => Some(UserChange::NoSuchUser),
        Some(true) if !others && !stays_admin => Some(UserChange::LastAdmin),
        Some(_) => None,
    })
}

async fn owned_by<D: Dialect>(session: &mut Session<'_, D>, id: UserId) -> Result<DeletedUser, sqlx::Error> {
    let mut owned = DeletedUser::default();
    let applications = query("SELECT token, image FROM applications WHERE user_id = ?").id(id.0);
    for application in session.all(applications).await? {
        owned.application_tokens.push(application.text(0)?);
        owned.image_files.extend(application.optional_text(1)?.filter(|file| !file.is_empty()));
    }
    // Whoever saves a push subscription locks the client before the subscription, too.
    let clients = query("SELECT token FROM clients WHERE user_id = ? ORDER BY id{for update}").id(id.0);
    for client in session.all(clients).await? {
        owned.client_tokens.push(client.text(0)?);
    }
    Ok(owned)
}

/// Returns some users with ids above this one, in the order of ids.
pub(crate) async fn ids_after<D: Dialect>(
    session: &mut Session<'_, D>,
    after: UserId,
) -> Result<Vec<UserId>, sqlx::Error> {
    let found =
        session.all(query("SELECT id FROM users WHERE id > ? ORDER BY id LIMIT 1000").id(after.0)).await?;
    found.iter().map(|row| row.unsigned(0).map(UserId)).collect()
}

/// Locks a user until the transaction ends; false if there is none.
pub(crate) async fn lock<D: Dialect>(session: &mut Session<'_, D>, id: UserId) -> Result<bool, sqlx::Error> {
    let found = session.first(query("SELECT id FROM users WHERE id = ?{for update}").id(id.0)).await?;
    Ok(found.is_some())
}

/// Locks users until the transaction ends, in the order of ids so that nobody waits in a circle, and returns those
/// that are there.
pub(crate) async fn lock_all<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: BTreeSet<u64>,
) -> Result<HashSet<UserId>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let found = query("SELECT id FROM users WHERE id {in} ORDER BY id{for update}");
    let found = session.all(found.bind(Value::Ids(ids.into_iter().collect()))).await?;
    found.iter().map(|row| row.unsigned(0).map(UserId)).collect()
}

pub(crate) async fn set_password_hash<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
    hash: &str,
) -> Result<bool, sqlx::Error> {
    session.begin().await?;
    let is_there = lock(session, id).await?;
    if is_there {
        let change = query("UPDATE users SET pass = ? WHERE id = ?").bind(hash.as_bytes()).id(id.0);
        session.run(change).await?;
        revocation_log::write(session, &[Revocation::UserChanged { user_id: id }]).await?;
    }
    session.commit().await?;
    Ok(is_there)
}

/// Also where Gotify or a person has written the hash as text.
pub(crate) async fn replace_password_hash<D: Dialect>(
    session: &mut Session<'_, D>,
    id: UserId,
    old: &str,
    new: &str,
) -> Result<bool, sqlx::Error> {
    session.begin().await?;
    let found = session.first(query("SELECT pass FROM users WHERE id = ?{for update}").id(id.0)).await?;
    let is_old = match &found {
        Some(found) => found.bytes(0)? == Some(old.as_bytes()),
        None => false,
    };
    if is_old {
        let change = query("UPDATE users SET pass = ? WHERE id = ?").bind(new.as_bytes()).id(id.0);
        session.run(change).await?;
    }
    session.commit().await?;
    Ok(is_old)
}

pub(crate) async fn highest_password_cost<D: Dialect>(
    session: &mut Session<'_, D>,
) -> Result<Option<u32>, sqlx::Error> {
    // Such as `$2a$10$`.
    let found = session.all(query("SELECT DISTINCT substr(pass, 1, 7) FROM users")).await?;
    let mut highest = None;
    for row in &found {
        highest = highest.max(row.bytes(0)?.and_then(cost_of));
    }
    Ok(highest)
}

/// Reads the cost at the beginning of a bcrypt hash.
fn cost_of(hash: &[u8]) -> Option<u32> {
    let &[b'$', b'2', _, b'$', tens, units, b'$'] = hash else { return None };
    std::str::from_utf8(&[tens, units]).ok()?.parse().ok()
}

pub(crate) fn user<D: Dialect>(found: &Row<'_, D>) -> Result<User, sqlx::Error> {
    Ok(User {
        id: UserId(found.unsigned(0)?),
        name: found.text(1)?,
        admin: found.flag(2)?,
        created_at: found.set_time(3)?,
    })
}

fn credential<D: Dialect>(found: &Row<'_, D>) -> Result<Credential, sqlx::Error> {
    Ok(Credential {
        user: user(found)?,
        // A user who only logs in elsewhere has no hash, or an empty one.
        password_hash: found.optional_text(4)?.filter(|hash| !hash.is_empty()),
    })
}
