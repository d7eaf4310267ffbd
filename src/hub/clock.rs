//! Coarse time, small enough to keep in every stream.

use std::time::Duration;

use tokio::time::Instant;

const TICK: Duration = Duration::from_millis(100);

/// Tenths of a second since the hub was made: 13 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u32);

impl Tick {
    /// The tick so much later; a part of a tick counts as a whole one.
    pub(super) fn after(self, time: Duration) -> Self {
        let ticks = time.as_millis().div_ceil(TICK.as_millis());
        Self(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)))
    }
}

/// Runs since the hub was made.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now() }
    }

    pub(super) fn now(&self) -> Tick {
        Tick::default().after_elapsed(self.start.elapsed())
    }
}

impl Tick {
    fn after_elapsed(self, elapsed: Duration) -> Self {
        let ticks = elapsed.as_millis() / TICK.as_millis();
        Self(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)))
    }
}
