//! The limits of this process.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the number of open files to what the hard limit allows.
pub(crate) fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, running into the limit is reported with its name.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Returns how many files this process may have open.
pub(crate) fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
