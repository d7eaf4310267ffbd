//! How many connections the process can hold.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files kept for the database, the refusals and the rest.
const HEADROOM: u64 = 256;

/// The cap where neither the configuration nor the system sets one.
const UNLIMITED: u64 = 1 << 24;

/// Raises this process' limit of open files as far as it may. For programs, not for libraries: it concerns the
/// whole process.
pub fn raise_open_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}

/// Returns how many connections are admitted: what is wanted, but always below the limit of open files.
pub(super) fn connection_cap(wanted: Option<usize>) -> usize {
    let possible = below_limit(getrlimit(Resource::Nofile).current);
    if let Some(wanted) = wanted.filter(|wanted| *wanted > possible) {
        tracing::warn!(wanted, possible, "the limit of open files allows fewer connections");
    }
    wanted.map_or(possible, |wanted| wanted.min(possible))
}

fn below_limit(open_files: Option<u64>) -> usize {
    let open_files = open_files.unwrap_or(UNLIMITED);
    // A quarter at most, so that a tiny limit still leaves room for connections.
    let headroom = HEADROOM.min(open_files / 4);
    usize::try_from(open_files - headroom).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_stays_below_the_limit_of_open_files() {
        assert_eq!(below_limit(Some(20_000)), 19_744);
        assert_eq!(below_limit(Some(64)), 48);
        assert_eq!(below_limit(None), (1 << 24) - 256);
    }

    #[test]
    fn a_wish_is_granted_up_to_what_is_possible() {
        assert_eq!(connection_cap(Some(1)), 1);
        assert_eq!(connection_cap(Some(usize::MAX)), connection_cap(None));
    }
}
