//! The search: the tables of the index, and what is read from them.
//!
//! `shardcast_search_segments` has the [segments](crate::store::search::segment) of each user. `shardcast_search_words`
//! has their rows: the number of a row and the id of its segment are its id. So one query by ids finds all rows that a
//! search needs of several segments.
//!
//! A segment is never changed. Others take its place: whoever finds that a row is missing begins anew.

mod candidates;
mod indexing;
mod reading;

#[cfg(test)]
pub(crate) use indexing::COUNT_BETWEEN;
pub(crate) use indexing::{Change, Indexed, Indexing, change_of, read_part, renewal_of, store};
pub(crate) use reading::{Outcome, search};

use super::{Connections, Dialect, Lease as _, Session, query};
use crate::model::UserId;
use crate::store::StoreError;
use crate::store::search::segment::{Extent, MOST_ROWS};

/// The tables of the index: whoever copies a database into this one empties them.
pub(crate) const TABLES: [&str; 2] = ["shardcast_search_words", "shardcast_search_segments"];

pub(crate) const SEGMENTS: &str = "SELECT id, after_id, last_id, messages, bytes FROM shardcast_search_segments \
    WHERE user_id = ? ORDER BY last_id";

pub(crate) const DIRECTORIES: &str = "SELECT id, after_id, last_id, directory FROM shardcast_search_segments \
    WHERE user_id = ? ORDER BY last_id DESC";

pub(crate) const ROWS: &str = "SELECT id, words FROM shardcast_search_words WHERE id {in}";

/// The users who have segments and are not there, by one search in the index for each user.
pub(crate) const OF_NOBODY: &str =
    super::deletions::without_owner!("shardcast_search_segments" "user_id" of "users");

/// A segment that is stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredSegment {
    id: u64,
    /// Its messages have ids above this one, and up to `last`.
    after: u64,
    last: u64,
    extent: Extent,
}

/// Returns a user's segments, the oldest first.
async fn segments<D: Dialect>(
    session: &mut Session<'_, D>,
    user: UserId,
) -> Result<Vec<StoredSegment>, sqlx::Error> {
    let found = session.all(query(SEGMENTS).id(user.0)).await?;
    let segment = |row: &super::Row<'_, D>| {
        let extent = Extent { messages: row.unsigned(3)?, bytes: row.unsigned(4)? };
        Ok(StoredSegment { id: row.unsigned(0)?, after: row.unsigned(1)?, last: row.unsigned(2)?, extent })
    };
    found.iter().map(segment).collect()
}

/// Returns the id of a row.
fn row_id(segment: u64, number: usize) -> u64 {
    segment.saturating_mul(MOST_ROWS).saturating_add(number as u64)
}

async fn delete_segment<D: Dialect>(session: &mut Session<'_, D>, id: u64) -> Result<(), sqlx::Error> {
    let rows = query("DELETE FROM shardcast_search_words WHERE id >= ? AND id < ?");
    session.run(rows.id(row_id(id, 0)).id(row_id(id + 1, 0))).await?;
    session.run(query("DELETE FROM shardcast_search_segments WHERE id = ?").id(id)).await.map(drop)
}

/// Returns the segments of users that are deleted.
async fn of_nobody<D: Dialect>(session: &mut Session<'_, D>) -> Result<Vec<StoredSegment>, sqlx::Error> {
    let mut found = Vec::new();
    for user in session.all(query(D::OF_NOBODY)).await? {
        found.extend(segments(session, UserId(user.unsigned(0)?)).await?);
    }
    Ok(found)
}

/// Deletes what is indexed for users that are deleted, a segment at a time.
pub(crate) async fn delete_of_nobody(
    readers: &impl Connections,
    writers: &impl Connections,
) -> Result<(), StoreError> {
    let mut lease = readers.lease("look for the search index of deleted users").await?;
    let found = of_nobody(&mut lease.session()).await;
    for segment in lease.end(found).await? {
        let mut lease = writers.lease("delete a part of the search index").await?;
        let mut session = lease.session();
        let deleted = async {
            session.begin().await?;
            delete_segment(&mut session, segment.id).await?;
            session.commit().await
        };
        let deleted = deleted.await;
        lease.end(deleted).await?;
    }
    Ok(())
}
