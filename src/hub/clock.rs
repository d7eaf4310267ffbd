//! Coarse time, small enough to keep in every stream.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::time::Instant;

const TICK: Duration = Duration::from_millis(100);

/// Tenths of a second since the hub was made: 13 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u32);

impl Tick {
    /// After all that comes.
    pub(super) const NEVER: Self = Self(u32::MAX);

    /// The tick so much later; a part of a tick counts as a whole one.
    pub(super) fn after(self, time: Duration) -> Self {
        let ticks = time.as_millis().div_ceil(TICK.as_millis());
        Self(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)))
    }
}

/// A tick that several threads change. It is [`Tick::NEVER`] at first.
#[derive(Debug)]
pub(super) struct AtomicTick(AtomicU32);

impl AtomicTick {
    pub(super) fn load(&self) -> Tick {
        Tick(self.0.load(Ordering::Relaxed))
    }

    pub(super) fn store(&self, tick: Tick) {
        self.0.store(tick.0, Ordering::Relaxed);
    }
}

impl Default for AtomicTick {
    fn default() -> Self {
        Self(AtomicU32::new(Tick::NEVER.0))
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
