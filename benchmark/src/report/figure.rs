//! Named numbers, and what several rounds of them say.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;

/// One number that a run found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    /// Its name in JSON and in thresholds.
    pub(crate) key: &'static str,
    /// Its name in tables, with the unit.
    pub(crate) label: &'static str,
    pub(crate) value: f64,
}

impl Figure {
    pub(crate) fn new(key: &'static str, label: &'static str, value: f64) -> Self {
        Self { key, label, value }
    }

    pub(crate) fn count(key: &'static str, label: &'static str, value: u64) -> Self {
        Self::new(key, label, float(value))
    }
}

/// What one run of a scenario against one peer found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) figures: Vec<Figure>,
    /// What must not happen and did: lost, duplicated or disordered deliveries, refused publishes.
    pub(crate) faults: Vec<String>,
    /// What the reader should know to judge the figures.
    pub(crate) notes: Vec<String>,
}

impl Outcome {
    /// Adds a figure.
    pub(crate) fn push(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Adds a count that is a fault unless it is zero.
    pub(crate) fn push_fault(&mut self, key: &'static str, label: &'static str, value: u64) {
        self.push(Figure::count(key, label, value));
        if value > 0 {
            self.faults.push(format!("{value} {label}"));
        }
    }

    /// Adds the percentiles of a histogram of nanoseconds, in milliseconds, under the given five names.
    pub(crate) fn push_latency(
        &mut self,
        histogram: &Histogram<u64>,
        names: [(&'static str, &'static str); 5],
    ) {
        let values = [0.50, 0.95, 0.99, 0.999, 1.0].map(|at| histogram.value_at_quantile(at));
        for ((key, label), value) in names.into_iter().zip(values) {
            self.push(Figure::new(key, label, float(value) / 1e6));
        }
    }
}

/// The middle and the ends of one figure over several rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Returns `None` for no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, least, most })
    }
}

/// Returns the values of a figure in all rounds that have it.
pub(crate) fn values(rounds: &[Vec<Figure>], key: &str) -> Vec<f64> {
    rounds.iter().filter_map(|round| value(round, key)).collect()
}

/// Returns the ratios of a figure between two peers, round by round; a round where either is zero or missing has
/// none.
pub(crate) fn ratios(subject: &[Vec<Figure>], other: &[Vec<Figure>], key: &str) -> Vec<f64> {
    let pairs = subject.iter().zip(other).filter_map(|(a, b)| Some((value(a, key)?, value(b, key)?)));
    pairs.filter(|(a, b)| *a != 0.0 && *b != 0.0).map(|(a, b)| a / b).collect()
}

fn value(round: &[Figure], key: &str) -> Option<f64> {
    round.iter().find(|figure| figure.key == key).map(|figure| figure.value)
}

/// Returns a count as a float; counts here stay far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "figures are shown to four digits")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Returns `time` a piece in microseconds.
pub(crate) fn micros_each(time: Duration, pieces: u64) -> f64 {
    if pieces == 0 { 0.0 } else { time.as_secs_f64() * 1e6 / float(pieces) }
}

/// Returns a map of counts as text.
pub(crate) fn counts<K: std::fmt::Display, V: std::fmt::Display>(map: &BTreeMap<K, V>) -> String {
    map.iter().map(|(key, count)| format!("{count} × {key}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(value: f64) -> Vec<Figure> {
        vec![Figure::new("k", "K", value)]
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        assert_eq!(Spread::of(vec![9.0, 1.0, 4.0]), Some(Spread { median: 4.0, least: 1.0, most: 9.0 }));
        assert_eq!(Spread::of(vec![4.0, 2.0]), Some(Spread { median: 3.0, least: 2.0, most: 4.0 }));
        assert_eq!(Spread::of(vec![]), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let (a, b) = ([round(2.0), round(9.0)], [round(1.0), round(3.0)]);
        assert_eq!(ratios(&a, &b, "k"), [2.0, 3.0]);
        assert_eq!(ratios(&a, &b, "other"), Vec::<f64>::new());
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert_eq!(ratios(&[round(2.0)], &[round(0.0)], "k"), Vec::<f64>::new());
        assert!(micros_each(Duration::from_secs(1), 0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_percentile_of_latency_is_in_milliseconds() {
        let mut histogram = crate::client::tally::histogram();
        for value in 1..=1000_u64 {
            histogram.record(value * 1_000_000).unwrap();
        }
        let mut outcome = Outcome::default();
        outcome.push_latency(&histogram, [("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]);
        let found: Vec<f64> = outcome.figures.iter().map(|figure| figure.value).collect();
        for (found, expected) in found.iter().zip([500.0, 950.0, 990.0, 999.0, 1000.0]) {
            assert!((found - expected).abs() / expected < 0.002, "{found} for {expected}");
        }
    }

    #[test]
    fn only_a_count_above_zero_is_a_fault() {
        let mut outcome = Outcome::default();
        outcome.push_fault("lost", "lost", 0);
        assert!(outcome.faults.is_empty());
        outcome.push_fault("lost", "lost", 2);
        assert_eq!(outcome.faults, ["2 lost"]);
    }
}
