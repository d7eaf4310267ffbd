//! How quickly the index is made.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long whoever makes the index rests after each of its steps.
#[derive(Debug)]
pub struct IndexPace {
    /// How many times as long as the step took.
    rests: AtomicU32,
}

impl IndexPace {
    /// Without rests, for tests and the like.
    pub fn unlimited() -> Self {
        Self { rests: AtomicU32::new(0) }
    }

    /// Rests so many times as long as a step took.
    pub(super) fn set(&self, rests: u32) {
        self.rests.store(rests, Ordering::Relaxed);
    }

    /// Rests after a step that took so long.
    #[cfg_attr(
        not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
        expect(dead_code, reason = "there is no database")
    )]
    pub(in crate::store) async fn rest(&self, step: Duration) {
        let rests = self.rests.load(Ordering::Relaxed);
        if rests > 0 {
            tokio::time::sleep(step * rests).await;
        }
    }
}
