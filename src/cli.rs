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

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Files, Loaded};

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
    /// Prints the version
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
        Command::Version => {
            print_line(env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Command::DefaultConfig => {
            print_line(config::default_file().trim_end());
            return ExitCode::SUCCESS;
        }
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
    logging::init(loaded.log_level());
    for file in &loaded.files {
        tracing::info!(file, "configuration read from {file}");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    crate::server::raise_open_file_limit();
    serve::run(loaded)
}

/// The variables of this process. What is not Unicode becomes U+FFFD: a name like that is none of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |text: OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// Prints what was asked for.
#[expect(clippy::print_stdout, reason = "standard output is where a command's answer goes")]
fn print_line(line: &str) {
    println!("{line}");
}

/// Prints why the command can't do its work.
#[expect(clippy::print_stderr, reason = "there is no log yet, or the command has none")]
fn print_problem(text: &str) {
    eprintln!("{text}");
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
