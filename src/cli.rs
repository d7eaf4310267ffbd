//! The commands of the `shardcast` program. `shardcast --help` documents them and their exit codes.

mod allocator;
mod application;
mod arguments;
mod client;
#[cfg(feature = "completions")]
mod completions;
#[cfg(not(feature = "completions"))]
#[path = "cli/no_completions.rs"]
mod completions;
mod config;
mod database_command;
mod health_check;
mod journal;
mod listing;
mod logging;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "cli/no_metrics.rs"]
mod metrics;
mod migrate;
#[cfg(feature = "oidc")]
mod oidc;
#[cfg(not(feature = "oidc"))]
#[path = "cli/no_oidc.rs"]
mod oidc;
#[cfg(feature = "remote")]
mod remote;
#[cfg(not(feature = "remote"))]
#[path = "cli/no_remote.rs"]
mod remote;
mod runtime;
mod secret_output;
mod serve;
mod service_manager;
mod signals;
mod start_error;
mod transfer;
mod user;
mod version;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::config::{Files, Loaded, default_file, load};
use arguments::{Arguments, Command, ConfigCommand};
use logging::Log;
use service_manager::PassedSockets;

/// What failed may go through later, as in `sysexits.h`.
const EX_TEMPFAIL: u8 = 75;

/// A wrong configuration, as in `sysexits.h`.
const EX_CONFIG: u8 = 78;

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
    let file = arguments.config;
    match arguments.command.unwrap_or(Command::Serve) {
        Command::Version => print_answer(&version::text()),
        Command::DefaultConfig => print_answer(default_file().trim_end()),
        Command::Serve => {
            allocator::give_back_large_blocks();
            with_configuration(file, serve)
        }
        Command::HealthCheck => with_configuration(file, health_check::run),
        Command::Config { command: None } => with_configuration(file, config::print),
        Command::Config { command: Some(ConfigCommand::Check) } | Command::CheckConfig => {
            with_configuration(file, config::check)
        }
        Command::Migrate { dry_run } => with_configuration(file, |loaded| migrate::run(loaded, dry_run)),
        Command::User(command) => with_configuration(file, |loaded| user::run(loaded, command)),
        Command::Application(command) => with_configuration(file, |loaded| application::run(loaded, command)),
        Command::Client(command) => with_configuration(file, |loaded| client::run(loaded, command)),
        Command::Copy(arguments) => transfer::copy(&arguments),
        Command::Backup(arguments) => with_configuration(file, |loaded| transfer::backup(loaded, &arguments)),
        Command::Restore(arguments) => {
            with_configuration(file, |loaded| transfer::restore(loaded, &arguments))
        }
        Command::Send(arguments) => remote::send(arguments, file),
        Command::Tail(arguments) => remote::tail(arguments, file),
        Command::Completions { shell } => completions::print(shell),
        Command::ManPages { folder } => completions::write_man_pages(&folder),
    }
}

/// Loads the configuration and runs a command with it, or names all its mistakes.
fn with_configuration(file: Option<PathBuf>, command: impl FnOnce(&Loaded) -> ExitCode) -> ExitCode {
    let variables = environment().collect();
    let files = file.map_or_else(|| Files::standard(&variables), Files::named);
    match load(&files, variables) {
        Ok(loaded) => command(&loaded),
        Err(error) => {
            print_problem(&error.to_string());
            ExitCode::from(EX_CONFIG)
        }
    }
}

fn serve(loaded: &Loaded) -> ExitCode {
    // Before the log, which has a thread of its own.
    let sockets = match PassedSockets::take() {
        Ok(sockets) => sockets,
        Err(error) => {
            print_problem(&error.to_string());
            return ExitCode::from(EX_CONFIG);
        }
    };
    let log = match Log::start(loaded.log_level(), loaded.log_format()) {
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
    serve::run(loaded, &log, sockets)
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
