//! Messages that are not kept.

use super::deletions::{DELETE, OLDEST, SLICE_BYTES};
use super::{Dialect, Session, Value, keyed, query};
use crate::model::{ApplicationId, MessageId, Timestamp, UserId};
use crate::store::{DeletedMessages, KeepMessages, RetentionRule};

pub(crate) async fn rules<D: Dialect>(
    session: &mut Session<'_, D>,
) -> Result<Vec<RetentionRule>, sqlx::Error> {
    let rules = query(
        "SELECT id, user_id, keep_days, keep_newest FROM applications WHERE keep_days > 0 OR keep_newest > 0",
    );
    let found = session.all(rules).await?;
    let rules = found.iter().map(|row| {
        Ok(RetentionRule {
            user_id: UserId(row.unsigned(1)?),
            application_id: ApplicationId(row.unsigned(0)?),
            keep: KeepMessages { days: row.unsigned(2)?, newest: row.unsigned(3)? },
        })
    });
    rules.collect()
}

/// Returns the newest message of an application that is not among the newest `keep`.
pub(crate) async fn newest_beyond<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
    keep: u64,
) -> Result<Option<MessageId>, sqlx::Error> {
    let found = session.first(query(D::NEWEST_BEYOND).id(application.0).id(keep)).await?;
    found.map(|found| found.unsigned(0).map(MessageId)).transpose()
}

/// Old messages of an application.
pub(crate) struct OldMessages {
    /// In the order of ids; at least one.
    pub(crate) ids: Vec<u64>,
    /// Whether these are all messages up to the last one.
    are_all: bool,
}

impl From<OldMessages> for DeletedMessages {
    fn from(OldMessages { ids, are_all }: OldMessages) -> Self {
        match ids.last() {
            Some(&last) if are_all => Self::UpTo(MessageId(last)),
            _ => Self::Ids(ids.into_iter().map(MessageId).collect()),
        }
    }
}

/// Looks at some of the oldest messages of an application, up to `limit`, and returns those that are older than
/// `before`.
pub(crate) async fn older<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
    before: Timestamp,
    limit: usize,
) -> Result<Option<OldMessages>, sqlx::Error> {
    let oldest = query(OLDEST).bind(Value::Ids(vec![application.0])).id(u64::MAX).id(limit as u64);
    let mut old = OldMessages { ids: Vec::new(), are_all: true };
    let (mut bytes, mut one_stays) = (0, false);
    for message in &session.all(oldest).await? {
        // Each by its own date: ids and dates have another order where a clock was wrong.
        if message.time(2)?.is_none_or(|date| date >= before) {
            one_stays = true;
            continue;
        }
        old.are_all &= !one_stays;
        old.ids.push(message.unsigned(0)?);
        bytes += message.unsigned(1)?;
        if bytes >= SLICE_BYTES {
            break;
        }
    }
    Ok(Some(old).filter(|old| !old.ids.is_empty()))
}

/// Deletes messages.
pub(crate) async fn delete<D: Dialect>(session: &mut Session<'_, D>, ids: &[u64]) -> Result<(), sqlx::Error> {
    session.run(query(DELETE).bind(Value::Ids(ids.to_vec()))).await?;
    keyed::forget(session, ids).await
}
