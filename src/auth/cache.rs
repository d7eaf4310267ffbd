//! Tokens that were looked up lately.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;

/// Maps tokens to what they stand for, in bounded memory.
///
/// A hit takes one shared lock of one of the cache's shards. The mutex is only taken where an entry comes or
/// goes: it orders "was anything forgotten since my look-up began?" and the insertion that depends on the
/// answer, so that a look-up that raced with a deletion can't put back what was deleted.
pub(super) struct TokenCache<V> {
    entries: Cache<Box<str>, Arc<V>>,
    /// How often anything was forgotten.
    generation: Mutex<u64>,
}

impl<V> TokenCache<V> {
    /// Holds at most that many tokens; those that are used least go first.
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity), generation: Mutex::new(0) }
    }

    /// Returns what the token stands for, if it is in the cache.
    pub(super) fn get(&self, token: &str) -> Option<Arc<V>> {
        self.entries.get(token)
    }

    /// Returns what the token stands for, from the cache or else from `load`, which is remembered.
    ///
    /// Cancel safe: nothing is remembered of a look-up that was dropped.
    pub(super) async fn get_or_load<E>(
        &self,
        token: &str,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        if let Some(known) = self.get(token) {
            return Ok(Some(known));
        }
        let began = *self.generation.lock();
        let Some(loaded) = load.await?.map(Arc::new) else {
            return Ok(None);
        };
        let generation = self.generation.lock();
        if *generation == began {
            self.entries.insert(token.into(), Arc::clone(&loaded));
        }
        Ok(Some(loaded))
    }

    /// Forgets the token. To be called after the change it is about, before anybody is told of that change.
    pub(super) fn forget(&self, token: &str) {
        let mut generation = self.generation.lock();
        *generation += 1;
        self.entries.remove(token);
    }
}

impl<V> fmt::Debug for TokenCache<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("tokens", &self.entries.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};
    use std::pin::pin;

    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    use super::*;

    fn found(value: u32) -> impl Future<Output = Result<Option<u32>, Infallible>> {
        ready(Ok(Some(value)))
    }

    /// What the cache itself says, with a database that finds nothing.
    async fn cached(cache: &TokenCache<u32>, token: &str) -> Option<u32> {
        cache.get_or_load(token, ready(Ok::<_, Infallible>(None))).await.unwrap().map(|value| *value)
    }

    #[tokio::test]
    async fn a_token_is_looked_up_once() {
        let cache = TokenCache::new(10);
        assert_eq!(*cache.get_or_load("A", found(1)).await.unwrap().unwrap(), 1);
        let again = cache.get_or_load("A", pending::<Result<_, Infallible>>()).now_or_never();
        assert_eq!(*again.expect("no look-up").unwrap().unwrap(), 1);
    }

    #[tokio::test]
    async fn an_unknown_token_and_a_failed_look_up_are_not_remembered() {
        let cache = TokenCache::new(10);
        assert_eq!(cached(&cache, "A").await, None);
        assert_eq!(cache.get_or_load("A", ready(Err("down"))).await, Err("down"));
        assert_eq!(*cache.get_or_load("A", found(2)).await.unwrap().unwrap(), 2);
    }

    #[tokio::test]
    async fn a_forgotten_token_is_looked_up_again() {
        let cache = TokenCache::new(10);
        cache.get_or_load("A", found(1)).await.unwrap();
        cache.get_or_load("B", found(2)).await.unwrap();
        cache.forget("A");
        assert_eq!(cached(&cache, "A").await, None);
        assert_eq!(cached(&cache, "B").await, Some(2));
    }

    #[tokio::test]
    async fn a_look_up_that_raced_with_a_deletion_puts_nothing_back() {
        let cache = TokenCache::new(10);
        let (database, answer) = oneshot::channel();
        let mut racing =
            pin!(cache.get_or_load("A", async { Ok::<_, Infallible>(Some(answer.await.unwrap())) }));
        assert!(racing.as_mut().now_or_never().is_none(), "it waits for the database");

        cache.forget("A");
        database.send(1).unwrap();
        assert_eq!(*racing.await.unwrap().unwrap(), 1, "it began before the deletion, so it may succeed");
        assert_eq!(cached(&cache, "A").await, None);
    }

    #[tokio::test]
    async fn the_cache_stays_within_its_capacity() {
        let cache = TokenCache::new(8);
        for token in 0..100 {
            cache.get_or_load(&token.to_string(), found(token)).await.unwrap();
        }
        assert!(cache.entries.len() <= 8);
    }
}
