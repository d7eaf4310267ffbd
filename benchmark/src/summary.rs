//! A report about one or more result folders: the same figures as tables in Markdown and as plots in one HTML file.
//!
//! It knows nothing of how the results came about: it reads what a run left in its folder.

mod axis;
mod bars;
mod busy;
mod folder;
mod html;
mod lines;
mod markdown;
mod plots;
mod samples;
mod svg;
mod table;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use folder::Folder;

/// Make a report of result folders: Markdown with tables, HTML with plots.
#[derive(Debug, Args)]
pub(crate) struct Summary {
    /// Result folders: `raw/*.json` and, where they exist, `samples.csv`, `phases.csv`, `busy.csv`,
    /// `environment.json` and `commands.txt`.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write the HTML page there.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the Markdown text there.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

impl Summary {
    /// Reads the folders and writes the reports.
    pub(crate) fn run(&self) -> Result<()> {
        ensure!(
            self.html.is_some() || self.markdown.is_some(),
            "nothing to write: give `--html FILE` or `--markdown FILE`"
        );
        let folders = folder::read_all(&self.folders)?;
        let scenarios = folder::merge(&folders);
        let outputs = [
            (&self.html, html::page as fn(&[Folder], &[folder::Scenario]) -> String),
            (&self.markdown, markdown::text),
        ];
        for (path, render) in outputs {
            if let Some(path) = path {
                fs::write(path, render(&folders, &scenarios))
                    .with_context(|| format!("failed to write `{}`", path.display()))?;
            }
        }
        Ok(())
    }
}
