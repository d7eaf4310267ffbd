//! The one place that writes to the terminal.

/// Prints a line of the result.
#[expect(clippy::print_stdout, reason = "printing results is what this program is for")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints a line about the run itself.
#[expect(clippy::print_stderr, reason = "what is said about a run must not mix with its results")]
pub(crate) fn warn(text: &str) {
    eprintln!("{text}");
}
