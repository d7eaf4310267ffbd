//! The log of what was revoked.

use std::time::Duration;

use async_trait::async_trait;

use crate::store::{Revocation, StoreError};

/// Names an entry of the log. Ids ascend, and leave gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevocationId(pub u64);

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRevocation {
    /// Its id.
    pub id: RevocationId,
    /// When it was written, by the clock of whoever wrote it: milliseconds since 1970. If another entry has the id, an older
    /// state of the database was back in between.
    pub written_at: u64,
    /// What was revoked; `None` if another version has written what this one does not know.
    pub revocation: Option<Revocation>,
}

/// The log of what was revoked. Every other method of a database that revokes something writes an entry, in its own
/// transaction. So each server that runs on the database, and no other, learns of each change that was committed, also of
/// those that a command has made.
#[async_trait]
pub trait RevocationLog: Send + Sync {
    /// Returns the first entries with this id or a higher one, in the order of ids.
    async fn revocations_from(
        &self,
        first: RevocationId,
        limit: usize,
    ) -> Result<Vec<LoggedRevocation>, StoreError>;

    /// Returns how long an entry can become visible after one with a higher id: as long as the longest transaction. Zero
    /// where entries become visible in the order of their ids.
    fn longest_revocation(&self) -> Duration;

    /// Deletes the entries that are older than this, but for the newest of them: whoever has read that one knows that
    /// it has missed none. Writes nothing if there are none.
    async fn delete_revocations_older_than(&self, age: Duration) -> Result<(), StoreError>;
}
