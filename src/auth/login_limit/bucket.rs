//! Failures that are counted, as a leaky bucket that holds one time stamp (GCRA).

use std::time::Duration;

use tokio::time::Instant;

/// How many failures a bucket holds, and how fast it leaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    failures: u32,
    /// The time in which one failure leaks out.
    interval: Duration,
}

/// Why no attempt may be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The bucket is full of failures.
    UsedUp {
        /// Until one has leaked out.
        retry_after: Duration,
    },
    /// It would be if the attempts that run now failed.
    Undecided,
}

/// The failures of one address or name, and its attempts that run.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    /// When all failures will have leaked out.
    empty_at: Option<Instant>,
    running: u32,
}

impl Allowance {
    /// `None` for no failures, which stands for no limit.
    pub(super) fn new(failures: u32, window: Duration) -> Option<Self> {
        let interval = window.checked_div(failures)?;
        Some(Self { failures, interval })
    }

    /// The time that a full bucket takes to leak out, less one failure.
    fn tolerance(&self) -> Duration {
        self.interval.saturating_mul(self.failures - 1)
    }
}

impl Bucket {
    /// Answers whether an attempt may begin.
    pub(super) fn check(&self, allowance: &Allowance, now: Instant) -> Result<(), Refusal> {
        let level = self.empty_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        if let Some(retry_after) = level.checked_sub(allowance.tolerance()).filter(|wait| !wait.is_zero()) {
            return Err(Refusal::UsedUp { retry_after });
        }
        if level + allowance.interval.saturating_mul(self.running) > allowance.tolerance() {
            return Err(Refusal::Undecided);
        }
        Ok(())
    }

    /// Begins an attempt, which has to be ended by [`Self::end`].
    pub(super) fn begin(&mut self) {
        self.running += 1;
    }

    /// Ends an attempt, which has failed or not.
    pub(super) fn end(&mut self, failed: bool, allowance: &Allowance, now: Instant) {
        self.running = self.running.saturating_sub(1);
        if failed {
            let from = self.empty_at.map_or(now, |at| at.max(now));
            self.empty_at = Some(from + allowance.interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn allowance() -> Allowance {
        Allowance::new(3, 30 * SECOND).unwrap()
    }

    fn try_begin(bucket: &mut Bucket, now: Instant) -> Result<(), Refusal> {
        bucket.check(&allowance(), now)?;
        bucket.begin();
        Ok(())
    }

    fn fail(bucket: &mut Bucket, now: Instant) {
        try_begin(bucket, now).unwrap();
        bucket.end(true, &allowance(), now);
    }

    #[test]
    fn after_the_failures_allowed_it_takes_an_interval_for_each_further_one() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        for _ in 0..3 {
            fail(&mut bucket, start);
        }
        assert_eq!(try_begin(&mut bucket, start), Err(Refusal::UsedUp { retry_after: 10 * SECOND }));
        assert_eq!(try_begin(&mut bucket, start + 9 * SECOND), Err(Refusal::UsedUp { retry_after: SECOND }));
        fail(&mut bucket, start + 10 * SECOND);
        assert!(try_begin(&mut bucket, start + 10 * SECOND).is_err());
    }

    #[test]
    fn after_a_quiet_window_all_failures_are_allowed_again() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        for at in [start, start + 30 * SECOND] {
            for _ in 0..3 {
                fail(&mut bucket, at);
            }
            assert!(try_begin(&mut bucket, at).is_err());
        }
    }

    #[test]
    fn successes_use_nothing_up() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        for _ in 0..100 {
            try_begin(&mut bucket, now).unwrap();
            bucket.end(false, &allowance(), now);
        }
    }

    #[test]
    fn what_runs_might_fail() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        for _ in 0..3 {
            try_begin(&mut bucket, now).unwrap();
        }
        assert_eq!(try_begin(&mut bucket, now), Err(Refusal::Undecided));
        bucket.end(false, &allowance(), now);
        assert_eq!(try_begin(&mut bucket, now), Ok(()));
        for _ in 0..3 {
            bucket.end(true, &allowance(), now);
        }
        assert!(matches!(try_begin(&mut bucket, now), Err(Refusal::UsedUp { .. })));
    }

    #[test]
    fn no_failures_stand_for_no_limit() {
        assert!(Allowance::new(0, SECOND).is_none());
    }
}
