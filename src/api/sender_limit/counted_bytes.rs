//! The bytes that a sender has stored, and who asks the database for them.
//!
//! One request counts, and the others of its sender wait for the result: that of a count which failed too. None of them
//! waits longer than its own deadline.

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use super::stored_bytes::{Refusal, StoredBytes};
use crate::api::ApiError;
use crate::auth::whole_seconds;
use crate::store::{PublishError, StoreError};

/// What a sender has stored.
#[derive(Debug, Default)]
pub(super) struct CountedBytes {
    stored: Mutex<StoredBytes>,
    /// Held by whoever counts in the database: others wait for the result.
    counting: tokio::sync::Mutex<LastFailure>,
}

/// When the database last failed to count. Whoever had come by then fails too: otherwise each of those in line would ask
/// it again, one after the other. Whoever comes later asks it.
#[derive(Debug, Default)]
struct LastFailure(Option<Instant>);

/// Bytes that are about to be stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addition {
    pub(super) bytes: u64,
    pub(super) limit: u64,
    /// Whose limit it is, as an error says it.
    pub(super) of: &'static str,
    /// By when the request must be answered.
    pub(super) deadline: Instant,
}

impl CountedBytes {
    /// Adds bytes that are about to be stored. Counts those in the database first where they are not known, or may have
    /// become fewer.
    pub(super) async fn add<C>(&self, addition: Addition, count: impl Fn() -> C) -> Result<(), ApiError>
    where
        C: Future<Output = Result<u64, StoreError>>,
    {
        if let Some(outcome) = self.add_known(addition) {
            return outcome;
        }
        let came_at = Instant::now();
        let waited = timeout_at(addition.deadline, self.counting.lock()).await;
        let mut last_failure = waited.map_err(|_| PublishError::TimedOut)?;
        loop {
            // Somebody else may have counted meanwhile, or tried to.
            if let Some(outcome) = self.add_known(addition) {
                return outcome;
            }
            if last_failure.0.is_some_and(|failed_at| came_at <= failed_at) {
                return Err(ApiError::Unavailable);
            }
            let begun = self.stored.lock().begin_count(Instant::now());
            let in_database = match timeout_at(addition.deadline, count()).await {
                Ok(Ok(in_database)) => in_database,
                Ok(Err(error)) => {
                    // Any other error is a defect, which says nothing of the next count.
                    if matches!(error, StoreError::Unavailable { .. }) {
                        last_failure.0 = Some(Instant::now());
                    }
                    return Err(error.into());
                }
                Err(_) => {
                    last_failure.0 = Some(Instant::now());
                    return Err(PublishError::TimedOut.into());
                }
            };
            self.stored.lock().end_count(&begun, in_database, Instant::now());
        }
    }

    /// Adds bytes if enough is known for that.
    fn add_known(&self, addition: Addition) -> Option<Result<(), ApiError>> {
        let Addition { bytes, limit, of, .. } = addition;
        let added = self.stored.lock().add(bytes, limit, Instant::now());
        match added {
            Ok(()) => Some(Ok(())),
            Err(Refusal::Full { retry_after }) => Some(Err(ApiError::TooManyStoredBytes {
                of,
                limit_bytes: limit,
                retry_after_seconds: whole_seconds(retry_after),
            })),
            Err(Refusal::Uncounted) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;
    use std::time::Duration;

    use futures_util::future::{join, join_all};
    use tokio::time::sleep;

    use super::*;
    use crate::store::PUBLISH_PATIENCE;

    const SECOND: Duration = Duration::from_secs(1);

    fn addition() -> Addition {
        Addition { bytes: 1, limit: 100, of: "application", deadline: Instant::now() + PUBLISH_PATIENCE }
    }

    fn away() -> StoreError {
        StoreError::Unavailable { operation: "count", source: "it hangs".into() }
    }

    /// Adds so many times, a second after each other, with this answer of the database. Returns after how long each
    /// addition failed, and how often the database was asked.
    async fn failures(
        additions: u32,
        count: impl AsyncFn() -> Result<u64, StoreError>,
    ) -> (Vec<Duration>, u32) {
        let (stored, asked) = (CountedBytes::default(), Cell::new(0));
        let all = (0..additions).map(|place| {
            let (stored, asked, count) = (&stored, &asked, &count);
            async move {
                sleep(SECOND * place).await;
                let began = Instant::now();
                let counting = stored.add(addition(), async || {
                    asked.set(asked.get() + 1);
                    count().await
                });
                assert!(matches!(counting.await, Err(ApiError::Unavailable)));
                began.elapsed()
            }
        });
        (join_all(all).await, asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_a_database_that_hangs_is_answered_in_time() {
        let (took, _) = failures(12, pending).await;
        assert!(took.iter().all(|&took| took <= PUBLISH_PATIENCE), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn those_in_line_fail_with_a_count_that_fails() {
        let slow_failure = async || {
            sleep(3 * SECOND + SECOND / 2).await;
            Err(away())
        };
        let (took, asked) = failures(4, slow_failure).await;
        assert_eq!(asked, 1);
        assert_eq!(took, [7, 5, 3, 1].map(|halves| SECOND / 2 * halves));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_one_after_a_failure_asks_the_database_again() {
        let stored = CountedBytes::default();
        let failed = stored.add(addition(), async || Err(away()));
        let in_line = stored.add(addition(), async || panic!("nobody is to ask"));
        let (failed, in_line) = join(failed, in_line).await;
        assert!(failed.is_err() && in_line.is_err());
        sleep(Duration::from_millis(1)).await;
        stored.add(addition(), async || Ok(99)).await.unwrap();
        let full = stored.add(addition(), async || panic!("it was counted just now")).await;
        assert!(matches!(full, Err(ApiError::TooManyStoredBytes { limit_bytes: 100, .. })));
    }
}
