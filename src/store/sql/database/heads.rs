//! The newest message of each user: which connection each operation of [`Heads`] runs on, and what it is called when it
//! fails.

use async_trait::async_trait;

use crate::model::{MessageId, UserId};
use crate::store::sql::{Backend, Connections as _, Dialect as _, Lease as _, heads};
use crate::store::{DatabaseTime, Heads, Messages as _, StoreError};

#[async_trait]
impl<B: Backend> Heads for B {
    fn can_be_shared(&self) -> bool {
        B::Dialect::HAS_HEADS
    }

    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, MessageId)>, StoreError> {
        if B::Dialect::HAS_HEADS {
            // Each start makes heads for all who have messages, so that whoever has no head has had no message.
            let mut lease = self.readers().lease("look for the newest messages").await?;
            let result = heads::of(&mut lease.session(), users).await;
            return lease.end(result).await;
        }
        let mut found = Vec::with_capacity(users.len());
        for &user in users {
            found.extend(self.newest_message(user).await?.map(|newest| (user, newest)));
        }
        Ok(found)
    }

    async fn now(&self) -> Result<DatabaseTime, StoreError> {
        let mut lease = self.readers().lease("ask what time it is").await?;
        let result = heads::now(&mut lease.session()).await;
        lease.end(result).await
    }

    async fn heads_moved_since(&self, since: DatabaseTime) -> Result<Vec<(UserId, MessageId)>, StoreError> {
        if !B::Dialect::HAS_HEADS {
            return Ok(Vec::new());
        }
        let mut lease = self.readers().lease("look for new messages").await?;
        let result = heads::moved_since(&mut lease.session(), since).await;
        lease.end(result).await
    }
}
