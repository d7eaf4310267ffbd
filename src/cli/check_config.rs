//! `shardcast check-config`.

use std::process::ExitCode;

use super::{print_line, print_problem};
use crate::config::Loaded;

/// Prints every key with its value and where it comes from; warnings go to standard error.
pub(super) fn run(loaded: &Loaded) -> ExitCode {
    for (key, value) in loaded.effective() {
        let source = loaded.source(key).unwrap_or("default");
        print_line(&format!("{key}: {value}  # {source}"));
    }
    for warning in &loaded.warnings {
        print_problem(&warning.to_string());
    }
    ExitCode::SUCCESS
}
