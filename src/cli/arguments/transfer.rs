//! The arguments of `copy`, `backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
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
  78   one of the databases can't be opened
  130  SIGINT ended it (143: SIGTERM)";

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
    pub(in crate::cli) file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArguments {
    /// The file that `backup` has written
    pub(in crate::cli) file: PathBuf,
    /// Delete everything that is in the database first
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Go on without rows that the database can't hold, and name each of them
    #[arg(long)]
    pub(in crate::cli) leave_out: bool,
}
