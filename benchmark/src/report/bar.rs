//! Bars: what a figure has to reach, absolutely or against a peer.

use std::str::FromStr;

use crate::report::{
    figure::{self, Spread},
    table::{LaneRounds, short},
};

/// A bar as the user wrote it: `cpu_per_delivery_us<=1.25x`, `lost<=0`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    key: String,
    at_most: bool,
    value: f64,
    /// Whether the value is a multiple of the first peer's.
    relative: bool,
}

/// Why text is not a bar.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bar is `KEY<=VALUE` or `KEY>=VALUE`, with an `x` behind the value for a multiple of the first peer's"
)]
pub(crate) struct BarError;

impl FromStr for Bar {
    type Err = BarError;

    fn from_str(text: &str) -> Result<Self, BarError> {
        let (at_most, parts) = match text.split_once("<=") {
            Some(parts) => (true, parts),
            None => (false, text.split_once(">=").ok_or(BarError)?),
        };
        let (key, value) = (parts.0.trim(), parts.1.trim());
        let (value, relative) = value.strip_suffix('x').map_or((value, false), |value| (value, true));
        let value = value.parse().map_err(|_| BarError)?;
        if key.is_empty() {
            return Err(BarError);
        }
        Ok(Self { key: key.to_owned(), at_most, value, relative })
    }
}

/// What became of a bar.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) met: bool,
    pub(crate) text: String,
}

impl Bar {
    /// Judges the median over all rounds of the first lane, against the second one where the bar is relative. A
    /// figure that was not found is a bar not met.
    pub(crate) fn judge(&self, lanes: &[LaneRounds]) -> Verdict {
        let found = match (self.relative, lanes) {
            (true, [subject, other, ..]) => figure::ratios(&subject.rounds, &other.rounds, &self.key),
            (false, [subject, ..]) => figure::values(&subject.rounds, &self.key),
            _ => Vec::new(),
        };
        let sign = if self.at_most { "at most" } else { "at least" };
        let times = match lanes.get(1) {
            Some(other) if self.relative => format!(" times {}", other.name),
            _ => String::new(),
        };
        let wanted = format!("{} {sign} {}{times}", self.key, short(self.value));
        let Some(Spread { median, .. }) = Spread::of(found) else {
            return Verdict { met: false, text: format!("{wanted}: not measured") };
        };
        let met = if self.at_most { median <= self.value } else { median >= self.value };
        let word = if met { "met" } else { "MISSED" };
        Verdict { met, text: format!("{wanted}: {} {word}", short(median)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::Figure;

    fn lane(name: &str, values: &[f64]) -> LaneRounds {
        let rounds = values.iter().map(|value| vec![Figure::new("cpu", "CPU", *value)]).collect();
        LaneRounds { name: name.to_owned(), rounds }
    }

    fn met(bar: &str, lanes: &[LaneRounds]) -> bool {
        bar.parse::<Bar>().unwrap().judge(lanes).met
    }

    #[test]
    fn an_absolute_bar_looks_at_the_first_lane_s_median() {
        let lanes = [lane("a", &[1.0, 2.0, 30.0]), lane("b", &[9.0])];
        assert!(met("cpu<=2", &lanes));
        assert!(!met("cpu<=1.9", &lanes));
        assert!(met("cpu>=2", &lanes));
        assert!(!met("cpu>=2.1", &lanes));
    }

    #[test]
    fn a_relative_bar_looks_at_the_median_of_the_ratios() {
        let lanes = [lane("a", &[10.0, 2.0, 3.0]), lane("b", &[1.0, 1.0, 1.0])];
        assert!(met("cpu<=3x", &lanes));
        assert!(!met("cpu<=2.9x", &lanes));
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!met("other<=1", &[lane("a", &[0.0])]));
        assert!(!met("cpu<=1x", &[lane("a", &[1.0])]));
        assert!(!met("cpu<=1x", &[]));
    }

    #[test]
    fn what_is_not_a_bar_is_refused() {
        for text in ["cpu", "cpu<1", "<=1", "cpu<=", "cpu<=onex"] {
            assert_eq!(text.parse::<Bar>(), Err(BarError), "{text}");
        }
    }
}
