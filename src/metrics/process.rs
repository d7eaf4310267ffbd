//! The process as the kernel sees it, under the names that every Prometheus client uses.
//!
//! Memory, open files and the start come from Linux' `/proc`, by a line of code for each number. The crate procfs
//! reads them too, but builds on Linux alone, and the server also builds on macOS. There, and wherever else there is no
//! `/proc`, none of these metrics is registered.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prometheus::{Counter, Gauge, IntGauge, Registry};
use rustix::{
    param::{clock_ticks_per_second, page_size},
    process::{Resource, getrlimit},
    time::{ClockId, clock_gettime},
};

use super::{
    count,
    family::{Family, registered},
};

macro_rules! process_metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $kind:ty = $name:literal,)+) => {
        /// What is known of the process; as of the last update.
        pub(super) struct Process {
            $($(#[doc = $help])+ $field: $kind,)+
        }

        impl Process {
            fn registered(registry: &Registry) -> Self {
                Self { $($field: Family::register(registry, $name, concat!($($help),+).trim_start()),)+ }
            }
        }
    };
}

process_metrics! {
    /// User and system CPU time spent, in seconds.
    cpu_seconds: Counter = "process_cpu_seconds_total",
    /// Resident memory, in bytes.
    resident_bytes: IntGauge = "process_resident_memory_bytes",
    /// Virtual memory, in bytes.
    virtual_bytes: IntGauge = "process_virtual_memory_bytes",
    /// Open file descriptors.
    open_files: IntGauge = "process_open_fds",
    /// The limit of open file descriptors.
    open_files_limit: IntGauge = "process_max_fds",
    /// When the process started, in seconds since 1970.
    started_at: Gauge = "process_start_time_seconds",
}

impl Process {
    /// Registers the metrics, unless this system has no `/proc` to take them from.
    pub(super) fn register(registry: &Registry) -> Option<Self> {
        let started_at = started_at()?;
        memory_pages()?;
        let process = Self::registered(registry);
        process.started_at.set(started_at.as_secs_f64());
        Some(process)
    }

    /// Looks again. What can't be read keeps its last value.
    pub(super) fn update(&self) {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = Duration::new(cpu.tv_sec.unsigned_abs(), u32::try_from(cpu.tv_nsec).unwrap_or(0));
        self.cpu_seconds.inc_by((cpu.as_secs_f64() - self.cpu_seconds.get()).max(0.0));
        if let Some((size, resident)) = memory_pages() {
            self.virtual_bytes.set(count(size * page_size()));
            self.resident_bytes.set(count(resident * page_size()));
        }
        if let Some(open) = open_files() {
            self.open_files.set(i64::try_from(open).unwrap_or(i64::MAX));
        }
        let limit = getrlimit(Resource::Nofile).current;
        self.open_files_limit.set(limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(i64::MAX));
    }
}

impl Family for Counter {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        registered(registry, Self::new(name, help))
    }
}

impl Family for Gauge {
    fn register(registry: &Registry, name: &str, help: &str) -> Self {
        registered(registry, Self::new(name, help))
    }
}

/// Pages of virtual and of resident memory (`proc_pid_statm`, section 5 of the Linux manual).
fn memory_pages() -> Option<(usize, usize)> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split(' ').map_while(|field| field.parse().ok());
    Some((pages.next()?, pages.next()?))
}

/// Counts the open files. Since Linux 6.2 the folder's size is that count; before, each entry has to be looked at.
fn open_files() -> Option<u64> {
    let counted = fs::metadata("/proc/self/fd").ok()?.len();
    if counted > 0 {
        return Some(counted);
    }
    // Less the one that reads them.
    Some((fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1))
}

/// When the process started, since 1970.
fn started_at() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, which may hold anything; `starttime` is the 22nd.
    let ticks: u64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
    let started = Duration::from_millis(ticks * 1000 / clock_ticks_per_second());
    let age = Duration::try_from_secs_f64(uptime).ok()?.saturating_sub(started);
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let started = started_at().unwrap();
        // Afterwards: the kernel counts in hundredths of a second, so that a process may seem to start just now.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(started <= now && now.saturating_sub(started) < Duration::from_hours(24), "{started:?}");
        let (size, resident) = memory_pages().unwrap();
        assert!(size >= resident && resident > 0);

        let registry = Registry::new();
        let process = Process::register(&registry).unwrap();
        let files: Vec<_> = (0..50).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        process.update();
        assert!(process.open_files.get() >= 50, "{}", process.open_files.get());
        drop(files);
        assert!(process.cpu_seconds.get() > 0.0);
    }
}
