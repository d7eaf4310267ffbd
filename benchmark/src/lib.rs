//! Load tester for Gotify-compatible push servers, which it knows by their public protocol alone.
//!
//! The library is for its own program and its fuzz targets.

mod baseline;
mod bus;
mod cli;
mod client;
mod driver;
mod echo;
#[cfg(fuzzing)]
pub mod fuzzing;
mod orchestrator;
mod peer;
mod plan;
mod process;
mod report;
mod rounds;
mod run;
mod scenario;
mod summary;

use std::process::ExitCode;

use clap::Parser;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    match cli::run(&cli::Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            report::terminal::warn(&format!("shardcast-bench: {error:#}"));
            let code = if error.is::<run::ThresholdsMissed>() { run::THRESHOLDS_MISSED } else { 2 };
            ExitCode::from(code)
        }
    }
}
