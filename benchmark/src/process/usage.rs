//! Processor time and memory of a process, from `/proc`.

use std::time::Duration;

use anyhow::{Context, Result};

/// A process on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Returns this process.
    pub(crate) fn own() -> Self {
        Self(std::process::id())
    }

    /// Returns the processor time it has used, user and system, all threads; to 10 ms.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let stat = self.open()?.stat().with_context(|| self.unreadable("stat"))?;
        let nanos_per_tick = 1_000_000_000 / procfs::ticks_per_second();
        Ok(Duration::from_nanos((stat.utime + stat.stime) * nanos_per_tick))
    }

    /// Returns its resident memory in bytes.
    pub(crate) fn resident_bytes(self) -> Result<u64> {
        // The roll-up is exact; the counters of `statm` lag behind by some pages per thread.
        let rollup = self.open()?.smaps_rollup().ok();
        let exact =
            rollup.and_then(|rollup| rollup.memory_map_rollup.0.first()?.extension.map.get("Rss").copied());
        exact.map_or_else(|| self.resident_bytes_quick(), Ok)
    }

    /// Returns about the same at a price that does not grow with the memory: for looking often.
    pub(crate) fn resident_bytes_quick(self) -> Result<u64> {
        let statm = self.open()?.statm().with_context(|| self.unreadable("statm"))?;
        Ok(statm.resident * procfs::page_size())
    }

    /// Opens its folder in `/proc`.
    pub(super) fn open(self) -> Result<procfs::process::Process> {
        let id = i32::try_from(self.0).with_context(|| format!("{} is no process id", self.0))?;
        procfs::process::Process::new(id).with_context(|| format!("failed to look at process {id}"))
    }

    pub(super) fn unreadable(self, file: &str) -> String {
        format!("failed to read `/proc/{}/{file}`", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_memory_and_time() {
        let own = Process::own();
        let (exact, quick) = (own.resident_bytes().unwrap(), own.resident_bytes_quick().unwrap());
        assert!(exact > 100_000 && quick > 100_000, "{exact} {quick}");
        own.cpu().unwrap();
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        let error = Process(u32::MAX / 2).cpu().unwrap_err();
        assert_eq!(error.to_string(), "failed to look at process 2147483647");
    }
}
