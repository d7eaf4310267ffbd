//! The arguments of `copy`, `backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use secrecy::SecretString;

/// Follows the help of `copy`.
pub(in crate::cli) const COPY_HELP: &str = "\
Databases are written as their kind, a colon, and what `database.connection` would be:
  sqlite3:data/gotify.db
  postgres:host=localhost user=gotify password=secret dbname=gotify
  mysql:gotify:secret@tcp(localhost:3306)/gotify?parseTime=true&loc=Local

Stop the server of the source first: what it stores meanwhile is not copied. The target must be empty. A copy that was
interrupted goes on when the same command is run again, also if the source has changed since. Pictures that the database
keeps are copied too. If they are files, copy their folder, `uploadedimagesdir`, yourself, or use `backup` and `restore`.

Exit codes:
  0    everything was copied, and both sides have the same rows
  1    it failed, and standard error says why
  2    a flag is unknown or its value is wrong
  3    everything was copied, but for pictures that applications have and the database does not
  75   one of the databases can't be reached now, or its file is locked: the same command may work later
  78   one of the databases can't be used
  129, 130, 143   SIGHUP, SIGINT or SIGTERM ended it";

/// Follows the help of `backup`.
pub(in crate::cli) const BACKUP_HELP: &str = "\
Pictures are read from where the configuration keeps them. In cron and the like, set the same variables as for the
server, or name the same file with --config.

Exit codes:
  0    the backup is written, and was read back
  1    it failed, and standard error says why; there is no file
  2    a flag is unknown
  3    the backup is written, without pictures that applications have and that were not found; standard error names them
  75   the database can't be reached now, or its file is locked: the same command may work later
  78   the configuration is wrong, or the database can't be used
  129, 130, 143   SIGHUP, SIGINT or SIGTERM ended it; there is no file";

#[derive(Debug, Args)]
pub(in crate::cli) struct CopyArguments {
    /// The database to read, which is left as it is. Other users of this machine can see flags in the list of processes:
    /// the variable hides a password
    #[arg(long, env = "SHARDCAST_COPY_FROM", value_name = "DATABASE", hide_env_values = true)]
    pub(in crate::cli) from: SecretString,
    /// The database to write, which must be empty
    #[arg(long, env = "SHARDCAST_COPY_TO", value_name = "DATABASE", hide_env_values = true)]
    pub(in crate::cli) to: SecretString,
    /// Go on without rows that the target can't hold, and name each of them
    #[arg(long)]
    pub(in crate::cli) leave_out: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArguments {
    /// The file to write, which must not exist yet
    #[arg(value_parser = PathBufValueParser::new().try_map(file))]
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArguments {
    /// The file that `backup` has written
    #[arg(value_parser = PathBufValueParser::new().try_map(file))]
    pub(in crate::cli) file: PathBuf,
    /// Delete everything that is in the database first
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Go on without rows that the database can't hold, and name each of them
    #[arg(long)]
    pub(in crate::cli) leave_out: bool,
}

/// Refuses `-`, which elsewhere is standard output or input: a backup is read twice.
fn file(path: PathBuf) -> Result<PathBuf, &'static str> {
    if path.as_os_str() == "-" {
        return Err("a backup is read back, so it must be a file and no pipe; `./-` is a file of this name");
    }
    Ok(path)
}
