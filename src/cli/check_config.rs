//! `shardcast check-config`.

use std::process::ExitCode;

use super::{print_answer, print_problem};
use crate::config::Loaded;

/// Prints every key with its value and where it comes from; warnings go to standard error.
pub(super) fn run(loaded: &Loaded) -> ExitCode {
    let lines = loaded.effective().into_iter().map(|(key, value)| {
        let source = loaded.source(key).unwrap_or("default");
        format!("{key}: {value}  # {source}")
    });
    let answer: Vec<String> = lines.collect();
    for warning in &loaded.warnings {
        print_problem(&warning.to_string());
    }
    print_answer(&answer.join("\n"))
}
