//! Clients.

use std::collections::{BTreeMap, HashSet};

use super::query::LIST_VALUES;
use super::{Dialect, Row, Session, Value, push, query, revocation_log, slice, users};
use crate::model::{Client, ClientId, MessageId, Timestamp, UserId};
use crate::store::{NewClient, Owned, Revocation, Slice, UpdateClient};

macro_rules! columns {
    () => {
        "id, user_id, token, name, created_at, last_used, elevated_until, \
         expires_after_inactivity_seconds, expires_at, replay"
    };
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM clients ", $rest)
    };
}

/// `None` if there is no such owner.
pub(crate) async fn create<D: Dialect>(
    session: &mut Session<'_, D>,
    new: NewClient,
) -> Result<Option<Client>, sqlx::Error> {
    session.begin().await?;
    if !users::lock(session, new.user_id).await? {
        session.commit().await?;
        return Ok(None);
    }
    let mut client = Client {
        id: ClientId(0),
        token: new.token,
        name: new.name,
        created_at: session.kept(new.created_at),
        last_used: None,
        elevated_until: new.elevated_until.map(|until| session.kept(until)),
        expires_after_inactivity_seconds: new.expires_after_inactivity_seconds,
        expires_at: Client::expiry(new.created_at, new.expires_after_inactivity_seconds)
            .map(|at| session.kept(at)),
        replay: new.replay,
    };
    let insertion = query(
        "INSERT INTO clients (token, user_id, name, created_at, elevated_until, \
         expires_after_inactivity_seconds, expires_at, replay) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(client.token.as_str())
    .id(new.user_id.0)
    .bind(client.name.as_str())
    .bind(client.created_at)
    .bind(client.elevated_until)
    .id(client.expires_after_inactivity_seconds)
    .bind(client.expires_at)
    .bind(Value::Integer(client.replay.map(i64::from)));
    client.id = ClientId(session.insert(insertion).await?);
    session.commit().await?;
    Ok(Some(client))
}

const LIST: &str = slice::list!(columns!(), "clients" "WHERE user_id = ?", by "id", texts "token" "name");

pub(crate) async fn listed<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    max_bytes: usize,
) -> Result<Slice<Client, ClientId>, sqlx::Error> {
    let list = query(LIST).id(user.0).bind(slice::small(max_bytes));
    slice::read(session, list, max_bytes, [10, 11], (ClientId, client)).await
}

pub(crate) async fn by_ids<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[ClientId],
) -> Result<Vec<Client>, sqlx::Error> {
    slice::by_ids(session, select!("WHERE id {in}"), ids.iter().map(|id| id.0), client).await
}

pub(crate) async fn by_id<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
) -> Result<Option<Owned<Client>>, sqlx::Error> {
    session.first(query(select!("WHERE id = ?")).id(id.0)).await?.as_ref().map(owned).transpose()
}

pub(crate) async fn by_token<D: Dialect>(
    session: &mut Session<'_, D>,
    token: &str,
) -> Result<Option<Owned<Client>>, sqlx::Error> {
    let of_token = query(select!("WHERE token = ?")).bind(token);
    session.exact(of_token, token, 2).await?.as_ref().map(owned).transpose()
}

pub(crate) async fn update<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
    change: UpdateClient,
    now: Timestamp,
) -> Result<Option<Client>, sqlx::Error> {
    session.begin().await?;
    let found = lock(session, id).await?.map(|owned| owned.row);
    let Some(mut changed) = found.filter(|client| !client.has_expired(now)) else {
        session.commit().await?;
        return Ok(None);
    };
    changed.name = change.name;
    changed.replay = change.replay.or(changed.replay);
    if let Some(seconds) = change.expires_after_inactivity_seconds {
        changed.expires_after_inactivity_seconds = seconds;
    }
    changed.expires_at = Client::expiry(
        changed.last_used.unwrap_or(changed.created_at),
        changed.expires_after_inactivity_seconds,
    )
    .map(|at| session.kept(at));
    let update = query(
        "UPDATE clients SET name = ?, expires_after_inactivity_seconds = ?, expires_at = ?, replay = ? WHERE id = ?",
    )
    .bind(changed.name.as_str())
    .id(changed.expires_after_inactivity_seconds)
    .bind(changed.expires_at)
    .bind(Value::Integer(changed.replay.map(i64::from)))
    .id(id.0);
    session.run(update).await?;
    if change.replay == Some(false) {
        // Switched on again, it begins anew.
        session.run(query("UPDATE clients SET acknowledged = NULL WHERE id = ?").id(id.0)).await?;
    }
    let revocation = Revocation::ClientChanged { token: changed.token.clone() };
    revocation_log::write(session, &[revocation]).await?;
    session.commit().await?;
    Ok(Some(changed))
}

