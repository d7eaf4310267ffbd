//! Processor time and memory of a process, from `/proc`.

use std::{fs, time::Duration};

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
        let stat = self.read("stat")?;
        let ticks = ticks(&stat).with_context(|| format!("`/proc/{}/stat` is not as expected", self.0))?;
        let rate = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_nanos(ticks * (1_000_000_000 / rate)))
    }

    /// Returns its resident memory in bytes.
    pub(crate) fn resident_bytes(self) -> Result<u64> {
        // The roll-up is exact; the counters of `statm` lag behind by some pages a thread.
        if let Some(kibibytes) = self.read("smaps_rollup").ok().as_deref().and_then(rollup) {
            return Ok(kibibytes * 1024);
        }
        self.resident_bytes_quick()
    }

    /// Returns about the same at a price that does not grow with the memory: for looking often.
    pub(crate) fn resident_bytes_quick(self) -> Result<u64> {
        let statm = self.read("statm")?;
        let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
        let pages = pages.with_context(|| format!("`/proc/{}/statm` is not as expected", self.0))?;
        Ok(pages * rustix::param::page_size() as u64)
    }

    fn read(self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.0);
        fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))
    }
}

fn ticks(stat: &str) -> Option<u64> {
    // The name may hold spaces and brackets: fields are counted behind its last bracket.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn rollup(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added_whatever_the_name() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 1 0 100 1000 10";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("17 (a) S 1"), None);
    }

    #[test]
    fn the_roll_up_s_resident_line_is_read() {
        assert_eq!(rollup("00400000-7ff rollup\nRss:     2044 kB\nPss:  100 kB\n"), Some(2044));
        assert_eq!(rollup("Pss: 1 kB\n"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(Process::own().resident_bytes().unwrap() > 100_000);
        Process::own().cpu().unwrap();
    }
}
