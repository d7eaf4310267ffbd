//! Coarse time, small enough to keep in every stream.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

const TICK: Duration = Duration::from_millis(100);

/// Nobody asks for the time for longer: the process was stopped.
const STOPPED: Duration = Duration::from_secs(5);

/// Tenths of a second on the hub's clock: 13 years fit.
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

/// Runs since the hub was made, and stands still while the process is stopped: by a signal, by a freezer, or with its
/// whole machine. What peers sent in such a time could not be read, so it does not count against them.
///
/// It takes it for a stop if nobody asks for the time for longer than [`STOPPED`]. The sweep asks at least once a second
/// while there are streams.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    /// The ticks since the start when the time was last asked for, and in the lower half how many of them were stops.
    /// Both in one, so that of several threads that notice a stop one counts it.
    asked: AtomicU64,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: Instant::now(), asked: AtomicU64::new(0) }
    }

    /// The time without stops, for what is expected of peers.
    pub(super) fn now(&self) -> Tick {
        let (real, stopped) = self.ask();
        Tick(real.saturating_sub(stopped))
    }

    /// The time with stops, for what others expect of this process.
    pub(super) fn real(&self) -> Tick {
        Tick::default().after_elapsed(self.start.elapsed())
    }

    /// Sums up all stops: it has changed if there was another one.
    pub(super) fn stopped(&self) -> u32 {
        self.ask().1
    }

    fn ask(&self) -> (u32, u32) {
        let Tick(real) = self.real();
        let mut asked = self.asked.load(Ordering::Relaxed);
        loop {
            let (last, mut stopped) = halves(asked);
            // Most of the time, the tick is the same as before.
            if real <= last {
                return (last, stopped);
            }
            if Tick(real) > Tick(last).after(STOPPED) {
                stopped += real - last;
            }
            let now = u64::from(real) << 32 | u64::from(stopped);
            match self.asked.compare_exchange_weak(asked, now, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return (real, stopped),
                Err(by_another) => asked = by_another,
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is meant")]
fn halves(asked: u64) -> (u32, u32) {
    ((asked >> 32) as u32, asked as u32)
}

impl Tick {
    fn after_elapsed(self, elapsed: Duration) -> Self {
        let ticks = elapsed.as_millis() / TICK.as_millis();
        Self(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)))
    }

    /// The first tick after `now` that is a multiple of `period` later.
    pub(super) fn next_after(self, now: Self, period: Duration) -> Self {
        let period = u32::try_from(period.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u32::MAX).max(1);
        let periods = (now.0.saturating_sub(self.0) / period).saturating_add(1);
        Self(self.0.saturating_add(period.saturating_mul(periods)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_stands_still_while_nobody_can_ask() {
        let clock = Clock::start();
        for _ in 0..10 {
            advance(Duration::from_secs(1)).await;
            clock.now();
        }
        assert_eq!((clock.now(), clock.stopped()), (Tick(100), 0));
        advance(Duration::from_hours(1)).await;
        assert_eq!((clock.now(), clock.now(), clock.real()), (Tick(100), Tick(100), Tick(36_100)));
        advance(Duration::from_secs(1)).await;
        assert_eq!((clock.now(), clock.stopped()), (Tick(110), 36_000));
    }

    #[test]
    fn what_is_late_comes_again_at_its_own_time() {
        for (now, expected) in [(100, 145), (109, 145), (145, 190), (1000, 1045), (90, 145)] {
            let next = Tick(100).next_after(Tick(now), Duration::from_millis(4500));
            assert_eq!(next, Tick(expected), "{now}");
        }
    }
}