pub(crate) async fn elevate<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Client>, sqlx::Error> {
    session.begin().await?;
    let found = lock(session, id).await?.map(|owned| owned.row);
    let mut changed = found.filter(|client| !client.has_expired(now));
    if let Some(client) = &mut changed {
        client.elevated_until = Some(session.kept(until));
        let update = query("UPDATE clients SET elevated_until = ? WHERE id = ?");
        session.run(update.bind(client.elevated_until).id(id.0)).await?;
        let revocation = Revocation::ClientChanged { token: client.token.clone() };
        revocation_log::write(session, &[revocation]).await?;
    }
    session.commit().await?;
    Ok(changed)
}

pub(crate) async fn delete<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
) -> Result<Option<Client>, sqlx::Error> {
    session.begin().await?;
    let deleted = lock(session, id).await?;
    if let Some(Owned { user_id, row: client }) = &deleted {
        session.run(query("DELETE FROM clients WHERE id = ?").id(id.0)).await?;
        push::delete_of_clients(session, vec![id.0]).await?;
        let revocation = Revocation::ClientDeleted { user_id: *user_id, token: client.token.clone() };
        revocation_log::write(session, &[revocation]).await?;
    }
    session.commit().await?;
    Ok(deleted.map(|owned| owned.row))
}

/// Locks a client until the transaction ends.
pub(super) async fn lock<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
) -> Result<Option<Owned<Client>>, sqlx::Error> {
    let found = session.first(query(select!("WHERE id = ?{for update}")).id(id.0)).await?;
    found.as_ref().map(owned).transpose()
}

/// Clients of these ids were used.
pub(crate) async fn touch<D: Dialect>(
    session: &mut Session<'_, D>,
    ids: &[ClientId],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    session.begin().await?;
    for some in ids.chunks(LIST_VALUES) {
        let some = Value::Ids(some.iter().map(|id| id.0).collect());
        let found = session.all(query(select!("WHERE id {in} ORDER BY id{for update}")).bind(some)).await?;
        let found: Vec<_> = found.iter().map(client).collect::<Result<_, _>>()?;
        note_use(session, &found, at).await?;
    }
    session.commit().await
}

/// Clients with these tokens were used. Returns the tokens that no client has.
pub(crate) async fn touch_tokens<D: Dialect>(
    session: &mut Session<'_, D>,
    tokens: &[Box<str>],
    at: Timestamp,
) -> Result<Vec<String>, sqlx::Error> {
    let mut unknown: Vec<String> = Vec::new();
    session.begin().await?;
    for some in tokens.chunks(LIST_VALUES) {
        let which = Value::Texts(some.iter().map(AsRef::as_ref).collect());
        let found =
            session.all(query(select!("WHERE token {in} ORDER BY id{for update}")).bind(which)).await?;
        let mut found: Vec<_> = found.iter().map(client).collect::<Result<_, _>>()?;
        // MariaDB and MySQL also find tokens in other case, or with spaces at their end.
        let wanted: HashSet<&str> = some.iter().map(AsRef::as_ref).collect();
        found.retain(|client| wanted.contains(client.token.as_str()));
        note_use(session, &found, at).await?;
        let known: HashSet<&str> = found.iter().map(|client| client.token.as_str()).collect();
        unknown.extend(some.iter().filter(|token| !known.contains(&***token)).map(ToString::to_string));
    }
    session.commit().await?;
    Ok(unknown)
}

