//! Messages per minute, as a leaky bucket that holds one time stamp (GCRA).

use std::time::Duration;

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_mins(1);

/// The messages of a sender. All of a minute's may come at once; they come back evenly.
#[derive(Debug, Default)]
pub(super) struct Rate {
    /// When all of them will have come back.
    full_at: Option<Instant>,
}

impl Rate {
    /// Takes one of so many messages per minute, at least one, or returns when the next one will be there.
    pub(super) fn take(&mut self, per_minute: u32, now: Instant) -> Result<(), Duration> {
        let interval = MINUTE / per_minute;
        let from = self.full_at.map_or(now, |at| at.max(now));
        let excess = (from + interval).saturating_duration_since(now + MINUTE);
        if excess.is_zero() {
            self.full_at = Some(from + interval);
            Ok(())
        } else {
            Err(excess)
        }
    }

    /// Gives one back that was taken.
    pub(super) fn give_back(&mut self, per_minute: u32) {
        self.full_at = self.full_at.and_then(|at| at.checked_sub(MINUTE / per_minute));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_minutes_messages_may_come_at_once_and_then_one_per_interval() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for _ in 0..6 {
            assert_eq!(rate.take(6, start), Ok(()));
        }
        assert_eq!(rate.take(6, start), Err(10 * SECOND));
        assert_eq!(rate.take(6, start + 9 * SECOND), Err(SECOND));
        assert_eq!(rate.take(6, start + 10 * SECOND), Ok(()));
        assert_eq!(rate.take(6, start + 10 * SECOND), Err(10 * SECOND));
        let later = start + 100 * SECOND;
        assert!((0..6).all(|_| rate.take(6, later).is_ok()));
        assert_eq!(rate.take(6, later), Err(10 * SECOND));
    }

    #[test]
    fn what_is_given_back_may_be_taken_again() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(rate.take(1, now), Ok(()));
            rate.give_back(1);
        }
    }
}
