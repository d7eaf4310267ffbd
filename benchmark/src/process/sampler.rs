//! Looking at servers at a steady pace while something else loads them.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::PathBuf,
    str::FromStr,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process::{limits, stop::Stop, usage::Process};

/// How late a wish to stop may be noticed.
const NAP: Duration = Duration::from_millis(50);
/// The first line of a file of samples.
pub(crate) const HEADER: &str = "unix_s,server,pid,cpu_s,resident_bytes,open_files";

/// Write the processor time, memory and open files of processes to a CSV file until stopped, or until all are gone.
#[derive(Debug, Args)]
pub(crate) struct Sample {
    /// Milliseconds between looks.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..))]
    every_ms: u64,
    /// The file; lines are added to one that is there.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// What to look at: a name for the file's column, and a process.
    #[arg(required = true, value_name = "NAME=PID")]
    processes: Vec<Named>,
}

/// A process and what it is called.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    process: Process,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('=').and_then(|(name, pid)| Some((name, pid.parse().ok()?)));
        match parsed {
            Some((name, pid)) if !name.is_empty() && !name.contains([',', '\n']) => {
                Ok(Self { name: name.to_owned(), process: Process(pid) })
            }
            _ => Err("not `NAME=PID`".to_owned()),
        }
    }
}

impl Sample {
    /// Samples until the user asks to stop, which is no failure.
    pub(crate) fn run(&self, stop: &Stop) -> Result<()> {
        let mut file = self.open()?;
        let period = Duration::from_millis(self.every_ms);
        let mut due = Instant::now();
        loop {
            let mut seen = false;
            for named in &self.processes {
                if let Ok(line) = named.look() {
                    seen = true;
                    writeln!(file, "{line}").context("failed to write a sample")?;
                }
            }
            if !seen {
                bail!("none of the processes is there any more");
            }
            due += period;
            while let Some(left) = due.checked_duration_since(Instant::now()) {
                if stop.check().is_err() {
                    return Ok(());
                }
                thread::sleep(left.min(NAP));
            }
        }
    }

    fn open(&self) -> Result<File> {
        let path = self.csv.display();
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.csv)
            .with_context(|| format!("failed to open `{path}`"))?;
        let length = file.metadata().with_context(|| format!("failed to look at `{path}`"))?.len();
        if length == 0 {
            writeln!(file, "{HEADER}").with_context(|| format!("failed to write `{path}`"))?;
        }
        Ok(file)
    }
}

impl Named {
    fn look(&self) -> Result<String> {
        let Self { name, process } = self;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
        let cpu = process.cpu()?.as_secs_f64();
        let (resident, files) = (process.resident_bytes_quick()?, limits::used(*process)?);
        Ok(format!("{:.3},{name},{},{cpu:.2},{resident},{files}", now.as_secs_f64(), process.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_a_value_for_every_column_of_the_header() {
        let named = Named { name: "me".to_owned(), process: Process::own() };
        let line = named.look().unwrap();
        assert_eq!(line.split(',').count(), HEADER.split(',').count(), "{line}");
        assert!(line.contains(&format!(",me,{},", std::process::id())), "{line}");
    }

    #[test]
    fn only_a_name_and_a_process_can_be_looked_at() {
        for text in ["", "a", "a=", "=1", "a=b", "a,b=1"] {
            assert!(text.parse::<Named>().is_err(), "{text}");
        }
        assert_eq!("a=7".parse::<Named>().unwrap().process, Process(7));
    }
}
