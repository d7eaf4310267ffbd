//! Messages that are not kept: which connection each operation of [`Retention`] runs on, and what it is called when it
//! fails.

use async_trait::async_trait;

use crate::model::{ApplicationId, MessageId, Timestamp};
use crate::store::sql::deletions::Deletion;
use crate::store::sql::{Backend, Connections as _, Lease as _, retention};
use crate::store::{DeletedMessages, Retention, RetentionRule, StoreError};

#[async_trait]
impl<B: Backend> Retention for B {
    async fn retention_rules(&self) -> Result<Vec<RetentionRule>, StoreError> {
        read!(self, "look for messages that are not kept", retention::rules())
    }

    async fn delete_all_but_newest(
        &self,
        application: ApplicationId,
        keep: u64,
    ) -> Result<Option<MessageId>, StoreError> {
        let newest =
            read!(self, "look for messages that are not kept", retention::newest_beyond(application, keep))?;
        if let Some(newest) = newest {
            Deletion::new([application], newest).run(self.writers()).await?;
        }
        Ok(newest)
    }

    async fn delete_older(
        &self,
        application: ApplicationId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Option<DeletedMessages>, StoreError> {
        let old = read!(self, "look for old messages", retention::older(application, before, limit))?;
        let Some(old) = old else { return Ok(None) };
        let mut lease = self.writers().lease("delete old messages").await?;
        let result = retention::delete(&mut lease.session(), &old.ids).await;
        lease.end(result).await?;
        Ok(Some(old.into()))
    }
}
