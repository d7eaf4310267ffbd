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

/// What a database's files looked like at one moment. Two that are equal say that nobody has written in between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWrite(pub(crate) Vec<FileState>);

/// A file's device, inode and length, and when it was changed: seconds and nanoseconds since 1970.
pub(crate) type FileState = (u64, u64, u64, i64, i64);

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

    /// Returns what differs once anybody has written to the database, where that costs much less than to read the log.
    /// `None` elsewhere, and where something was written a moment ago: a further write might not show.
    fn last_write(&self) -> Option<LastWrite> {
        None
    }

    /// Deletes, in the background, what is left of users and applications that were deleted. To be called when another
    /// process has deleted a user: it may have ended before it had deleted everything.
    fn delete_leftovers(&self) {}

    /// Deletes the entries that are older than this, but for the newest of them: whoever has read that one knows that
    /// it has missed none. Writes nothing if there are none.
    async fn delete_revocations_older_than(&self, age: Duration) -> Result<(), StoreError>;
}
