//! `shardcast config` and `shardcast config check`.

use std::process::ExitCode;

use super::{print_answer, print_problem};
use crate::config::{Loaded, on_one_line};

/// Prints every key with its value and where it comes from; warnings go to standard error.
pub(super) fn print(loaded: &Loaded) -> ExitCode {
    let lines = loaded.effective().into_iter().map(|(key, value)| {
        let source = loaded.source(key).unwrap_or("default");
        on_one_line(&format!("{key}: {value}  # {source}"))
    });
    let answer: Vec<String> = lines.collect();
    warn(loaded);
    print_answer(&answer.join("\n"))
}

/// Says that there is no mistake, and what was read. A configuration with mistakes was refused when it was loaded.
pub(super) fn check(loaded: &Loaded) -> ExitCode {
    warn(loaded);
    let read = if loaded.files.is_empty() {
        "no file was read".to_owned()
    } else {
        format!("read from {}", on_one_line(&loaded.files.join(" and ")))
    };
    print_answer(&format!("the configuration has no mistakes; {read}"))
}

fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        print_problem(&format!("warning: {warning}"));
    }
}
