//! The time of day, for what expires.

use tokio::time::Instant;

use crate::model::Timestamp;

/// Tells the time of day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Copy, Debug, Default)]
enum Source {
    #[default]
    System,
    Runtime {
        start: Timestamp,
        since: Instant,
    },
}

impl Clock {
    /// The machine's clock, in its zone.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that shows `start` now and goes on with the runtime's time, which tests can pause and advance.
    pub fn of_runtime(start: Timestamp) -> Self {
        Self(Source::Runtime { start, since: Instant::now() })
    }

    /// Returns what time it is.
    pub fn now(&self) -> Timestamp {
        match self.0 {
            Source::System => chrono::Local::now().fixed_offset(),
            Source::Runtime { start, since } => start + since.elapsed(),
        }
    }

    /// Returns the milliseconds since 1970, which takes less time than [`Self::now`].
    pub fn unix_millis(&self) -> i64 {
        match self.0 {
            Source::System => chrono::Utc::now().timestamp_millis(),
            Source::Runtime { .. } => self.now().timestamp_millis(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_clock_of_the_runtime_goes_with_its_time() {
        let start = chrono::DateTime::parse_from_rfc3339("2026-11-23T19:26:10.5+01:00").unwrap();
        let clock = Clock::of_runtime(start);
        assert_eq!(clock.now(), start);
        tokio::time::advance(Duration::from_millis(1500)).await;
        assert_eq!(clock.now().to_rfc3339(), "2026-11-23T19:26:12+01:00");
        assert_eq!(clock.unix_millis(), start.timestamp_millis() + 1500);
    }
}
