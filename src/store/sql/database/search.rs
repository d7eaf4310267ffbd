//! The search: which connection each of its operations runs on, and what it is called when it fails.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::model::{Message, MessageId, UserId};
use crate::store::sql::search::{Change, Indexed, Indexing, Outcome};
use crate::store::sql::{Backend, Connections as _, Lease as _, search, users};
use crate::store::{IndexPace, MessagePage, MessageSearch, Search, SearchError, Slice, StoreError};

/// How long a search may take, its wait for other searches included.
const LONGEST_SEARCH: Duration = Duration::from_secs(3);

/// So many search at once, so that connections are left for what else reads.
const SEARCHES: usize = 2;

/// Who may search now.
#[derive(Debug)]
pub(crate) struct Searches(Semaphore);

impl Default for Searches {
    fn default() -> Self {
        Self(Semaphore::new(SEARCHES))
    }
}

#[async_trait]
impl<B: Backend> Search for B {
    async fn search_messages(
        &self,
        user: UserId,
        search: &MessageSearch,
        page: MessagePage,
        max_bytes: usize,
    ) -> Result<Slice<Message, MessageId>, SearchError> {
        let deadline = Instant::now() + LONGEST_SEARCH;
        let Ok(_permit) = timeout_at(deadline, self.searches().0.acquire()).await else {
            return Err(SearchError::TooSlow);
        };
        match read!(self, "search messages", search::search(user, search, page, max_bytes, deadline))? {
            Outcome::Found(slice) => Ok(slice),
            Outcome::NotIndexed => Err(SearchError::NotIndexed),
            Outcome::TooSlow => Err(SearchError::TooSlow),
        }
    }

    async fn index_messages(&self, user: UserId, pace: &IndexPace) -> Result<bool, StoreError> {
        match read!(self, "look for messages to index", search::change_of(user))? {
            Some(change) => make(self, user, change, pace).await,
            None => Ok(false),
        }
    }

    async fn renew_index(
        &self,
        user: UserId,
        after: MessageId,
        pace: &IndexPace,
    ) -> Result<Option<MessageId>, StoreError> {
        let began_at = Instant::now();
        let found = read!(self, "look at the search index", search::renewal_of(user, after))?;
        pace.rest(began_at.elapsed()).await;
        let Some((last, change)) = found else { return Ok(None) };
        if let Some(change) = change {
            make(self, user, change, pace).await?;
        }
        Ok(Some(last))
    }

    async fn users_after(&self, after: UserId) -> Result<Vec<UserId>, StoreError> {
        read!(self, "list users", users::ids_after(after))
    }
}

/// Makes a change of a user's index: reads the messages, and stores the segment that is made of them. False if the index is
/// as it was before.
async fn make<B: Backend>(
    database: &B,
    user: UserId,
    change: Change,
    pace: &IndexPace,
) -> Result<bool, StoreError> {
    let mut indexing = Indexing::begin(change);
    loop {
        let began_at = Instant::now();
        let has_more = read!(database, "index messages", search::read_part(user, &mut indexing))?;
        pace.rest(began_at.elapsed()).await;
        if !has_more {
            break;
        }
    }
    let began_at = Instant::now();
    let indexed = finished(indexing).await;
    // Whoever stores messages may wait for the same connection.
    let mut lease = database.writers().lease("store the search index").await?;
    let stored = search::store(&mut lease.session(), user, indexed).await;
    let has_changed = lease.end(stored).await?;
    pace.rest(began_at.elapsed()).await;
    Ok(has_changed)
}

/// Makes the segment where nobody waits for it: 2 MiB of words are sorted.
async fn finished(indexing: Indexing) -> Indexed {
    match tokio::task::spawn_blocking(|| indexing.finish()).await {
        Ok(indexed) => indexed,
        Err(ended) => std::panic::resume_unwind(ended.into_panic()),
    }
}
