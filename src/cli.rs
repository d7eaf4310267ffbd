//! The command line.
//!
//! Exit codes: 0 done, 1 failed, 2 unknown command or flag, 78 (`EX_CONFIG`) wrong configuration, and 128 plus its
//! number after a second signal.

mod check_config;
mod health_check;
mod logging;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "cli/no_metrics.rs"]
mod metrics;
#[cfg(feature = "oidc")]
mod oidc;
#[cfg(not(feature = "oidc"))]
#[path = "cli/no_oidc.rs"]
mod oidc;
mod runtime;
mod serve;
mod signals;
mod start_error;
mod version;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Files, Loaded};
use logging::Log;

/// A wrong configuration, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

/// A push-notification server that speaks Gotify's API.
#[derive(Debug, Parser)]
#[command(name = "shardcast", version)]
struct Arguments {
    /// The configuration file, instead of ./config.yml or /etc/gotify/config.yml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server (the default)
    Serve,
    /// Prints the version, the commit and the date of the build
    Version,
    /// Asks the running server whether it is well
    #[command(name = "healthcheck")]
    HealthCheck,
    /// Prints the effective configuration, with secrets masked
    CheckConfig,
    /// Prints a configuration file with every key and its default
    DefaultConfig,
}

/// Runs the program with its arguments and environment.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Also help and `--version`, with exit code 0.
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let command = arguments.command.unwrap_or(Command::Serve);
    match command {
        Command::Version => return print_answer(&version::text()),
        Command::DefaultConfig => return print_answer(config::default_file().trim_end()),
        Command::Serve | Command::HealthCheck | Command::CheckConfig => {}
    }

    let variables = environment().collect();
    let files = arguments.config.map_or_else(|| Files::standard(&variables), Files::named);
    let loaded = match config::load(&files, variables) {
        Ok(loaded) => loaded,
        Err(error) => {
            print_problem(&error.to_string());
            return ExitCode::from(EX_CONFIG);
        }
    };
    match command {
        Command::CheckConfig => check_config::run(&loaded),
        Command::HealthCheck => health_check::run(&loaded),
        Command::Serve | Command::Version | Command::DefaultConfig => serve(&loaded),
    }
}

fn serve(loaded: &Loaded) -> ExitCode {
    let log = match Log::start(loaded.log_level()) {
        Ok(log) => log,
        Err(error) => {
            print_problem(&format!("failed to start the log: {error}"));
            return ExitCode::FAILURE;
        }
    };
    for file in &loaded.files {
        tracing::info!(file, "configuration read from {file}");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    crate::server::raise_open_file_limit();
    serve::run(loaded, &log)
}

/// The variables of this process. What is not Unicode becomes U+FFFD: a name like that is none of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// Prints the answer of a command, and returns the exit code: 1 if the answer was lost.
fn print_answer(text: &str) -> ExitCode {
    match print_line(text) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            print_problem(&format!("failed to write to standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints to standard output. `println!` would panic where the output is closed or full.
fn print_line(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{text}")?;
    output.flush()
}

/// Prints why the command can't do its work. Where that is impossible, the exit code has to do.
fn print_problem(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_description_of_the_arguments_is_sound() {
        Arguments::command().debug_assert();
    }
}
