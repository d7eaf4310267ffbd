//! Load tester for Gotify-compatible push servers, which it knows by their public protocol alone.

mod baseline;
mod bus;
mod cli;
mod client;
mod driver;
mod echo;
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

fn main() -> ExitCode {
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
