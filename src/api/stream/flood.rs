//! How many frames a client may send.

use std::time::Duration;

use tokio::time::Instant;

/// So many frames at once, and one more for each interval: a bucket that holds one point in time.
#[derive(Clone, Copy, Debug)]
pub struct FrameRate {
    /// Frames that may come at once.
    pub burst: u32,
    /// How long it takes until one more may come. Zero allows any number.
    pub interval: Duration,
}

impl FrameRate {
    /// Any number of frames.
    pub const UNLIMITED: Self = Self { burst: 0, interval: Duration::ZERO };
}

impl Default for FrameRate {
    /// Gotify's clients send a pong every 45 s, and perhaps a ping of their own: 100 frames at once and 10 a second
    /// are far beyond that.
    fn default() -> Self {
        Self { burst: 100, interval: Duration::from_millis(100) }
    }
}

/// What one client has used of its rate.
#[derive(Debug, Default)]
pub(super) struct FloodGuard {
    /// When everything that came would have been allowed one by one.
    paid_until: Option<Instant>,
}

impl FloodGuard {
    /// Counts a frame; false if it is one too many.
    pub(super) fn allows(&mut self, rate: &FrameRate, now: Instant) -> bool {
        if rate.interval.is_zero() {
            return true;
        }
        let paid_until = self.paid_until.map_or(now, |paid_until| paid_until.max(now)) + rate.interval;
        self.paid_until = Some(paid_until);
        paid_until - now <= rate.interval * rate.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_then_the_rate() {
        let rate = FrameRate { burst: 5, interval: Duration::from_secs(1) };
        let mut guard = FloodGuard::default();
        let start = Instant::now();
        assert!((0..5).all(|_| guard.allows(&rate, start)));
        assert!(!guard.allows(&rate, start));
        let mut guard = FloodGuard::default();
        assert!((0..100).all(|second| guard.allows(&rate, start + Duration::from_secs(second))));
    }
}
