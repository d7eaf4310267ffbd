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

/// How many connections there may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Served or upgraded.
    pub(super) admitted: usize,
    /// Being turned away.
    pub(super) refused: usize,
}

impl Limits {
    /// Admits what is wanted, but always less than the limit of open files.
    pub(super) fn new(wanted: Option<usize>) -> Self {
        let possible = Self::below(getrlimit(Resource::Nofile).current);
        if let Some(wanted) = wanted.filter(|wanted| *wanted > possible.admitted) {
            tracing::warn!(
                wanted,
                possible = possible.admitted,
                "the limit of open files allows fewer connections"
            );
        }
        let admitted = wanted.map_or(possible.admitted, |wanted| wanted.min(possible.admitted));
        Self { admitted, ..possible }
    }

    fn below(open_files: Option<u64>) -> Self {
        let open_files = open_files.unwrap_or(UNLIMITED);
        // A quarter at most, so that a tiny limit still leaves room for connections.
        let headroom = HEADROOM.min(open_files / 4);
        let size = |files| usize::try_from(files).unwrap_or(usize::MAX);
        Self { admitted: size(open_files - headroom), refused: size(headroom / 4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_stay_below_the_limit_of_open_files() {
        assert_eq!(Limits::below(Some(20_000)), Limits { admitted: 19_744, refused: 64 });
        assert_eq!(Limits::below(Some(64)), Limits { admitted: 48, refused: 4 });
        assert_eq!(Limits::below(None).admitted, (1 << 24) - 256);
    }

    #[test]
    fn a_wish_is_granted_up_to_what_is_possible() {
        assert_eq!(Limits::new(Some(1)).admitted, 1);
        assert_eq!(Limits::new(Some(usize::MAX)), Limits::new(None));
    }
}
