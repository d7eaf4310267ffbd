//! The limits of this process and of others.

use anyhow::{Context, Result};
use procfs::process::LimitValue;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::process::usage::Process;

/// Above this share of its open files a process is taken to be stopped by their limit: servers keep some back.
const FULL_PERCENT: u64 = 95;

/// The open files of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

impl OpenFiles {
    /// Looks at a process.
    pub(crate) fn of(process: Process) -> Result<Self> {
        let limits = process.open()?.limits().with_context(|| process.unreadable("limits"))?;
        let limit = match limits.max_open_files.soft_limit {
            LimitValue::Unlimited => u64::MAX,
            LimitValue::Value(value) => value,
        };
        Ok(Self { used: used(process)?, limit })
    }

    /// Returns whether there is hardly one left.
    pub(crate) fn is_full(self) -> bool {
        u128::from(self.used) * 100 >= u128::from(self.limit) * u128::from(FULL_PERCENT)
    }
}

/// Returns how many files a process has open.
pub(crate) fn used(process: Process) -> Result<u64> {
    let count = process.open()?.fd_count().with_context(|| process.unreadable("fd"))?;
    Ok(count as u64)
}

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

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_process_is_full_shortly_before_its_limit() {
        assert!(OpenFiles { used: 950, limit: 1000 }.is_full());
        assert!(!OpenFiles { used: 949, limit: 1000 }.is_full());
        assert!(!OpenFiles { used: u64::MAX / 2, limit: u64::MAX }.is_full());
    }

    #[test]
    fn opening_files_shows_in_the_count() {
        let before = used(Process::own()).unwrap();
        let held: Vec<File> = (0..50).map(|_| File::open("/dev/null").unwrap()).collect();
        // Other tests of this process open and close a few of their own.
        assert!(used(Process::own()).unwrap() + 25 >= before + held.len() as u64);
        assert_eq!(OpenFiles::of(Process::own()).unwrap().limit, open_files());
    }
}
