//! Messages that are not kept.

use super::deletions::{OLDEST, SLICE_BYTES};
use super::{Dialect, Session, Value, query};
use crate::model::{ApplicationId, MessageId, Timestamp, UserId};
use crate::store::{DeletedMessages, KeepMessages, KeptMessages, OldMessages, RetentionRule};

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

/// Answers whether the application still has this rule, and lets nobody change it until the transaction ends.
pub(crate) async fn is_in_force<D: Dialect>(
    session: &mut Session<'_, D>,
    rule: &RetentionRule,
) -> Result<bool, sqlx::Error> {
    let current = query("SELECT keep_days, keep_newest FROM applications WHERE id = ?{unchanged}");
    let Some(found) = session.first(current.id(rule.application_id.0)).await? else { return Ok(false) };
    Ok(KeepMessages { days: found.unsigned(0)?, newest: found.unsigned(1)? } == rule.keep)
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

/// What was found among the oldest messages of an application.
pub(crate) struct Looked {
    /// The old ones, in the order of ids.
    pub(crate) old: Vec<u64>,
    /// Whether these are all messages up to the last one.
    are_all: bool,
    kept: Option<KeptMessages>,
}

impl From<Looked> for OldMessages {
    fn from(Looked { old, are_all, kept }: Looked) -> Self {
        let deleted = match old.last() {
            Some(&last) if are_all => Some(DeletedMessages::UpTo(MessageId(last))),
            Some(_) => Some(DeletedMessages::Ids(old.into_iter().map(MessageId).collect())),
            None => None,
        };
        Self { deleted, kept, rule_changed: false }
    }
}

/// Looks at some of the oldest messages of an application above an id, up to `limit`, for those that are older than
/// `before`.
pub(crate) async fn older<D: Dialect>(
    session: &mut Session<'_, D>,
    application: ApplicationId,
    after: MessageId,
    before: Timestamp,
    limit: usize,
) -> Result<Looked, sqlx::Error> {
    let oldest = query(OLDEST).bind(Value::Ids(vec![application.0])).id(after.0).id(limit as u64);
    let mut looked = Looked { old: Vec::new(), are_all: after.0 == 0, kept: None };
    let mut bytes = 0;
    for message in &session.all(oldest).await? {
        let id = message.unsigned(0)?;
        // Each by its own date: ids and dates have another order where a clock was wrong.
        let date = message.time(2)?;
        if date.is_none_or(|date| date >= before) {
            let oldest = looked.kept.and_then(|kept| kept.oldest);
            let oldest = date.into_iter().chain(oldest).min();
            looked.kept = Some(KeptMessages { newest_id: MessageId(id), oldest });
            continue;
        }
        looked.are_all &= looked.kept.is_none();
        looked.old.push(id);
        bytes += message.unsigned(1)?;
        if bytes >= SLICE_BYTES {
            break;
        }
    }
    Ok(looked)
}
