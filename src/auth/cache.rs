//! Tokens that were looked up lately.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use quick_cache::sync::Cache;

use super::doorkeeper::Doorkeeper;

/// How long an entry is believed. What was revoked is taken out at once, on the node where it was revoked; this bounds
/// how long it is accepted where nobody knew of that.
const MAX_AGE_MILLIS: u64 = 60_000;

/// Maps tokens to what they stand for, in bounded memory.
///
/// A hit takes one shared lock of one of the cache's shards. The mutex is only taken where an entry comes or goes, and
/// where a stream opens: it orders "was anything forgotten since my look-up began?" and the insertion that depends on
/// the answer, so that a look-up that raced with a deletion can't put back what was deleted.
pub(super) struct TokenCache<V> {
    entries: Cache<Box<str>, Entry<V>>,
    /// Which tokens have been looked up that may be used once.
    doorkeeper: Doorkeeper,
    /// How often anything was forgotten.
    generation: Mutex<u64>,
}

struct Entry<V> {
    value: Arc<V>,
    /// When its look-up began, in Unix milliseconds.
    loaded_at: i64,
}

impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), loaded_at: self.loaded_at }
    }
}

impl<V> Entry<V> {
    /// Also false if the clock was set back since.
    fn is_fresh(&self, now: i64) -> bool {
        now.checked_sub(self.loaded_at)
            .and_then(|age| u64::try_from(age).ok())
            .is_some_and(|age| age < MAX_AGE_MILLIS)
    }
}

/// What a cache holds.
pub(super) trait Renewable {
    /// Takes over what only memory knows from the entry of the same token that this one replaces for its age.
    fn renew(&mut self, previous: &Self);
}

