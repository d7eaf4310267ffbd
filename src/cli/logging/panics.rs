//! Panics, in the log.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

/// Logs every panic of this process from now on, instead of printing it: printing waits for an output that is slow.
/// `RUST_BACKTRACE=1` adds a backtrace.
pub(super) fn log() {
    panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let location = panic.location().map(tracing::field::display);
        let text = panic.payload_as_str().unwrap_or("a value that is no text");
        let backtrace = Backtrace::capture();
        let backtrace =
            (backtrace.status() == BacktraceStatus::Captured).then(|| tracing::field::display(&backtrace));
        tracing::error!(thread = thread.name(), location, backtrace, "panicked, which is a defect: {text}");
    }));
}
