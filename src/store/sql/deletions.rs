//! Deletions of many messages, in slices.
//!
//! A million messages that are deleted in one transaction keep the connection for seconds, in which nobody can
//! publish. So a deletion is made of small transactions, between which others write.
//!
//! An application is deleted first, together with the first slice of its messages. The rest has no application from
//! then on, which means that nobody is shown it; the [`Cleaner`](super::cleaner::Cleaner) deletes it, a slice at a time. After a crash the
//! next start does.

use super::query::LIST_VALUES;
use super::slice::size;
use super::{Connections, Dialect, Lease as _, Session, Value, keyed, query, retention};
use crate::model::{ApplicationId, MessageId};
use crate::store::{ExcessMessages, RetentionRule, StoreError};

/// Most messages in one slice.
const SLICE_MESSAGES: usize = 1000;

/// A slice that has so many bytes takes no further message.
pub(crate) const SLICE_BYTES: u64 = 4 * 1024 * 1024;

/// Some messages that applications have up to an id, with their sizes. They come in the order of the index: without
/// it PostgreSQL looks up all messages of the applications for each slice.
pub(crate) const SLICE: &str = concat!(
    "SELECT id, ",
    size!("message" "title" "extras"),
    " FROM messages m WHERE application_id {in} AND id <= ? ORDER BY application_id, id LIMIT ?"
);

/// As [`SLICE`], from an id on, with their dates.
pub(crate) const OLDEST: &str = concat!(
    "SELECT id, ",
    size!("message" "title" "extras"),
    ", date FROM messages m WHERE application_id {in} AND id > ? ORDER BY application_id, id LIMIT ?"
);

pub(crate) const DELETE: &str = "DELETE FROM messages WHERE id {in}";

/// The owners that a table names by a column and that are not in their own table, by one search in the index for each
/// owner.
macro_rules! without_owner {
    ($table:literal $column:literal of $owners:literal) => {
        concat!(
            "WITH RECURSIVE owner (id) AS (
                SELECT min(",
            $column,
            ") FROM ",
            $table,
            " UNION ALL
                SELECT (SELECT min(m.",
            $column,
            ") FROM ",
            $table,
            " m WHERE m.",
            $column,
            " > owner.id)
                FROM owner WHERE owner.id IS NOT NULL
            )
            SELECT id FROM owner WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM ",
            $owners,
            ")"
        )
    };
}

pub(crate) use without_owner;

/// The applications that have messages and are not there.
pub(crate) const ORPHANED: &str = without_owner!("messages" "application_id" of "applications");

/// Whose messages are deleted, and up to which.
#[derive(Debug)]
pub(crate) struct Deletion {
    applications: Vec<u64>,
    newest: MessageId,
}

/// A slice that was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeletedSlice {
    /// Its last message; `None` if there was nothing left to delete.
    pub(crate) last: Option<MessageId>,
    /// Whether nothing is left.
    pub(crate) is_last: bool,
}

impl Deletion {
    /// All messages of these applications, up to and with `newest`.
    pub(crate) fn new(applications: impl IntoIterator<Item = ApplicationId>, newest: MessageId) -> Self {
        Self { applications: applications.into_iter().map(|id| id.0).collect(), newest }
    }

    /// All messages of applications that are deleted.
    pub(crate) fn whole(applications: impl IntoIterator<Item = ApplicationId>) -> Self {
        Self::new(applications, MessageId(u64::MAX))
    }

    /// Deletes the next slice. To be called in a transaction.
    pub(crate) async fn slice<D: Dialect>(
        &self,
        session: &mut Session<'_, D>,
    ) -> Result<DeletedSlice, sqlx::Error> {
        let mut lists = self.applications.chunks(LIST_VALUES);
        while let Some(applications) = lists.next() {
            let slice = query(SLICE).bind(Value::Ids(applications.to_vec()));
            let found = session.all(slice.id(self.newest.0).id(SLICE_MESSAGES as u64)).await?;
            let (mut ids, mut bytes) = (Vec::with_capacity(found.len()), 0);
            for message in &found {
                if bytes >= SLICE_BYTES {
                    break;
                }
                bytes += message.unsigned(1)?;
                ids.push(message.unsigned(0)?);
            }
            if let Some(last) = ids.last().copied().map(MessageId) {
                delete(session, &ids).await?;
                let is_last =
                    lists.next().is_none() && ids.len() == found.len() && ids.len() < SLICE_MESSAGES;
                return Ok(DeletedSlice { last: Some(last), is_last });
            }
        }
        Ok(DeletedSlice { last: None, is_last: true })
    }

    /// Answers whether there is something left to delete.
    pub(crate) async fn is_left<D: Dialect>(
        &self,
        session: &mut Session<'_, D>,
    ) -> Result<bool, sqlx::Error> {
        for applications in self.applications.chunks(LIST_VALUES) {
            let first = query(SLICE).bind(Value::Ids(applications.to_vec()));
            if session.first(first.id(self.newest.0).bind(1)).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes slice after slice, each in a transaction of its own. If one is refused, those before it are deleted.
    pub(crate) async fn run(&self, writers: &impl Connections) -> Result<(), StoreError> {
        self.run_while(writers, None).await.map(drop)
    }

    /// As [`Self::run`], as long as the one application that it is of has a rule. Each slice looks at that anew.
    pub(crate) async fn run_by(
        &self,
        writers: &impl Connections,
        rule: &RetentionRule,
    ) -> Result<ExcessMessages, StoreError> {
        self.run_while(writers, Some(rule)).await
    }

    async fn run_while(
        &self,
        writers: &impl Connections,
        rule: Option<&RetentionRule>,
    ) -> Result<ExcessMessages, StoreError> {
        let mut outcome = ExcessMessages::default();
        loop {
            let mut lease = writers.lease("delete messages").await?;
            let mut session = lease.session();
            let deleted = async {
                session.begin().await?;
                let is_in_force = match rule {
                    Some(rule) => retention::is_in_force(&mut session, rule).await?,
                    None => true,
                };
                let deleted = if is_in_force { Some(self.slice(&mut session).await?) } else { None };
                session.commit().await?;
                Ok(deleted)
            };
            let deleted = deleted.await;
            let Some(deleted) = lease.end(deleted).await? else {
                return Ok(ExcessMessages { rule_changed: true, ..outcome });
            };
            outcome.deleted_up_to = deleted.last.or(outcome.deleted_up_to);
            if deleted.is_last {
                return Ok(outcome);
            }
        }
    }
}

/// Deletes messages, and what keys they have. To be called in a transaction, so that what fails has deleted nothing. All
/// who delete messages do it in this order: others would wait for them, and they for others.
pub(crate) async fn delete<D: Dialect>(session: &mut Session<'_, D>, ids: &[u64]) -> Result<(), sqlx::Error> {
    for some in ids.chunks(LIST_VALUES) {
        session.run(query(DELETE).bind(Value::Ids(some.to_vec()))).await?;
    }
    keyed::forget(session, ids).await
}
