//! What other programs use of this machine while a load runs: figures of a busy machine are worse.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use procfs::{CurrentSI as _, KernelStats};

use super::usage::Process;

/// From this part of a core on, others were busy enough to say so, in percent.
const BUSY_PERCENT: u128 = 25;
/// For a shorter time nothing can be said: the clocks are counted to 10 ms.
const SHORTEST: Duration = Duration::from_secs(2);

/// The processor time of all programs, and of those that a load is made of.
#[derive(Debug)]
pub(crate) struct Others {
    target: Option<Process>,
    all: Duration,
    known: Duration,
    stolen: Duration,
    at: Instant,
}

impl Others {
    /// Looks at the machine. `target` is the process that is loaded, if it is on this machine.
    pub(crate) fn look(target: Option<Process>) -> Result<Self> {
        let stat = KernelStats::current().context("failed to read `/proc/stat`")?;
        let time = |ticks: u64| Duration::from_nanos(ticks * (1_000_000_000 / procfs::ticks_per_second()));
        let total = &stat.total;
        Ok(Self {
            target,
            all: time(total.user + total.nice + total.system),
            known: known(target),
            stolen: time(total.steal.unwrap_or_default()),
            at: Instant::now(),
        })
    }

    /// Says what others have used since then, if it was much.
    pub(crate) fn since(&self) -> Option<String> {
        let now = Self::look(self.target).ok()?;
        let elapsed = now.at - self.at;
        let known = now.known.saturating_sub(self.known);
        let others = now.all.saturating_sub(self.all).saturating_sub(known);
        let stolen = now.stolen.saturating_sub(self.stolen);
        said("other programs used", others, elapsed).or_else(|| said("other machines took", stolen, elapsed))
    }
}

fn said(who: &str, used: Duration, elapsed: Duration) -> Option<String> {
    let percent = used.as_millis() * 100 / elapsed.as_millis().max(1);
    (elapsed >= SHORTEST && percent >= BUSY_PERCENT).then(|| format!("{who} {percent} % of a core meanwhile"))
}

/// Returns the processor time of the target and of all processes of this program, which may be drivers too.
fn known(target: Option<Process>) -> Duration {
    let own = procfs::process::Process::myself().and_then(|own| own.exe()).ok();
    let others = procfs::process::all_processes().into_iter().flatten().flatten();
    let same = others.filter(|process| own.is_some() && process.exe().ok() == own);
    let ids = same.filter_map(|process| u32::try_from(process.pid()).ok().map(Process));
    let mut all: Vec<Process> = ids.collect();
    all.extend(target.filter(|target| !all.contains(target)));
    all.into_iter().filter_map(|process| process.cpu().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_much_is_said_and_only_after_a_time() {
        let (half, long) = (Duration::from_millis(1500), Duration::from_secs(3));
        let text = said("other programs used", half, long).unwrap();
        assert_eq!(text, "other programs used 50 % of a core meanwhile");
        assert_eq!(said("other programs used", Duration::from_millis(600), long), None);
        assert_eq!(said("other programs used", half, Duration::from_millis(1900)), None);
    }

    #[test]
    fn this_program_is_known() {
        let own = Process::own().cpu().unwrap();
        let others = Others::look(None).unwrap();
        assert!(others.known >= own && others.all >= others.known, "{others:?}");
    }
}
