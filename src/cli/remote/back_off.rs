//! How long to wait before a server is asked again.

use std::time::Duration;

use rand::RngExt;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Waiting times that double each time, up to half a minute. Each is shortened by a random part, up to half of it, so
/// that many clients do not come back at the same moment.
pub(super) struct BackOff(Duration);

impl Default for BackOff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl BackOff {
    /// Returns how long to wait now, at least as long as the server has asked for (but not longer than the longest
    /// wait).
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Duration {
        let wait = self.0.mul_f64(rand::rng().random_range(0.5..=1.0));
        self.0 = (self.0 * 2).min(LONGEST);
        wait.max(retry_after.unwrap_or_default()).min(LONGEST)
    }

    /// Begins again with the shortest wait.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_begin_again_after_a_success() {
        let mut back_off = BackOff::default();
        for expected in [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
            let wait = back_off.next(None);
            let expected = Duration::from_millis(expected);
            assert!(wait <= expected && wait >= expected / 2, "{wait:?} for {expected:?}");
        }
        back_off.reset();
        assert!(back_off.next(None) <= FIRST);
    }

    #[test]
    fn a_server_is_left_alone_as_long_as_it_asks_for_up_to_the_limit() {
        assert_eq!(BackOff::default().next(Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(BackOff::default().next(Some(Duration::from_secs(7000))), LONGEST);
    }
}
