//! Applications that are made and deleted, several of them in one transaction.
//!
//! Both lock a row of the user until the commit is on the disk. Changes of one user that do not share a transaction
//! wait for one sync of the disk each, one after the other.

use std::collections::{BTreeSet, HashMap};

use super::applications::{self, application, columns, image_path};
use super::deletions::Deletion;
use super::{Dialect, Session, Value, heads, pictures, query, revocation_log, users};
use crate::model::{Application, ApplicationId, UserId};
use crate::store::{NewApplication, Revocation, sort_key};

/// One application that is made or deleted.
#[derive(Debug)]
pub(crate) enum ApplicationChange {
    Create(NewApplication),
    Delete(ApplicationId),
}

impl ApplicationChange {
    /// What it is called when it fails.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Create(_) => "create an application",
            Self::Delete(_) => "delete an application",
        }
    }
}

/// Makes all changes or none. Returns for each the application that was made or deleted; `None` if there is no such
/// owner, or no such application.
///
/// What is deleted goes with the first slice of its messages, see [`super::deletions`].
pub(crate) async fn apply<D: Dialect>(
    session: &mut Session<'_, D>,
    changes: &[ApplicationChange],
) -> Result<Vec<Option<Application>>, sqlx::Error> {
    let (mut doomed, mut makers) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        match change {
            ApplicationChange::Create(new) => makers.insert(new.user_id.0),
            ApplicationChange::Delete(id) => doomed.insert(id.0),
        };
    }
    let owners = owners(session, &doomed).await?;
    if owners.is_empty() && makers.is_empty() {
        return Ok(vec![None; changes.len()]);
    }
    session.begin().await?;
    if !owners.is_empty() {
        heads::lock(session, &owners).await?;
    }
    let makers = users::lock_all(session, makers).await?;
    let mut deleted = if owners.is_empty() { HashMap::new() } else { delete(session, doomed).await? };
    let revocations = deleted
        .values()
        .map(|deleted| Revocation::ApplicationToken { token: deleted.token.clone() })
        .collect::<Vec<_>>();
    let mut last_keys = HashMap::new();
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        outcomes.push(match change {
            ApplicationChange::Delete(id) => deleted.remove(id),
            ApplicationChange::Create(new) if makers.contains(&new.user_id) => {
                Some(create(session, new, &mut last_keys).await?)
            }
            ApplicationChange::Create(_) => None,
        });
    }
    revocation_log::write(session, &revocations).await?;
    session.commit().await?;
    Ok(outcomes)
}

/// Returns who has these applications, in the order of ids.
async fn owners<D: Dialect>(
    session: &mut Session<'_, D>,
    applications: &BTreeSet<u64>,
) -> Result<Vec<UserId>, sqlx::Error> {
    if applications.is_empty() {
        return Ok(Vec::new());
    }
    let owners = query("SELECT DISTINCT user_id FROM applications WHERE id {in} ORDER BY user_id");
    let owners = session.all(owners.bind(Value::Ids(applications.iter().copied().collect()))).await?;
    owners.iter().map(|row| row.unsigned(0).map(UserId)).collect()
}

/// Deletes applications whose owners' heads are locked, and returns them.
async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    applications: BTreeSet<u64>,
) -> Result<HashMap<ApplicationId, Application>, sqlx::Error> {
    let found =
        query(concat!("SELECT ", columns!(), " FROM applications WHERE id {in} ORDER BY id{for update}"));
    let found = session.all(found.bind(Value::Ids(applications.into_iter().collect()))).await?;
    let mut deleted = HashMap::with_capacity(found.len());
    for row in &found {
        let application = application(row)?;
        deleted.insert(application.id, application);
    }
    if !deleted.is_empty() {
        let ids = Value::Ids(deleted.keys().map(|id| id.0).collect());
        session.run(query("DELETE FROM applications WHERE id {in}").bind(ids)).await?;
        let images: Vec<_> = deleted.values().filter_map(Application::image_file).collect();
        pictures::delete(session, &images).await?;
        Deletion::whole(deleted.keys().copied()).slice(session).await?;
    }
    Ok(deleted)
}

/// Makes an application of a user whose row is locked. `last_keys` has the highest sort keys of the users that this
/// transaction has made applications of.
async fn create<D: Dialect>(
    session: &mut Session<'_, D>,
    new: &NewApplication,
    last_keys: &mut HashMap<UserId, String>,
) -> Result<Application, sqlx::Error> {
    let sort_key = match (&new.sort_key, last_keys.get(&new.user_id)) {
        (Some(key), _) => key.clone(),
        (None, Some(last)) => sort_key::after(Some(last)),
        (None, None) => applications::next_sort_key(session, new.user_id).await?,
    };
    let created_at = session.kept(new.created_at);
    let insertion = query(
        "INSERT INTO applications \
         (token, user_id, name, description, internal, image, default_priority, created_at, sort_key, read_up_to) \
         VALUES (?, ?, ?, ?, ?, '', ?, ?, ?, 0)",
    )
    .bind(new.token.as_str())
    .id(new.user_id.0)
    .bind(new.name.as_str())
    .bind(new.description.as_str())
    .bind(false)
    .bind(new.default_priority)
    .bind(created_at)
    .bind(Value::SortKey(&sort_key));
    let id = session.insert(insertion).await?;
    // A key that the user chose may not be the highest: the next one is looked for again.
    if new.sort_key.is_some() {
        last_keys.remove(&new.user_id);
    } else {
        last_keys.insert(new.user_id, sort_key.clone());
    }
    Ok(Application {
        id: ApplicationId(id),
        token: new.token.clone(),
        name: new.name.clone(),
        description: new.description.clone(),
        internal: false,
        image: image_path(""),
        default_priority: new.default_priority,
        created_at,
        last_used: None,
        sort_key,
    })
}
