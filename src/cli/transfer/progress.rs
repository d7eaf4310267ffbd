//! How far a copy is: one line that changes on a terminal, and lines of the log otherwise.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::store::transfer::TransferProgress;

/// How often the line on a terminal changes, and how often there is a line in the log.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// Returns to the beginning of the line, and deletes it.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Where progress is shown.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    shown_at: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), shown_at: Mutex::new(Instant::now()) }
    }

    /// Shows it, unless something was shown a moment ago.
    pub(super) fn show(&self, TransferProgress { table, done, total }: TransferProgress) {
        let pause = if self.is_terminal { ON_TERMINAL } else { IN_LOG };
        let mut shown_at = self.shown_at.lock();
        if shown_at.elapsed() < pause {
            return;
        }
        *shown_at = Instant::now();
        drop(shown_at);
        if self.is_terminal {
            // Where the terminal is gone, nobody misses it.
            let _ = write!(io::stderr(), "{CLEAR_LINE}{table}: {done} of {total}");
        } else {
            tracing::info!(table, done, total, "moved {done} of {total} {table}");
        }
    }

    /// Deletes the line on a terminal.
    pub(super) fn clear(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "{CLEAR_LINE}");
        }
    }
}
