//! The load side of the protocol: streams, publishers and the one thread that serves them all.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod api;
pub(crate) mod frame;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod message;
pub(crate) mod opener;
pub(crate) mod publisher;
pub(crate) mod reactor;
pub(crate) mod sender;
pub(crate) mod stream;
pub(crate) mod tally;
pub(crate) mod upgrade;

use std::time::Instant;

/// Nanoseconds since the clock's start; fits 584 years.
pub(crate) type Nanos = u64;

/// One monotonic clock for a whole run, so that due times can travel inside messages as plain numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Nanos {
        Nanos::try_from(self.0.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }
}
