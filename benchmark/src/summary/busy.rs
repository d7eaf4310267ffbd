//! What else used the machine while a load ran.

use anyhow::{Context, Result};

/// From this share of a core on, other programs may have changed the figures.
const BUSY_CORES: f64 = 0.1;

/// What the warnings mean.
pub(crate) const MEANING: &str =
    "The machine was busy with something else, so figures may be worse than they would be.";

/// What was measured beside one load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Busy {
    load: String,
    seconds: f64,
    /// Processor time of programs that are not of the run.
    others_s: f64,
    /// Processor time that the host of a virtual machine gave to others.
    stolen_s: f64,
}

/// Reads lines of `seconds,others_s,stolen_s,load`.
pub(crate) fn parse(text: &str) -> Result<Vec<Busy>> {
    let read = |(at, line)| busy(line).with_context(|| format!("line {}", at + 1));
    text.lines().enumerate().map(read).collect()
}

fn busy(line: &str) -> Option<Busy> {
    let fields: Vec<&str> = line.splitn(4, ',').collect();
    let [seconds, others_s, stolen_s, load] = fields[..] else { return None };
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    Some(Busy {
        load: load.to_owned(),
        seconds: number(seconds)?,
        others_s: number(others_s)?,
        stolen_s: number(stolen_s)?,
    })
}

/// Returns a sentence for each load beside which the machine was busy with something else.
pub(crate) fn warnings(all: &[Busy]) -> Vec<String> {
    let cores = |busy: &Busy, used: f64| if busy.seconds > 0.0 { used / busy.seconds } else { 0.0 };
    let of = |used: fn(&Busy) -> f64, who: &'static str| {
        all.iter().filter_map(move |busy| {
            let cores = cores(busy, used(busy));
            let Busy { load, .. } = busy;
            (cores >= BUSY_CORES).then(|| format!("{load}: {who} {cores:.1} cores meanwhile"))
        })
    };
    let others = of(|busy| busy.others_s, "other programs used");
    others.chain(of(|busy| busy.stolen_s, "the host of this virtual machine took")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_beside_other_programs_is_named() {
        let all = parse("10.0,6.0,0.0,idle, round 1\n10.0,0.9,0.1,fanout, round 1\n10,0,2,burst, round 1\n")
            .unwrap();
        assert_eq!(
            warnings(&all),
            [
                "idle, round 1: other programs used 0.6 cores meanwhile",
                "burst, round 1: the host of this virtual machine took 0.2 cores meanwhile"
            ]
        );
    }

    #[test]
    fn a_broken_line_is_named() {
        assert_eq!(parse("1,2,3,a\n1,2\n").unwrap_err().to_string(), "line 2");
        assert_eq!(parse("1,NaN,3,a\n").unwrap_err().to_string(), "line 1");
        assert!(parse("").unwrap().is_empty());
    }
}
