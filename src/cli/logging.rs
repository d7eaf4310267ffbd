//! The log, on standard error.
//!
//! Whoever logs puts a line into a bounded queue and goes on; a thread of its own writes the lines. An output that is
//! closed, full or slow costs lines, which are counted, and nothing else.

mod line_queue;
mod panics;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tracing::Level;

use crate::config::LogFormat;
use line_queue::{LineQueue, Writing};

/// The log of this process. Dropping it waits for a moment until the last lines are written.
#[derive(Debug)]
pub(super) struct Log {
    lines: LineQueue,
    _writing: Writing,
}

impl Log {
    /// Starts the log, and logs panics from now on. Text has colors on terminals, unless `NOCOLOR=1` (Gotify's) or
    /// `NO_COLOR` says otherwise.
    ///
    /// # Errors
    ///
    /// If there can't be another thread.
    ///
    /// # Panics
    ///
    /// If there is a log already.
    pub(super) fn start(level: Level, format: LogFormat) -> io::Result<Self> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let plain = std::env::var_os("NOCOLOR").is_some_and(|value| value == "1") || set("NO_COLOR");
        let lines = LineQueue::default();
        let writing = lines.write_to(io::stderr(), |lost| {
            tracing::warn!(lost, "lines of the log were lost: its output was closed, full or too slow");
        })?;
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(move || writer.clone())
            .with_target(level >= Level::DEBUG)
            // It would be printed, and a failure to print is a panic.
            .log_internal_errors(false);
        match format {
            LogFormat::Text => log.with_ansi(io::stderr().is_terminal() && !plain).init(),
            LogFormat::Json => {
                log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
            }
        }
        panics::log();
        Ok(Self { lines, _writing: writing })
    }

    /// Returns how many lines were lost since the start; it goes on counting.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "a metric shows it"))]
    pub(super) fn lost_lines(&self) -> Arc<AtomicU64> {
        self.lines.lost()
    }
}
