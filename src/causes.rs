//! Errors with their causes, as people read them.

use std::error::Error;
use std::iter::successors;

use crate::config::on_one_line;

/// Writes an error with its causes on one line. Control characters are escaped: names that users have chosen may be in it,
/// and a terminal would obey them.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    on_one_line(&causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
