//! A program without `send` and `tail`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::arguments::{SendArguments, TailArguments};
use super::print_problem;
use crate::config::not_built;

pub(super) fn send(_: SendArguments, _: Option<PathBuf>) -> ExitCode {
    refuse()
}

pub(super) fn tail(_: TailArguments, _: Option<PathBuf>) -> ExitCode {
    refuse()
}

fn refuse() -> ExitCode {
    print_problem(&not_built("remote"));
    ExitCode::FAILURE
}
