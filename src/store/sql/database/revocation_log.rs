//! The log of what was revoked: which connection each operation of [`RevocationLog`] runs on, and what it is called when
//! it fails.

use std::time::Duration;

use async_trait::async_trait;

use crate::store::sql::{Backend, Connections as _, Dialect as _, Lease as _, revocation_log};
use crate::store::{LastWrite, LoggedRevocation, RevocationId, RevocationLog, StoreError};

#[async_trait]
impl<B: Backend> RevocationLog for B {
    async fn revocations_from(
        &self,
        first: RevocationId,
        limit: usize,
    ) -> Result<Vec<LoggedRevocation>, StoreError> {
        read!(self, "read what was revoked", revocation_log::from(first, limit))
    }

    fn longest_revocation(&self) -> Duration {
        B::Dialect::LONGEST_REVOCATION
    }

    fn last_write(&self) -> Option<LastWrite> {
        Backend::last_write(self)
    }

    fn delete_leftovers(&self) {
        self.cleaner().look_everywhere();
    }

    async fn delete_revocations_older_than(&self, age: Duration) -> Result<(), StoreError> {
        let Some([oldest, newest]) =
            read!(self, "look for old entries of the log", revocation_log::older_than(age))?
        else {
            return Ok(());
        };
        if oldest == newest {
            return Ok(());
        }
        let mut lease = self.writers().lease("delete old entries of the log").await?;
        let result = revocation_log::delete_below(&mut lease.session(), newest).await;
        lease.end(result).await
    }
}
