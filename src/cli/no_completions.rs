//! A program without `completions` and `man-pages`.

use std::path::Path;
use std::process::ExitCode;

use super::arguments::Shell;
use super::print_problem;
use crate::config::not_built;

pub(super) fn print(_: Shell) -> ExitCode {
    refuse()
}

pub(super) fn write_man_pages(_: &Path) -> ExitCode {
    refuse()
}

fn refuse() -> ExitCode {
    print_problem(&not_built("completions"));
    ExitCode::FAILURE
}
