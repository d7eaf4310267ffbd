//! Signals that ask the process to end, and those that would end it although nobody asked for that.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals, from now on caught instead of deadly.
#[derive(Debug)]
pub(super) struct Signals {
    /// Those that end the process.
    ending: Vec<Caught>,
    /// Those that only make a line in the log.
    others: Vec<Caught>,
}

#[derive(Debug)]
struct Caught {
    name: &'static str,
    kind: SignalKind,
    signal: Signal,
}

impl Caught {
    fn catch(name: &'static str, kind: SignalKind) -> io::Result<Self> {
        Ok(Self { name, kind, signal: signal(kind)? })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(self.signal.poll_recv(cx), Poll::Ready(Some(())))
    }
}

impl Signals {
    /// Catches what ends a command: SIGTERM, SIGINT, and SIGHUP, which comes when its terminal is closed. Needs a runtime.
    pub(super) fn of_command() -> io::Result<Self> {
        let mut ending = vec![
            Caught::catch("SIGTERM", SignalKind::terminate())?,
            Caught::catch("SIGINT", SignalKind::interrupt())?,
        ];
        if !hangup_is_ignored() {
            ending.push(Caught::catch("SIGHUP", SignalKind::hangup())?);
        }
        Ok(Self { ending, others: Vec::new() })
    }

    /// Catches what ends a server, and what must not. SIGHUP ends one that has a terminal. A service has none, and whoever
    /// sends it SIGHUP wants it to read its files again, and not to end. Needs a runtime.
    pub(super) fn of_server() -> io::Result<Self> {
        let mut signals = Self::of_command()?;
        if !has_terminal() {
            let is_hangup = |caught: &mut Caught| caught.kind == SignalKind::hangup();
            signals.others = signals.ending.extract_if(.., is_hangup).collect();
        }
        for (name, kind) in [
            ("SIGUSR1", SignalKind::user_defined1()),
            ("SIGUSR2", SignalKind::user_defined2()),
            ("SIGALRM", SignalKind::alarm()),
        ] {
            signals.others.push(Caught::catch(name, kind)?);
        }
        Ok(signals)
    }

    /// Waits for one that ends the process, and returns the exit code of a process that it ends at once. Cancel safe.
    pub(super) async fn next(&mut self) -> u8 {
        let kind = poll_fn(|cx| self.poll(cx)).await;
        // A shell and the kernel may each send SIGHUP for one terminal: a further one is not the second signal that ends a
        // process at once.
        self.ending.retain(|caught| caught.kind != SignalKind::hangup());
        u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<SignalKind> {
        for other in &mut self.others {
            while other.poll(cx) {
                tracing::warn!(
                    "{} is ignored: there is nothing to reload, and certificates are read again by themselves; \
                     SIGTERM stops the server",
                    other.name
                );
            }
        }
        let received = self.ending.iter_mut().find_map(|caught| caught.poll(cx).then_some(caught.kind));
        received.map_or(Poll::Pending, Poll::Ready)
    }
}

/// Whether the process belongs to a terminal, which sends SIGHUP when it is closed.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whether the process was started with SIGHUP ignored, as by `nohup`: then it is to outlive its terminal. Where that is
/// not known, it is not.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, SignalKind::hangup())
}

fn ignores(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (mask >> (kind.as_raw_value() - 1)) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status_of_the_process() {
        let status = "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000000\n";
        assert!(ignores(status, SignalKind::hangup()));
        assert!(!ignores(status, SignalKind::terminate()));
        assert!(!ignores("", SignalKind::hangup()));
    }
}
