//! The limits of this process and of others.

use std::fs;

use anyhow::{Context, Result};
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
        let path = format!("/proc/{}/limits", process.0);
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))?;
        let limit = soft_limit(&text).with_context(|| format!("`{path}` is not as expected"))?;
        Ok(Self { used: used(process)?, limit })
    }

    /// Returns whether there is hardly one left.
    pub(crate) fn is_full(self) -> bool {
        u128::from(self.used) * 100 >= u128::from(self.limit) * u128::from(FULL_PERCENT)
    }
}

/// Returns how many files a process has open.
pub(crate) fn used(process: Process) -> Result<u64> {
    let path = format!("/proc/{}/fd", process.0);
    // Newer kernels give the count as the folder's size; listing ten thousand files each second would disturb.
    let size = fs::metadata(&path).with_context(|| format!("failed to look at `{path}`"))?.len();
    if size > 0 {
        return Ok(size);
    }
    let files = fs::read_dir(&path).with_context(|| format!("failed to list `{path}`"))?;
    Ok(files.count() as u64)
}

fn soft_limit(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
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
    fn the_soft_limit_is_the_first_of_the_two() {
        let text =
            "Limit      Soft Limit  Hard Limit  Units\nMax open files            1024      20000    files\n";
        assert_eq!(soft_limit(text), Some(1024));
        assert_eq!(soft_limit("Max open files   unlimited  unlimited  files\n"), Some(u64::MAX));
        assert_eq!(soft_limit("Max processes 1 1\n"), None);
    }

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
