//! Messages that are not kept: which connection each operation of [`Retention`] runs on, and what it is called when it
//! fails.

use async_trait::async_trait;

use crate::model::{MessageId, Timestamp};
use crate::store::sql::deletions::{self, Deletion};
use crate::store::sql::{Backend, Connections as _, Lease as _, retention};
use crate::store::{ExcessMessages, OldMessages, Retention, RetentionRule, StoreError};

#[async_trait]
impl<B: Backend> Retention for B {
    async fn retention_rules(&self) -> Result<Vec<RetentionRule>, StoreError> {
        read!(self, "look for messages that are not kept", retention::rules())
    }

    async fn delete_all_but_newest(&self, rule: &RetentionRule) -> Result<ExcessMessages, StoreError> {
        let RetentionRule { application_id, keep, .. } = *rule;
        if keep.newest == 0 {
            return Ok(ExcessMessages::default());
        }
        let newest = read!(
            self,
            "look for messages that are not kept",
            retention::newest_beyond(application_id, keep.newest)
        )?;
        match newest {
            Some(newest) => Deletion::new([application_id], newest).run_by(self.writers(), rule).await,
            None => Ok(ExcessMessages::default()),
        }
    }

    async fn delete_older(
        &self,
        rule: &RetentionRule,
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError> {
        let looked = read!(
            self,
            "look for old messages",
            retention::older(rule.application_id, after, before, limit)
        )?;
        if looked.old.is_empty() {
            return Ok(looked.into());
        }
        let mut lease = self.writers().lease("delete old messages").await?;
        let mut session = lease.session();
        let deleted = async {
            session.begin().await?;
            let is_in_force = retention::is_in_force(&mut session, rule).await?;
            if is_in_force {
                deletions::delete(&mut session, &looked.old).await?;
            }
            session.commit().await?;
            Ok(is_in_force)
        };
        let deleted = deleted.await;
        let is_deleted = lease.end(deleted).await?;
        Ok(if is_deleted {
            looked.into()
        } else {
            OldMessages { rule_changed: true, ..OldMessages::default() }
        })
    }
}
