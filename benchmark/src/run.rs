//! `run`: a plan in one process, without Kafka, on the engine that drivers and orchestrators have.

mod view;

use std::{
    fs::File,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use self::view::View;
use crate::{
    bus::connection,
    client::api::Credentials,
    driver::{allowed::Allowed, check_config},
    orchestrator::{
        planned,
        report::{Format, Report},
        run_alone,
    },
    plan::Plan,
    report::terminal,
};

/// The exit code when a threshold was not kept.
pub(crate) const THRESHOLDS_MISSED: u8 = 99;

/// The thresholds that were not kept, and what was measured.
#[derive(Debug, thiserror::Error)]
#[error("not kept: {0}")]
pub(crate) struct ThresholdsMissed(String);

/// Run a plan in this process, and report.
///
/// Exit codes: 0 all thresholds kept, 99 one not kept, 1 the run is not complete or no request succeeded, 2 the plan or
/// the command line is wrong.
#[derive(Debug, Args)]
pub(crate) struct RunCommand {
    /// The plan, a YAML file; `benchmark/PLANS.md` describes it.
    plan: PathBuf,
    /// How many drivers share the load, each in a thread of its own.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    drivers: u32,
    /// A host that may be loaded besides loopback: `HOST` or `HOST:PORT`; several are separated by commas.
    #[arg(long, env = "SHARDCAST_BENCH_ALLOW", value_name = "HOST", value_delimiter = ',')]
    allow: Vec<Allowed>,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = ReportFormat::Md)]
    report: ReportFormat,
    /// Write the report there instead of to the standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Json,
    Html,
    Csv,
    Md,
}

impl RunCommand {
    /// Runs the plan; returns whether all of it was sent and answered.
    pub(crate) fn run(&self, login: &Credentials) -> Result<bool> {
        let path = self.plan.display();
        let text = std::fs::read_to_string(&self.plan).with_context(|| format!("failed to read `{path}`"))?;
        let (json, plan) = Plan::parse_to_json(&text).with_context(|| path.to_string())?;
        let config = planned(json, &plan);
        check_config(&config, &self.allow).map_err(anyhow::Error::msg)?;
        // Not after all of the load.
        let output = self.output.as_ref().map(|path| open(path)).transpose()?;
        let mut report = None;
        connection::block_on(async {
            let stop = connection::asked_to_end()?;
            let opening = plan.target.opening();
            let length = plan.schedule.duration().map(|length| length + opening);
            let view = View::new(length, opening + plan.warm_up, std::io::stderr().is_terminal());
            let told = |report: &Report| view.show(report);
            report = Some(run_alone(config, self.drivers, &self.allow, login, stop, told).await?);
            Ok(())
        })?;
        let report = report.context("the plan did not run")?;
        self.write(&report, output)?;
        for note in report.notes.iter().chain(report.missing.iter().map(|missing| &missing.reason)) {
            terminal::warn(note);
        }
        // Of a part of the load thresholds say little.
        if let Some(missed) = report.missed().filter(|_| report.complete) {
            return Err(ThresholdsMissed(missed).into());
        }
        Ok(report.complete && !report.is_all_failed())
    }

    fn write(&self, report: &Report, output: Option<File>) -> Result<()> {
        let format = match self.report {
            ReportFormat::Json => Format::Json,
            ReportFormat::Html => Format::Html,
            ReportFormat::Csv => Format::Csv,
            ReportFormat::Md => Format::Markdown,
        };
        let text = report.written(format);
        let mut written = Ok(());
        if let Some(mut file) = output {
            written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        }
        if self.output.is_none() || written.is_err() {
            // It must not be lost.
            std::io::stdout().write_all(text.as_bytes()).context("failed to write the report")?;
        }
        written.context("failed to write the report to its file")
    }
}

fn open(path: &Path) -> Result<File> {
    let file = File::options().create(true).write(true).truncate(false).open(path);
    file.with_context(|| format!("failed to open `{}` for the report", path.display()))
}

#[cfg(test)]
mod tests;
