//! Begun logins in the memory of this process.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{BegunLogin, BegunLogins, LIFETIME, Returning};
use crate::store::StoreError;

/// How many may be there at once; the oldest goes for one more. One takes at most 1.5 kB with its texts.
const CAPACITY: usize = 10_000;

/// At most 10 000 logins in memory, for ten minutes each; the oldest goes for one more. They end with the process.
#[derive(Default)]
pub struct LoginsInMemory(Mutex<Logins>);

#[derive(Default)]
struct Logins {
    by_state: HashMap<Box<str>, BegunLogin>,
    /// The states, the oldest first. Some may have been taken.
    begun: VecDeque<(Instant, Box<str>)>,
}

impl Logins {
    /// Forgets those that are too old, and as many more as are needed to leave room for one.
    fn forget_old(&mut self, now: Instant, capacity: usize) {
        while self.begun.front().is_some_and(|&(at, _)| now - at >= LIFETIME) || self.begun.len() > capacity {
            let Some((_, oldest)) = self.begun.pop_front() else { break };
            self.by_state.remove(&oldest);
        }
    }
}

#[async_trait]
impl BegunLogins for LoginsInMemory {
    async fn begin(&self, state: &str, login: BegunLogin) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut logins = self.0.lock();
        logins.forget_old(now, CAPACITY - 1);
        logins.begun.push_back((now, state.into()));
        logins.by_state.insert(state.into(), login);
        Ok(())
    }

    async fn end(&self, state: &str, by: Returning<'_>) -> Result<Option<BegunLogin>, StoreError> {
        let mut logins = self.0.lock();
        logins.forget_old(Instant::now(), CAPACITY);
        let is_meant = logins.by_state.get(state).is_some_and(|login| by.began(login));
        Ok(if is_meant { logins.by_state.remove(state) } else { None })
    }
}

impl fmt::Debug for LoginsInMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginsInMemory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::LoginOrigin;
    use super::*;

    async fn begin(logins: &LoginsInMemory, name: &str) {
        let origin = LoginOrigin::App { name: name.to_owned(), redirect_uri: String::new() };
        logins.begin(name, BegunLogin { nonce: name.to_owned(), origin }).await.unwrap();
    }

    async fn end(logins: &LoginsInMemory, name: &str) -> Option<String> {
        logins.end(name, Returning::App).await.unwrap().map(|login| login.nonce)
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_ended_once_and_by_who_began_it() {
        let logins = LoginsInMemory::default();
        begin(&logins, "a").await;
        begin(&logins, "b").await;
        let browser = Returning::Browser { binding: "a" };
        assert!(logins.end("a", browser).await.unwrap().is_none(), "an app began it");
        assert_eq!(end(&logins, "a").await.as_deref(), Some("a"));
        assert_eq!(end(&logins, "a").await, None);
        assert_eq!(end(&logins, "b").await.as_deref(), Some("b"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_is_not_there_any_more_after_ten_minutes() {
        let logins = LoginsInMemory::default();
        begin(&logins, "a").await;
        tokio::time::advance(Duration::from_secs(599)).await;
        begin(&logins, "b").await;
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(end(&logins, "a").await, None);
        assert_eq!(logins.0.lock().by_state.len(), 1);
        assert!(end(&logins, "b").await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_when_there_are_too_many() {
        let logins = LoginsInMemory::default();
        for number in 0..=CAPACITY {
            begin(&logins, &number.to_string()).await;
        }
        assert_eq!(end(&logins, "0").await, None);
        assert!(end(&logins, "1").await.is_some());
        let kept = logins.0.lock();
        assert!(kept.by_state.len() <= CAPACITY && kept.begun.len() <= CAPACITY);
    }
}
