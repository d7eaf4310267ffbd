//! The bytes that a sender has stored: counted in the database once, and from then on added up.
//!
//! What is deleted is not subtracted, so the sum is never too low by that. Where it reaches the limit, the database is
//! asked again, but not all the time: a count reads every message of the sender.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two counts.
const COUNT_PERIOD: Duration = Duration::from_secs(10);

/// How many times as long as a count takes nobody counts after it.
const REST: u32 = 20;

/// What a sender has stored, as far as is known.
#[derive(Debug, Default)]
pub(super) struct StoredBytes {
    /// `None` before the first count.
    sum: Option<u64>,
    /// All that was added, also before the first count.
    added: u64,
    /// From when on the database may be asked again.
    count_again_at: Option<Instant>,
}

/// Why bytes were not added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The database must be asked first.
    Uncounted,
    /// The limit would be exceeded.
    Full {
        /// Until the database is asked again.
        retry_after: Duration,
    },
}

/// A count that has begun.
#[derive(Debug)]
pub(super) struct Count {
    began_at: Instant,
    added_before: u64,
}

impl StoredBytes {
    /// Adds bytes that are about to be stored, if there is room for them.
    pub(super) fn add(&mut self, bytes: u64, limit: u64, now: Instant) -> Result<(), Refusal> {
        let sum = self.sum.ok_or(Refusal::Uncounted)?.saturating_add(bytes);
        if sum > limit {
            let retry_after = self.count_again_at.map(|at| at.saturating_duration_since(now));
            let retry_after = retry_after.filter(|wait| !wait.is_zero()).ok_or(Refusal::Uncounted)?;
            return Err(Refusal::Full { retry_after });
        }
        self.sum = Some(sum);
        self.added = self.added.saturating_add(bytes);
        Ok(())
    }

    /// To be called before the database is asked.
    pub(super) fn begin_count(&self, now: Instant) -> Count {
        Count { began_at: now, added_before: self.added }
    }

    /// Takes the answer of the database. What was added meanwhile may be in it or not, and is added to be safe.
    pub(super) fn end_count(&mut self, count: &Count, in_database: u64, now: Instant) {
        self.sum = Some(in_database.saturating_add(self.added.saturating_sub(count.added_before)));
        let took = now.saturating_duration_since(count.began_at);
        self.count_again_at = Some(now + COUNT_PERIOD.max(took * REST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn count(stored: &mut StoredBytes, in_database: u64, now: Instant) {
        let count = stored.begin_count(now);
        stored.end_count(&count, in_database, now);
    }

    #[test]
    fn the_database_is_asked_at_first_and_then_only_where_the_limit_is_reached() {
        let (mut stored, start) = (StoredBytes::default(), Instant::now());
        assert_eq!(stored.add(1, 100, start), Err(Refusal::Uncounted));
        count(&mut stored, 90, start);
        assert_eq!(stored.add(10, 100, start), Ok(()));
        let full = |seconds| Err(Refusal::Full { retry_after: Duration::from_secs(seconds) });
        assert_eq!(stored.add(1, 100, start), full(10));
        assert_eq!(stored.add(1, 100, start + 4 * SECOND), full(6));
        assert_eq!(stored.add(1, 100, start + 10 * SECOND), Err(Refusal::Uncounted));
        // Half of it was deleted.
        count(&mut stored, 50, start + 10 * SECOND);
        assert_eq!(stored.add(50, 100, start + 10 * SECOND), Ok(()));
        assert_eq!(stored.add(1, 100, start + 10 * SECOND), full(10));
    }

    #[test]
    fn what_is_added_while_the_database_counts_is_not_lost() {
        let (mut stored, now) = (StoredBytes::default(), Instant::now());
        count(&mut stored, 0, now);
        stored.add(10, 100, now).unwrap();
        let counting = stored.begin_count(now);
        stored.add(30, 100, now).unwrap();
        stored.end_count(&counting, 10, now);
        assert_eq!(stored.sum, Some(40));
    }

    #[test]
    fn a_slow_count_is_followed_by_a_longer_rest() {
        let (mut stored, start) = (StoredBytes::default(), Instant::now());
        let counting = stored.begin_count(start);
        let end = start + 3 * SECOND;
        stored.end_count(&counting, 100, end);
        assert_eq!(stored.add(1, 100, end), Err(Refusal::Full { retry_after: 60 * SECOND }));
    }
}