impl<V: Renewable> TokenCache<V> {
    /// Holds at most that many tokens; those that are used least go first.
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: Cache::new(capacity), doorkeeper: Doorkeeper::default(), generation: Mutex::new(0) }
    }

    /// Returns how often anything was forgotten. As long as that stays the same, what was found before holds.
    pub(super) fn generation(&self) -> u64 {
        *self.generation.lock()
    }

    /// Takes note that something was revoked, and it is not known of which tokens.
    pub(super) fn doubt(&self) {
        *self.generation.lock() += 1;
    }

    /// Returns what the token stands for, if it is in the cache and was looked up less than a minute before `now`, in
    /// Unix milliseconds.
    pub(super) fn get(&self, token: &str, now: i64) -> Option<Arc<V>> {
        self.entries.get(token).filter(|entry| entry.is_fresh(now)).map(|entry| entry.value)
    }

    /// Returns what the token stands for, from the cache or else from `load`, which is remembered.
    ///
    /// Cancel safe: nothing is remembered of a look-up that was dropped.
    pub(super) async fn get_or_load<E>(
        &self,
        token: &str,
        now: i64,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        match self.get(token, now) {
            Some(known) => Ok(Some(known)),
            None => self.load(token, now, load, || true).await,
        }
    }

    /// As [`Self::get_or_load`], but a token is only remembered if it is looked up for the second time: for what most
    /// tokens are used for once.
    pub(super) async fn get_or_load_once<E>(
        &self,
        token: &str,
        now: i64,
        load: impl Future<Output = Result<Option<V>, E>>,
    ) -> Result<Option<Arc<V>>, E> {
        match self.get(token, now) {
            Some(known) => Ok(Some(known)),
            None => self.load(token, now, load, || self.doorkeeper.has_met(token)).await,
        }
    }

    async fn load<E>(
        &self,
        token: &str,
        now: i64,
        load: impl Future<Output = Result<Option<V>, E>>,
        is_wanted: impl FnOnce() -> bool,
    ) -> Result<Option<Arc<V>>, E> {
        let began = *self.generation.lock();
        let loaded = load.await?;
        let generation = self.generation.lock();
        let Some(mut loaded) = loaded else {
            self.entries.remove(token);
            return Ok(None);
        };
        let previous = self.entries.get(token);
        if let Some(previous) = &previous {
            loaded.renew(&previous.value);
        }
        let loaded = Arc::new(loaded);
        if *generation == began && (previous.is_some() || is_wanted()) {
            let entry = Entry { value: Arc::clone(&loaded), loaded_at: now };
            self.entries.insert(token.into(), entry);
        }
        Ok(Some(loaded))
    }

    /// Forgets the token. To be called after the change it is about, before anybody is informed of that change.
    pub(super) fn forget(&self, token: &str) {
        let mut generation = self.generation.lock();
        *generation += 1;
        self.entries.remove(token);
    }

    /// Forgets all tokens, as [`forget`](Self::forget) does one.
    pub(super) fn forget_all(&self) {
        let mut generation = self.generation.lock();
        *generation += 1;
        self.entries.clear();
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

    /// A row of the database, and how often it was used since the program began.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Row {
        row: u32,
        uses: u32,
    }

    impl Renewable for Row {
        fn renew(&mut self, previous: &Self) {
            self.uses += previous.uses;
        }
    }

    const NOW: i64 = 1_700_000_000_000;
    const MINUTE: i64 = 60_000;

    fn found(row: u32) -> impl Future<Output = Result<Option<Row>, Infallible>> {
        ready(Ok(Some(Row { row, uses: 1 })))
    }

    fn cached(cache: &TokenCache<Row>, token: &str, now: i64) -> Option<u32> {
        cache.get(token, now).map(|known| known.row)
    }

    #[tokio::test]
    async fn a_token_is_looked_up_once() {
        let cache = TokenCache::new(10);
        assert_eq!(cache.get_or_load("A", NOW, found(1)).await.unwrap().unwrap().row, 1);
        let again = cache.get_or_load("A", NOW, pending::<Result<_, Infallible>>()).now_or_never();
        assert_eq!(again.expect("no look-up").unwrap().unwrap().row, 1);
    }

    #[tokio::test]
    async fn an_unknown_token_and_a_failed_look_up_are_not_remembered() {
        let cache = TokenCache::<Row>::new(10);
        assert_eq!(cache.get_or_load("A", NOW, ready(Ok::<_, Infallible>(None))).await.unwrap(), None);
        assert_eq!(cache.get_or_load("A", NOW, ready(Err("down"))).await, Err("down"));
        assert_eq!(cached(&cache, "A", NOW), None);
        assert_eq!(cache.get_or_load("A", NOW, found(2)).await.unwrap().unwrap().row, 2);
    }

    #[tokio::test]
    async fn a_forgotten_token_is_looked_up_again() {
        let cache = TokenCache::new(10);
        cache.get_or_load("A", NOW, found(1)).await.unwrap();
        cache.get_or_load("B", NOW, found(2)).await.unwrap();
        cache.forget("A");
        assert_eq!(cached(&cache, "A", NOW), None);
        assert_eq!(cached(&cache, "B", NOW), Some(2));
    }

    #[tokio::test]
    async fn when_all_tokens_are_forgotten_a_look_up_that_began_before_puts_nothing_back() {
        let cache = TokenCache::new(10);
        cache.get_or_load("A", NOW, found(1)).await.unwrap();
        let (database, answer) = oneshot::channel();
        let load = async { Ok::<_, Infallible>(Some(answer.await.unwrap())) };
        let mut racing = pin!(cache.get_or_load("B", NOW, load));
        assert!(racing.as_mut().now_or_never().is_none(), "it waits for the database");
        cache.forget_all();
        database.send(Row { row: 2, uses: 1 }).unwrap();
        racing.await.unwrap().unwrap();
        assert_eq!([cached(&cache, "A", NOW), cached(&cache, "B", NOW)], [None, None]);
    }

    #[tokio::test]
    async fn an_entry_is_believed_for_a_minute() {
        let cache = TokenCache::new(10);
        cache.get_or_load("A", NOW, found(1)).await.unwrap();
        assert_eq!(cached(&cache, "A", NOW + MINUTE - 1), Some(1));
        assert_eq!(cached(&cache, "A", NOW + MINUTE), None);
        assert_eq!(cached(&cache, "A", NOW - 1), None, "the clock was set back");
        let renewed = cache.get_or_load("A", NOW + MINUTE, found(2)).await.unwrap().unwrap();
        assert_eq!(*renewed, Row { row: 2, uses: 2 }, "what only memory knows is taken over");
        assert_eq!(cached(&cache, "A", NOW + 2 * MINUTE - 1), Some(2));
        // It was deleted where this node did not hear of it.
        let gone = cache.get_or_load("A", NOW + 2 * MINUTE, ready(Ok::<_, Infallible>(None))).await;
        assert_eq!(gone.unwrap(), None);
        assert_eq!(cached(&cache, "A", NOW + MINUTE), None);
    }

    #[tokio::test]
    async fn the_age_of_an_entry_counts_from_the_beginning_of_its_look_up() {
        let cache = TokenCache::new(10);
        let (database, answer) = oneshot::channel();
        let load = async { Ok::<_, Infallible>(Some(answer.await.unwrap())) };
        let mut slow = pin!(cache.get_or_load("A", NOW, load));
        assert!(slow.as_mut().now_or_never().is_none(), "it waits for the database");
        database.send(Row { row: 1, uses: 1 }).unwrap();
        slow.await.unwrap();
        assert_eq!(cached(&cache, "A", NOW + MINUTE), None);
    }

    #[tokio::test]
    async fn a_look_up_that_raced_with_a_deletion_puts_nothing_back() {
        let cache = TokenCache::new(10);
        let (database, answer) = oneshot::channel();
        let load = async { Ok::<_, Infallible>(Some(answer.await.unwrap())) };
        let mut racing = pin!(cache.get_or_load("A", NOW, load));
        assert!(racing.as_mut().now_or_never().is_none(), "it waits for the database");

        cache.forget("A");
        database.send(Row { row: 1, uses: 1 }).unwrap();
        let found = racing.await.unwrap().unwrap();
        assert_eq!(found.row, 1, "it began before the deletion, so it may succeed");
        assert_eq!(cached(&cache, "A", NOW), None);
    }

    #[tokio::test]
    async fn a_token_that_is_used_once_may_take_no_entry() {
        let cache = TokenCache::new(64);
        cache.get_or_load_once("A", NOW, found(1)).await.unwrap();
        assert_eq!(cached(&cache, "A", NOW), None);
        cache.get_or_load_once("A", NOW, found(2)).await.unwrap();
        assert_eq!(cached(&cache, "A", NOW), Some(2));
        let renewed = cache.get_or_load_once("A", NOW + MINUTE, found(3)).await.unwrap().unwrap();
        assert_eq!(*renewed, Row { row: 3, uses: 2 });
        assert_eq!(cached(&cache, "A", NOW + MINUTE), Some(3));
    }

    #[tokio::test]
    async fn the_generation_shows_that_something_was_forgotten() {
        let cache = TokenCache::<Row>::new(10);
        let before = cache.generation();
        cache.get_or_load("A", NOW, found(1)).await.unwrap();
        assert_eq!(cache.generation(), before);
        cache.forget("B");
        let between = cache.generation();
        cache.forget_all();
        assert!(before != between && between != cache.generation());
    }

    #[tokio::test]
    async fn the_cache_stays_within_its_capacity() {
        let cache = TokenCache::new(8);
        for token in 0..100 {
            cache.get_or_load(&token.to_string(), NOW, found(token)).await.unwrap();
        }
        assert!(cache.entries.len() <= 8);
    }
}
