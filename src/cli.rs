//! The commands of the `shardcast` program. `shardcast --help` documents them and their exit codes.

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
mod user;
mod version;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Files, Loaded};
use logging::Log;

/// A wrong configuration, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

/// Follows the help of every command.
const EXIT_CODES: &str = "\
Exit codes:
  0    the command has done its work
  1    it failed, and standard error says why
  2    the command or a flag is unknown
  78   the configuration is wrong, or the database that it names can't be opened
  130  a second SIGINT ended the server at once (143: a second SIGTERM)";

/// A push-notification server that speaks Gotify's API.
#[derive(Debug, Parser)]
#[command(name = "shardcast", version, after_help = EXIT_CODES)]
struct Arguments {
    /// The only configuration file to read: YAML, or lines of NAME=value if its name ends in .env.
    /// Without it, files are looked for where Gotify 2 and 3 look.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server; this is the default
    Serve,
    /// Print the version, the commit and the date of the build
    Version,
    /// Ask the server that runs with this configuration whether it is healthy
    #[command(name = "healthcheck")]
    HealthCheck,
    /// Print the values in force and where each was set, with secrets masked
    CheckConfig,
    /// Print a configuration file with every key and its default
    DefaultConfig,
    /// Look after users
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Give a user a random password and print it, also while the server runs
    ResetPassword {
        /// The name of the user
        name: String,
    },
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
        Command::Serve | Command::HealthCheck | Command::CheckConfig | Command::User(_) => {}
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
        Command::User(UserCommand::ResetPassword { name }) => user::reset_password(&loaded, &name),
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

/// Writes an error with its causes on one line.
fn with_sources(error: &dyn Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        parts.push(error.to_string());
        source = error.source();
    }
    parts.join(": ")
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
