//! A name and password that could not be checked.

use std::time::Duration;

use super::Overloaded;
use crate::store::StoreError;

/// Why it is not known whether a name and password are right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The user can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many others wait for their turn.
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    /// Too many were wrong, from this address or for this name.
    #[error("too many failed logins, try again in {} s", whole_seconds(*.retry_after))]
    TooManyFailures {
        /// How long it takes until another one is checked.
        retry_after: Duration,
    },
}

/// Rounds up, so that whoever waits for so long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
