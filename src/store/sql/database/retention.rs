//! Messages that are not kept: which connection each operation of [`Retention`] runs on, and what it is called when it
//! fails.

use async_trait::async_trait;

use crate::model::{ApplicationId, MessageId, Timestamp};
use crate::store::sql::deletions::{self, Deletion};
use crate::store::sql::{Backend, Connections as _, Lease as _, retention};
use crate::store::{OldMessages, Retention, RetentionRule, StoreError};

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
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError> {
        let looked =
            read!(self, "look for old messages", retention::older(application, after, before, limit))?;
        if !looked.old.is_empty() {
            let mut lease = self.writers().lease("delete old messages").await?;
            let mut session = lease.session();
            let deleted = async {
                session.begin().await?;
                deletions::delete(&mut session, &looked.old).await?;
                session.commit().await
            };
            let deleted = deleted.await;
            lease.end(deleted).await?;
        }
        Ok(looked.into())
    }
}
