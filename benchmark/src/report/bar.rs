//! Bars: what a figure has to reach, absolutely or against a peer.

use std::str::FromStr;

use crate::report::{
    figure::{self, Spread},
    table::{LaneRounds, short},
};

/// A bar as the user wrote it: `cpu_per_delivery_us<=1.25x`, `lost<=0`, or, where one of two is enough,
/// `p95_ms<=100|1.25x`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    key: String,
    at_most: bool,
    /// Of which one must be kept.
    limits: Vec<Limit>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    value: f64,
    /// Whether the value is a multiple of the first peer's.
    relative: bool,
}

/// Why text is not a bar.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bar is `KEY<=VALUE` or `KEY>=VALUE`, with an `x` behind the value for a multiple of the first peer's, and `|` \
     between two values of which one is enough"
)]
pub(crate) struct BarError;

impl FromStr for Bar {
    type Err = BarError;

    fn from_str(text: &str) -> Result<Self, BarError> {
        let (at_most, parts) = match text.split_once("<=") {
            Some(parts) => (true, parts),
            None => (false, text.split_once(">=").ok_or(BarError)?),
        };
        let key = parts.0.trim();
        if key.is_empty() {
            return Err(BarError);
        }
        let limits = parts.1.split('|').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { key: key.to_owned(), at_most, limits })
    }
}

impl FromStr for Limit {
    type Err = BarError;

    fn from_str(text: &str) -> Result<Self, BarError> {
        let text = text.trim();
        let (value, relative) = text.strip_suffix('x').map_or((text, false), |value| (value, true));
        Ok(Self { value: value.parse().map_err(|_| BarError)?, relative })
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
        let sign = if self.at_most { "at most" } else { "at least" };
        let (mut met, mut wanted, mut found) = (false, Vec::new(), Vec::new());
        for limit in &self.limits {
            let times = match lanes.get(1) {
                Some(other) if limit.relative => format!(" times {}", other.name),
                _ => String::new(),
            };
            wanted.push(format!("{}{times}", short(limit.value)));
            let median = limit.median(&self.key, lanes);
            found.push(median.map_or_else(|| "not measured".to_owned(), short));
            met |=
                median.is_some_and(
                    |median| if self.at_most { median <= limit.value } else { median >= limit.value },
                );
        }
        let word = if met { "met" } else { "MISSED" };
        let text = format!("{} {sign} {}: {} {word}", self.key, wanted.join(" or "), found.join(", "));
        Verdict { met, text }
    }
}

impl Limit {
    fn median(self, key: &str, lanes: &[LaneRounds]) -> Option<f64> {
        let found = match (self.relative, lanes) {
            (true, [subject, other, ..]) => figure::ratios(&subject.rounds, &other.rounds, key),
            (false, [subject, ..]) => figure::values(&subject.rounds, key),
            _ => Vec::new(),
        };
        Spread::of(found).map(|spread| spread.median)
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
    fn of_two_limits_one_is_enough() {
        let lanes = [lane("a", &[100.0]), lane("b", &[80.0])];
        assert!(met("cpu<=90|1.25x", &lanes));
        assert!(met("cpu<=100|1.1x", &lanes));
        assert!(!met("cpu<=90|1.2x", &lanes));
        let text = "cpu<=90|1.25x".parse::<Bar>().unwrap().judge(&lanes).text;
        assert_eq!(text, "cpu at most 90.0 or 1.25 times b: 100, 1.25 met");
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!met("other<=1", &[lane("a", &[0.0])]));
        assert!(!met("cpu<=1x", &[lane("a", &[1.0])]));
        assert!(!met("cpu<=1x", &[]));
    }

    #[test]
    fn what_is_not_a_bar_is_refused() {
        for text in ["cpu", "cpu<1", "<=1", "cpu<=", "cpu<=onex", "cpu<=1|", "cpu<=|1x"] {
            assert_eq!(text.parse::<Bar>(), Err(BarError), "{text}");
        }
    }
}
