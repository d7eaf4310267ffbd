//! One line with live figures while something takes long; only on a terminal.

use std::{
    io::{IsTerminal, stderr},
    time::{Duration, Instant},
};

use crate::report::terminal;

const PERIOD: Duration = Duration::from_millis(200);

/// Counts towards a total; the line goes away when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    total: u64,
    started: Instant,
    shown: Option<Instant>,
    enabled: bool,
}

impl Progress {
    /// With a total of 0 no total is shown.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        Self { what, total, started: Instant::now(), shown: None, enabled: stderr().is_terminal() }
    }

    /// Shows how far it is, a few times a second at most.
    pub(crate) fn show(&mut self, count: u64) {
        if !self.enabled || self.shown.is_some_and(|shown| shown.elapsed() < PERIOD) {
            return;
        }
        self.shown = Some(Instant::now());
        let seconds = self.started.elapsed().as_secs();
        let total = if self.total == 0 { String::new() } else { format!(" of {}", self.total) };
        terminal::overwrite(&format!("{count}{total} {}, {seconds} s", self.what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            terminal::overwrite("");
        }
    }
}
