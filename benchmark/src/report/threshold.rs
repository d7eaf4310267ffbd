//! Thresholds: what a figure has to reach, absolutely or against a peer.

use std::str::FromStr;

use crate::report::{
    figure::{self, Spread},
    table::{CaseRounds, short},
};

/// A threshold as the user wrote it: `cpu_per_delivery_us<=1.25x`, `lost<=0`, or, where one of two is enough,
/// `p95_ms<=100|1.25x`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
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

/// Why text is not a threshold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a threshold is `KEY<=VALUE` or `KEY>=VALUE`, with an `x` behind the value for a multiple of the first peer's, and `|` \
     between two values of which one is enough"
)]
pub(crate) struct ThresholdError;

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let (at_most, parts) = match text.split_once("<=") {
            Some(parts) => (true, parts),
            None => (false, text.split_once(">=").ok_or(ThresholdError)?),
        };
        let key = parts.0.trim();
        if key.is_empty() {
            return Err(ThresholdError);
        }
        let limits = parts.1.split('|').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { key: key.to_owned(), at_most, limits })
    }
}

impl FromStr for Limit {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let text = text.trim();
        let (value, relative) = text.strip_suffix('x').map_or((text, false), |value| (value, true));
        Ok(Self { value: value.parse().map_err(|_| ThresholdError)?, relative })
    }
}

/// What became of a threshold.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) met: bool,
    pub(crate) text: String,
}

impl Threshold {
    /// Judges the median over all rounds of the first case, against the second one where the threshold is relative. A
    /// figure that was not found is a threshold not met.
    pub(crate) fn judge(&self, cases: &[CaseRounds]) -> Verdict {
        let sign = if self.at_most { "at most" } else { "at least" };
        let (mut wanted, mut found, mut missed_by) = (Vec::new(), Vec::new(), Vec::new());
        for limit in &self.limits {
            let times = match cases.get(1) {
                Some(other) if limit.relative => format!(" times {}", other.name),
                _ => String::new(),
            };
            wanted.push(format!("{}{times}", short(limit.value)));
            let median = limit.median(&self.key, cases);
            found.push(median.map_or_else(|| "not measured".to_owned(), short));
            missed_by.extend(median.map(|median| limit.missed_by(median, self.at_most)));
        }
        let met = missed_by.iter().any(|(by, _)| *by <= 0.0);
        let nearest = missed_by.into_iter().min_by(|(one, _), (other, _)| one.total_cmp(other));
        let outcome = match nearest {
            _ if met => "met".to_owned(),
            Some((_, text)) => format!("MISSED by {text}"),
            None => "MISSED".to_owned(),
        };
        let text = format!("{} {sign} {}: {} {outcome}", self.key, wanted.join(" or "), found.join(", "));
        Verdict { met, text }
    }
}

impl Limit {
    /// Returns by how much a value misses the limit, as a share of it where it is not 0, and the same as text. Nothing
    /// above 0 is missed.
    fn missed_by(self, value: f64, at_most: bool) -> (f64, String) {
        let excess = if at_most { value - self.value } else { self.value - value };
        if self.value == 0.0 {
            return (excess, short(excess));
        }
        let share = excess / self.value.abs();
        (share, format!("{} %", short(100.0 * share)))
    }

    fn median(self, key: &str, cases: &[CaseRounds]) -> Option<f64> {
        let found = match (self.relative, cases) {
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

    fn case(name: &str, values: &[f64]) -> CaseRounds {
        let rounds = values.iter().map(|value| vec![Figure::new("cpu", "CPU", *value)]).collect();
        CaseRounds { name: name.to_owned(), rounds }
    }

    fn met(threshold: &str, cases: &[CaseRounds]) -> bool {
        threshold.parse::<Threshold>().unwrap().judge(cases).met
    }

    #[test]
    fn an_absolute_threshold_looks_at_the_first_case_s_median() {
        let cases = [case("a", &[1.0, 2.0, 30.0]), case("b", &[9.0])];
        assert!(met("cpu<=2", &cases));
        assert!(!met("cpu<=1.9", &cases));
        assert!(met("cpu>=2", &cases));
        assert!(!met("cpu>=2.1", &cases));
    }

    #[test]
    fn a_relative_threshold_looks_at_the_median_of_the_ratios() {
        let cases = [case("a", &[10.0, 2.0, 3.0]), case("b", &[1.0, 1.0, 1.0])];
        assert!(met("cpu<=3x", &cases));
        assert!(!met("cpu<=2.9x", &cases));
    }

    #[test]
    fn of_two_limits_one_is_enough() {
        let cases = [case("a", &[100.0]), case("b", &[80.0])];
        assert!(met("cpu<=90|1.25x", &cases));
        assert!(met("cpu<=100|1.1x", &cases));
        assert!(!met("cpu<=90|1.2x", &cases));
        let text = "cpu<=90|1.25x".parse::<Threshold>().unwrap().judge(&cases).text;
        assert_eq!(text, "cpu at most 90.0 or 1.25 times b: 100, 1.25 met");
    }

    #[test]
    fn what_is_missed_says_by_how_much() {
        let cases = [case("a", &[100.0]), case("b", &[80.0])];
        let text = |threshold: &str| threshold.parse::<Threshold>().unwrap().judge(&cases).text;
        assert_eq!(text("cpu<=90|1.2x"), "cpu at most 90.0 or 1.20 times b: 100, 1.25 MISSED by 4.17 %");
        assert_eq!(text("cpu<=0"), "cpu at most 0: 100 MISSED by 100");
        assert_eq!(text("cpu>=110"), "cpu at least 110: 100 MISSED by 9.09 %");
        assert_eq!(text("other<=1"), "other at most 1.00: not measured MISSED");
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(!met("other<=1", &[case("a", &[0.0])]));
        assert!(!met("cpu<=1x", &[case("a", &[1.0])]));
        assert!(!met("cpu<=1x", &[]));
    }

    #[test]
    fn what_is_not_a_threshold_is_refused() {
        for text in ["cpu", "cpu<1", "<=1", "cpu<=", "cpu<=onex", "cpu<=1|", "cpu<=|1x"] {
            assert_eq!(text.parse::<Threshold>(), Err(ThresholdError), "{text}");
        }
    }
}
