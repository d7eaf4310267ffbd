//! The log, on standard error.

use std::io::{self, IsTerminal};

use tracing::Level;

/// Starts the log. Colours are for terminals, unless `NOCOLOR=1` (Gotify's) or `NO_COLOR` says otherwise.
///
/// # Panics
///
/// If there is a log already.
pub(super) fn init(level: Level) {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let plain = std::env::var_os("NOCOLOR").is_some_and(|value| value == "1") || set("NO_COLOR");
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !plain)
        .with_target(level >= Level::DEBUG)
        .init();
}
