//! What was seen of the servers each second, and which load was on when.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::process::sampler::HEADER;

/// One look at one server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) unix_s: f64,
    pub(crate) server: String,
    pid: u32,
    cpu_s: f64,
    pub(crate) resident_bytes: f64,
    pub(crate) open_files: f64,
}

/// The begin of one kind of load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phase {
    pub(crate) unix_s: f64,
    pub(crate) name: String,
}

/// Reads a file of samples; an empty text holds none.
pub(crate) fn parse(text: &str) -> Result<Vec<Sample>> {
    let mut lines = text.lines();
    if lines.next().is_some_and(|header| header != HEADER) {
        bail!("its first line is not `{HEADER}`");
    }
    // A run that was killed may have left half a line at the end.
    let complete = text.ends_with('\n') || text.is_empty();
    let rows: Vec<&str> = lines.collect();
    let rows = if complete { &rows[..] } else { &rows[..rows.len().saturating_sub(1)] };
    let read = |(at, line): (usize, &&str)| sample(line).with_context(|| format!("line {}", at + 2));
    rows.iter().enumerate().map(read).collect()
}

fn sample(line: &str) -> Option<Sample> {
    let fields: Vec<&str> = line.split(',').collect();
    let [unix_s, server, pid, cpu_s, resident_bytes, open_files] = fields[..] else { return None };
    Some(Sample {
        unix_s: unix_s.parse().ok()?,
        server: server.to_owned(),
        pid: pid.parse().ok()?,
        cpu_s: cpu_s.parse().ok()?,
        resident_bytes: resident_bytes.parse().ok()?,
        open_files: open_files.parse().ok()?,
    })
}

/// Reads lines of `unix_s,name`.
pub(crate) fn parse_phases(text: &str) -> Result<Vec<Phase>> {
    let phase = |line: &str| {
        let (unix_s, name) = line.split_once(',').with_context(|| format!("`{line}` has no comma"))?;
        let unix_s = unix_s.parse().with_context(|| format!("`{unix_s}` is no time"))?;
        Ok(Phase { unix_s, name: name.to_owned() })
    };
    text.lines().map(phase).collect()
}

/// A server's points: seconds since the first sample, and a value; a new process begins a new piece.
pub(crate) type Series = BTreeMap<String, Vec<Vec<(f64, f64)>>>;

/// Returns the time of the first sample.
pub(crate) fn start(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.unix_s).fold(f64::INFINITY, f64::min)
}

/// Returns a value of every sample, by server.
pub(crate) fn levels(samples: &[Sample], value: impl Fn(&Sample) -> f64) -> Series {
    pairs(samples, |_, sample| Some(value(sample)))
}

/// Returns the share of a core, in percent, that each server used between two samples.
pub(crate) fn cpu(samples: &[Sample]) -> Series {
    pairs(samples, |before, sample| {
        let (before, seconds) = (before?, sample.unix_s - before?.unix_s);
        (seconds > 0.0).then(|| 100.0 * (sample.cpu_s - before.cpu_s) / seconds)
    })
}

fn pairs(samples: &[Sample], value: impl Fn(Option<&Sample>, &Sample) -> Option<f64>) -> Series {
    let (start, mut series) = (start(samples), Series::new());
    let mut last: BTreeMap<&str, &Sample> = BTreeMap::new();
    for sample in samples {
        let before = last.insert(&sample.server, sample).filter(|before| before.pid == sample.pid);
        let pieces = series.entry(sample.server.clone()).or_default();
        if before.is_none() {
            pieces.push(Vec::new());
        }
        if let (Some(value), Some(piece)) = (value(before, sample), pieces.last_mut()) {
            piece.push((sample.unix_s - start, value));
        }
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str =
        "10.0,a,1,1.00,2048,5\n11.0,a,1,1.50,4096,6\n12.0,a,2,0.10,1024,4\n13.0,a,2,0.20,1024,4\n";

    #[test]
    fn processor_time_becomes_a_share_and_starts_anew_with_a_process() {
        let samples = parse(&format!("{HEADER}\n{ROWS}")).unwrap();
        let shares = &cpu(&samples)["a"];
        assert_eq!(shares.len(), 2);
        assert_eq!(shares[0], [(1.0, 50.0)]);
        assert!((shares[1][0].1 - 10.0).abs() < 1e-9);
        assert_eq!(levels(&samples, |sample| sample.open_files)["a"][1], [(2.0, 4.0), (3.0, 4.0)]);
    }

    #[test]
    fn half_a_last_line_is_left_out_and_a_broken_one_is_named() {
        let cut = format!("{HEADER}\n{ROWS}14.0,a,2,0.");
        assert_eq!(parse(&cut).unwrap().len(), 4);
        let broken = format!("{HEADER}\n10.0,a\n{ROWS}");
        assert_eq!(parse(&broken).unwrap_err().to_string(), "line 2");
        assert!(parse("else\n").is_err());
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn phases_are_a_time_and_a_name() {
        let phases = parse_phases("1.5,idle\n").unwrap();
        assert_eq!(phases, [Phase { unix_s: 1.5, name: "idle".to_owned() }]);
        assert!(parse_phases("now,idle\n").is_err());
        assert!(parse_phases("idle\n").is_err());
    }
}
