//! Errors with their causes, as people read them.

use std::error::Error;
use std::iter::successors;

/// Writes an error with its causes on one line.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