/// Notes a use of clients that are locked, and puts their expiry off; one that has expired is not brought back.
async fn note_use<D: Dialect>(
    session: &mut Session<'_, D>,
    clients: &[Client],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut by_period: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for client in clients.iter().filter(|client| !client.has_expired(at)) {
        by_period.entry(client.expires_after_inactivity_seconds).or_default().push(client.id.0);
    }
    for (period, ids) in by_period {
        let update = query("UPDATE clients SET last_used = ?, expires_at = ? WHERE id {in}")
            .bind(at)
            .bind(Client::expiry(at, period))
            .bind(Value::Ids(ids));
        session.run(update).await?;
    }
    Ok(())
}

/// Returns the newest message that a client has acknowledged.
pub(crate) async fn acknowledged<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ClientId,
) -> Result<Option<MessageId>, sqlx::Error> {
    let found = session.first(query("SELECT acknowledged FROM clients WHERE id = ?").id(id.0)).await?;
    let found = found.map(|row| row.optional_unsigned(0)).transpose()?;
    Ok(found.flatten().map(MessageId))
}

/// Clients have acknowledged these messages.
pub(crate) async fn acknowledge<D: Dialect>(
    session: &mut Session<'_, D>,
    acknowledged: &[(ClientId, MessageId)],
) -> Result<(), sqlx::Error> {
    // Rows are locked in one order by all nodes.
    let ordered: BTreeMap<u64, u64> =
        acknowledged.iter().map(|(client, message)| (client.0, message.0)).collect();
    session.begin().await?;
    for (client, message) in ordered {
        let update = query(
            "UPDATE clients SET acknowledged = ? WHERE id = ? AND (acknowledged IS NULL OR acknowledged < ?) \
             AND (replay IS NULL OR replay = 1)",
        );
        session.run(update.id(message).id(client).id(message)).await?;
    }
    session.commit().await
}

/// Returns when the next client expires.
pub(crate) async fn next_expiry<D: Dialect>(
    session: &mut Session<'_, D>,
) -> Result<Option<Timestamp>, sqlx::Error> {
    let next = query("SELECT min({moment expires_at}) FROM clients WHERE expires_at IS NOT NULL");
    session.one(next).await?.moment(0)
}

/// Deletes the clients that have expired; returns their tokens.
pub(crate) async fn delete_expired<D: Dialect>(
    session: &mut Session<'_, D>,
    now: Timestamp,
) -> Result<Vec<Owned<String>>, sqlx::Error> {
    session.begin().await?;
    let expired = query(
        "SELECT id, user_id, token FROM clients WHERE expires_at IS NOT NULL AND {moment expires_at} <= ? \
         ORDER BY id{for update}",
    );
    let expired = session.all(expired.bind(Value::Moment(now))).await?;
    let ids: Vec<u64> = expired.iter().map(|found| found.unsigned(0)).collect::<Result<_, _>>()?;
    let token = |found: &Row<'_, D>| Ok(Owned { user_id: UserId(found.unsigned(1)?), row: found.text(2)? });
    let expired: Vec<Owned<String>> = expired.iter().map(token).collect::<Result<_, sqlx::Error>>()?;
    if !ids.is_empty() {
        for some in ids.chunks(LIST_VALUES) {
            session.run(query("DELETE FROM clients WHERE id {in}").bind(Value::Ids(some.to_vec()))).await?;
            push::delete_of_clients(session, some.to_vec()).await?;
        }
        let revocation = |found: &Owned<String>| Revocation::ClientExpired {
            user_id: found.user_id,
            token: found.row.clone(),
        };
        let revocations: Vec<_> = expired.iter().map(revocation).collect();
        revocation_log::write(session, &revocations).await?;
    }
    session.commit().await?;
    Ok(expired)
}

fn owned<D: Dialect>(found: &Row<'_, D>) -> Result<Owned<Client>, sqlx::Error> {
    Ok(Owned { user_id: UserId(found.unsigned(1)?), row: client(found)? })
}

fn client<D: Dialect>(found: &Row<'_, D>) -> Result<Client, sqlx::Error> {
    Ok(Client {
        id: ClientId(found.unsigned(0)?),
        token: found.text(2)?,
        name: found.text(3)?,
        created_at: found.set_time(4)?,
        last_used: found.time(5)?,
        elevated_until: found.time(6)?,
        expires_after_inactivity_seconds: found.unsigned(7)?,
        expires_at: found.time(8)?,
        replay: found.optional_integer(9)?.map(|replay| replay != 0),
    })
}
