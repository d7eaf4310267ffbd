//! The load side of the protocol: streams, publishers and the one thread that serves them all.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod api;
pub(crate) mod format;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod message;
pub(crate) mod opener;
pub(crate) mod publisher;
pub(crate) mod reactor;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod sender;
pub(crate) mod stream;
pub(crate) mod tally;
pub(crate) mod transport;
pub(crate) mod upgrade;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Nanoseconds since the clock's start; fits 584 years.
pub(crate) type Nanos = u64;

/// One monotonic clock for a whole run, so that due times can travel inside messages as plain numbers; also to other
/// processes of this machine.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Clock(Nanos);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(monotonic())
    }

    /// Returns the time since the system's start at a moment of this clock.
    pub(crate) fn absolute(self, moment: Nanos) -> Nanos {
        self.0 + moment
    }

    pub(crate) fn now(self) -> Nanos {
        monotonic().saturating_sub(self.0)
    }
}

/// Returns the system's monotonic time, which all processes share.
fn monotonic() -> Nanos {
    let time = clock_gettime(ClockId::Monotonic);
    // It counts up from the system's start.
    Nanos::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + Nanos::try_from(time.tv_nsec).unwrap_or(0)
}
