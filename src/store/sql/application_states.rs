//! What has been read of applications, and how long their messages are kept.

use super::query::LIST_VALUES;
use super::{Dialect, Query, Row, Session, Value, messages, query, revocation_log};
use crate::model::{ApplicationId, ApplicationState, MessageId, UserId};
use crate::store::{KeepMessages, Revocation};

/// How many applications' unread messages one statement counts; a power of two.
const COUNTED_AT_ONCE: usize = 64;

/// Returns the query for the states of some applications, without the numbers of unread messages.
pub(crate) fn states<D: Dialect>(which: &str) -> String {
    format!(
        "SELECT a.id, a.read_up_to, a.keep_days, a.keep_newest, ({}) FROM applications a WHERE {which}",
        D::NEWEST_OF_APPLICATION
    )
}

/// Returns the query that counts the messages of so many applications that are above an id. It has parts for a power of
/// two, so that a connection keeps few of them; an application 0 has no messages.
pub(crate) fn unread<D: Dialect>(applications: usize) -> String {
    let part = |place: usize| {
        let ids = D::ids_above(2 * place + 1, 2 * place + 2, ApplicationState::MOST_UNREAD);
        format!("(SELECT count(*) FROM ({ids}) AS unread{place})")
    };
    let parts: Vec<_> = (0..applications.next_power_of_two()).map(part).collect();
    format!("SELECT {}", parts.join(", "))
}

pub(crate) async fn of_user<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<Vec<ApplicationState>, sqlx::Error> {
    read(session, query(&states::<D>("a.user_id = ?")).id(user.0)).await
}

pub(crate) async fn by_id<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
) -> Result<Option<ApplicationState>, sqlx::Error> {
    Ok(read(session, query(&states::<D>("a.id = ?")).id(id.0)).await?.pop())
}

async fn read<D: Dialect>(
    session: &mut Session<'_, D>,
    which: Query<'_>,
) -> Result<Vec<ApplicationState>, sqlx::Error> {
    let found = session.all(which).await?;
    let mut states: Vec<_> = found.iter().map(state).collect::<Result<_, _>>()?;
    states.sort_unstable_by_key(|state: &ApplicationState| state.id.0);
    let mut unread: Vec<_> = states.iter_mut().filter(|state| state.newest > state.read_up_to).collect();
    for some in unread.chunks_mut(COUNTED_AT_ONCE) {
        let text = self::unread::<D>(some.len());
        let mut count = query(&text);
        for place in 0..some.len().next_power_of_two() {
            let (id, read_up_to) = some.get(place).map_or((0, 0), |state| (state.id.0, state.read_up_to.0));
            count = count.id(id).id(read_up_to);
        }
        let counts = session.one(count).await?;
        for (place, state) in some.iter_mut().enumerate() {
            state.unread = counts.unsigned(place)?;
        }
    }
    Ok(states)
}

fn state<D: Dialect>(found: &Row<'_, D>) -> Result<ApplicationState, sqlx::Error> {
    Ok(ApplicationState {
        id: ApplicationId(found.unsigned(0)?),
        unread: 0,
        read_up_to: MessageId(found.unsigned(1)?),
        newest: MessageId(found.unsigned(4)?),
        keep_days: found.unsigned(2)?,
        keep_newest: found.unsigned(3)?,
    })
}

pub(crate) async fn mark_read<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
    application: Option<ApplicationId>,
    up_to: MessageId,
) -> Result<Option<MessageId>, sqlx::Error> {
    // What is stored from now on has a higher id, and must not count as read.
    let newest = messages::newest(session, user, MessageId(u64::MAX)).await?;
    let up_to = up_to.min(newest.unwrap_or(MessageId(0)));
    let of_one = if application.is_some() { " AND id = ?" } else { "" };
    let lower =
        format!("SELECT id FROM applications WHERE user_id = ? AND coalesce(read_up_to, 0) < ?{of_one}");
    let mut find = query(&lower).id(user.0).id(up_to.0);
    if let Some(id) = application {
        find = find.id(id.0);
    }
    let found = session.all(find).await?;
    let ids: Vec<_> = found.iter().map(|row| row.unsigned(0)).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(None);
    }
    let mut changed = 0;
    session.begin().await?;
    for some in ids.chunks(LIST_VALUES) {
        let some = Value::Ids(some.to_vec());
        if D::HAS_HEADS {
            // By the primary key, and in its order, so that nobody waits in a circle.
            let lock = query("SELECT id FROM applications WHERE id {in} ORDER BY id{for update}");
            session.all(lock.bind(some.clone())).await?;
        }
        let mark =
            query("UPDATE applications SET read_up_to = ?1 WHERE coalesce(read_up_to, 0) < ?1 AND id {in}");
        changed += session.run(mark.id(up_to.0).bind(some)).await?;
    }
    session.commit().await?;
    Ok((changed > 0).then_some(up_to))
}

pub(crate) async fn keep<D: Dialect>(
    session: &mut Session<'_, D>,
    id: ApplicationId,
    keep: KeepMessages,
) -> Result<(), sqlx::Error> {
    let change = query("UPDATE applications SET keep_days = ?, keep_newest = ? WHERE id = ?");
    session.begin().await?;
    if session.run(change.id(keep.days).id(keep.newest).id(id.0)).await? > 0 {
        revocation_log::write(session, &[Revocation::RetentionChanged { application_id: id }]).await?;
    }
    session.commit().await
}

/// Marks the messages of applications that were made elsewhere as read.
pub(crate) async fn fill_read_marks<D: Dialect>(session: &mut Session<'_, D>) -> Result<(), sqlx::Error> {
    let fill = format!(
        "UPDATE applications AS a SET read_up_to = coalesce(({}), 0) WHERE read_up_to IS NULL",
        D::NEWEST_OF_APPLICATION
    );
    session.run(query(&fill)).await.map(drop)
}
