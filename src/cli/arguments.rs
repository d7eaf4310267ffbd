//! The arguments of the program. Their documentation is what `--help` prints.

mod database;
mod number;
mod remote;
mod transfer;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub(super) use database::{ApplicationCommand, ClientCommand, UserCommand};
use remote::{SEND_HELP, TAIL_HELP};
pub(super) use remote::{SendArguments, TailArguments};
use transfer::{BACKUP_HELP, COPY_HELP};
pub(super) use transfer::{BackupArguments, CopyArguments, RestoreArguments};

/// Follows the help of every command.
const EXIT_CODES: &str = "\
Exit codes:
  0    the command has done its work
  1    it failed, and standard error says why
  2    the command or a flag is unknown
  75   the database can't be reached now, or its file is locked: the same command may work later
  78   the configuration is wrong, or the database that it names can't be used
  130  a second SIGINT ended the server at once (143: a second SIGTERM)

Signals:
  SIGTERM and SIGINT stop the server: it finishes requests and closes streams. A second one ends it at once. SIGHUP stops
  it too if it has a terminal, unless it was started with `nohup`. Without a terminal, SIGHUP is ignored and logged, as
  SIGUSR1, SIGUSR2 and SIGALRM always are: there is nothing to reload.";

/// A push-notification server that speaks Gotify's API.
#[derive(Debug, Parser)]
#[command(name = "shardcast", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The only configuration file to read: YAML, or lines of NAME=value if its name ends in .env; JSON for `send` and
    /// `tail`, see there. Without it, files are looked for where Gotify 2 and 3 look.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server; this is the default
    Serve,
    /// Print the version, the commit and the date of the build
    Version,
    /// Ask the server that runs with this configuration whether it is healthy
    #[command(name = "healthcheck")]
    HealthCheck,
    /// Print the values in force and where each was set, with secrets masked
    Config {
        #[command(subcommand)]
        command: Option<ConfigCommand>,
    },
    /// Another name of `config check`
    CheckConfig,
    /// Print a configuration file with every key and its default
    DefaultConfig,
    /// Make the changes that the configured database needs, as the start of the server does, and print them
    Migrate {
        /// Only print them
        #[arg(long)]
        dry_run: bool,
    },
    /// Create, list and delete users of the configured database, also while the server runs
    #[command(subcommand)]
    User(UserCommand),
    /// Create and list applications, and replace their tokens
    #[command(subcommand)]
    Application(ApplicationCommand),
    /// Create, list and delete clients
    #[command(subcommand)]
    Client(ClientCommand),
    /// Copy everything from one database to another, of any kind
    #[command(after_help = COPY_HELP)]
    Copy(CopyArguments),
    /// Write the database and the pictures to a file, also while the server runs
    #[command(after_help = BACKUP_HELP)]
    Backup(BackupArguments),
    /// Write a backup into the database and the folder of pictures; the server must not run
    Restore(RestoreArguments),
    /// Send a message to any server that speaks Gotify's API
    #[command(after_help = SEND_HELP)]
    Send(SendArguments),
    /// Print messages of any server that speaks Gotify's API, as they come
    #[command(after_help = TAIL_HELP)]
    Tail(TailArguments),
    /// Print a script with which a shell completes commands and flags
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write man pages
    ManPages {
        /// The folder, which is created if it is not there
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Name all mistakes of the configuration at once, and print no values
    Check,
}

/// A shell that has completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
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
