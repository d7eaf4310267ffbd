//! Applications.

use super::query::LIST_VALUES;
use super::{Dialect, Row, Session, Value, pictures, query, revocation_log, slice};
use crate::model::{Application, ApplicationId, Timestamp, UserId};
use crate::store::{Owned, Revocation, Slice, UpdateApplication, sort_key};

macro_rules! columns {
    () => {
        "id, user_id, token, name, description, internal, image, default_priority, created_at, last_used, \
         sort_key"
    };
}

pub(super) use columns;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM applications ", $rest)
    };
}

const LIST: &str = slice::list!(columns!(), "applications" "WHERE user_id = ?", by "sort_key", texts "token" "name" "description" "image" "sort_key");

pub(crate) async fn listed<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    max_bytes: usize,
) -> Result<Slice<Application, ApplicationId>, sqlx::Error> {
    let list = query(LIST).id(user.0).bind(slice::small(max_bytes));
    slice::read(session, list, max_bytes, [11, 12], (ApplicationId, application)).await
}

pub(crate) async fn by_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[ApplicationId],
) -> Result<Vec<Application>, sqlx::Error> {
    slice::by_ids(session, select!("WHERE id {in}"), ids.iter().map(|id| id.0), application).await
}

pub(crate) async fn by_id<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
) -> Result<Option<Owned<Application>>, sqlx::Error> {
    session.first(query(select!("WHERE id = ?")).id(id.0)).await?.as_ref().map(owned).transpose()
}

pub(crate) async fn by_token<D: Dialect>(
    session: &mut Session<'_, D>,
    token: &str,
) -> Result<Option<Owned<Application>>, sqlx::Error> {
    let of_token = query(select!("WHERE token = ?")).bind(token);
    session.exact(of_token, token, 2).await?.as_ref().map(owned).transpose()
}

pub(crate) async fn update<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
    change: UpdateApplication,
) -> Result<Option<Application>, sqlx::Error> {
    session.begin().await?;
    let Some(mut changed) = lock(session, id).await? else {
        session.commit().await?;
        return Ok(None);
    };
    changed.name = change.name;
    changed.description = change.description;
    changed.default_priority = change.default_priority;
    if let Some(key) = change.sort_key {
        changed.sort_key = key;
    }
    let update = query(
        "UPDATE applications SET name = ?, description = ?, default_priority = ?, sort_key = ? WHERE id = ?",
    )
    .bind(changed.name.as_str())
    .bind(changed.description.as_str())
    .bind(changed.default_priority)
    .bind(Value::SortKey(&changed.sort_key))
    .id(id.0);
    session.run(update).await?;
    let revocation = Revocation::ApplicationChanged { token: changed.token.clone() };
    revocation_log::write(session, &[revocation]).await?;
    session.commit().await?;
    Ok(Some(changed))
}

/// Returns the token that was replaced.
pub(crate) async fn replace_token<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
    token: &str,
) -> Result<Option<String>, sqlx::Error> {
    session.begin().await?;
    let replaced = lock(session, id).await?.map(|application| application.token);
    if let Some(replaced) = &replaced {
        session.run(query("UPDATE applications SET token = ? WHERE id = ?").bind(token).id(id.0)).await?;
        let revocation = Revocation::ApplicationToken { token: replaced.clone() };
        revocation_log::write(session, &[revocation]).await?;
    }
    session.commit().await?;
    Ok(replaced)
}

pub(crate) async fn set_image<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
    file: &str,
) -> Result<Option<(Application, String)>, sqlx::Error> {
    session.begin().await?;
    let before =
        session.first(query("SELECT image FROM applications WHERE id = ?{for update}").id(id.0)).await?;
    session.run(query("UPDATE applications SET image = ? WHERE id = ?").bind(file).id(id.0)).await?;
    let changed = session.first(query(select!("WHERE id = ?")).id(id.0)).await?;
    let before = before.map(|before| before.text(0)).transpose()?;
    if let Some(before) = before.as_deref().filter(|before| !before.is_empty() && *before != file) {
        pictures::delete(session, &[before]).await?;
    }
    session.commit().await?;
    let (Some(before), Some(changed)) = (before, changed) else {
        return Ok(None);
    };
    Ok(Some((application(&changed)?, before)))
}

/// Locks an application until the transaction ends.
async fn lock<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
) -> Result<Option<Application>, sqlx::Error> {
    let found = session.first(query(select!("WHERE id = ?{for update}")).id(id.0)).await?;
    found.as_ref().map(application).transpose()
}

/// Returns the ids of a user's applications.
pub(crate) async fn ids_of_user<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<Vec<ApplicationId>, sqlx::Error> {
    let found = session.all(query("SELECT id FROM applications WHERE user_id = ?").id(user.0)).await?;
    found.iter().map(|found| found.unsigned(0).map(ApplicationId)).collect()
}

pub(crate) async fn touch<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[ApplicationId],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    session.begin().await?;
    for some in ids.chunks(LIST_VALUES) {
        let some = Value::Ids(some.iter().map(|id| id.0).collect());
        if D::HAS_HEADS {
            // In the order of ids, so that nobody waits in a circle.
            let lock = query("SELECT id FROM applications WHERE id {in} ORDER BY id{for update}");
            session.all(lock.bind(some.clone())).await?;
        }
        let touch = query("UPDATE applications SET last_used = ? WHERE id {in}").bind(at).bind(some);
        session.run(touch).await?;
    }
    session.commit().await
}

/// Returns a sort key above all that the user's applications have.
pub(crate) async fn next_sort_key<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<String, sqlx::Error> {
    // PostgreSQL takes NULL, which a Gotify 2.7 leaves, for the highest of all.
    let last = query(
        "SELECT sort_key FROM applications WHERE user_id = ? AND sort_key IS NOT NULL ORDER BY sort_key DESC LIMIT 1",
    );
    let last = session.first(last.id(user.0)).await?.map(|found| found.text(0)).transpose()?;
    Ok(sort_key::after(last.as_deref()))
}

fn owned<D: Dialect>(found: &Row<'_, D>) -> Result<Owned<Application>, sqlx::Error> {
    Ok(Owned { user_id: UserId(found.unsigned(1)?), row: application(found)? })
}

pub(super) fn application<D: Dialect>(found: &Row<'_, D>) -> Result<Application, sqlx::Error> {
    Ok(Application {
        id: ApplicationId(found.unsigned(0)?),
        token: found.text(2)?,
        name: found.text(3)?,
        description: found.text(4)?,
        internal: found.flag(5)?,
        image: image_path(&found.text(6)?),
        default_priority: found.integer(7)?,
        created_at: found.set_time(8)?,
        last_used: found.time(9)?,
        sort_key: found.text(10)?,
    })
}

/// The column holds a file's name, or nothing; the model the path below the server's base URL.
pub(super) fn image_path(file: &str) -> String {
    if file.is_empty() { "static/defaultapp.png".to_owned() } else { format!("image/{file}") }
}
