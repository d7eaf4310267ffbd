//! `shardcast completions` and `shardcast man-pages`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::generate;

use super::arguments::{Arguments, Shell};
use super::{print_answer, print_problem};
use crate::config::on_one_line;

/// Prints a script that lets a shell complete commands and flags.
pub(super) fn print(shell: Shell) -> ExitCode {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), "shardcast", &mut script);
    print_answer(String::from_utf8_lossy(&script).trim_end())
}

/// Writes a page for the program and one for each command into a folder, which is made if it is not there.
pub(super) fn write_man_pages(folder: &Path) -> ExitCode {
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_problem(&format!(
                "failed to write man pages into {}: {error}",
                on_one_line(&folder.display().to_string())
            ));
            ExitCode::FAILURE
        }
    }
}
