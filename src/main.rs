//! The `shardcast` program; see [`shardcast::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    shardcast::cli::run()
}
