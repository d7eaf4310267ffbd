//! Latencies of one driver or of all, as people read them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{Histogram, serialization::Deserializer};
use serde::{Deserialize, Serialize};

use crate::{bus::message::Latencies, driver::figures::histogram};

/// The longest histogram that is read, in base64.
const ENCODED_MAX: usize = 1 << 20;

/// Latencies in milliseconds; none of them without a measurement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Statistics {
    /// How many latencies these are.
    pub(crate) count: u64,
    pub(crate) min: Option<f64>,
    pub(crate) max: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) median: Option<f64>,
    /// The most frequent value, to three digits.
    pub(crate) mode: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

impl Statistics {
    /// Returns the statistics of a histogram of microseconds.
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        Recorded::of(histogram).statistics
    }

    /// Returns what a driver of another program says of itself.
    pub(super) fn told(latencies: &Latencies, count: u64) -> Self {
        Self {
            count,
            min: latencies.min_latency,
            max: latencies.max_latency,
            mean: latencies.mean_latency,
            median: latencies.median_latency,
            ..Self::default()
        }
    }
}

/// The values of a histogram that were recorded, which are few, and their statistics.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded {
    /// Microseconds and how often, in order.
    values: Vec<(u64, u64)>,
    pub(super) statistics: Statistics,
}

impl Recorded {
    /// Looks through a histogram once: an orchestrator does it twice per second and driver.
    #[expect(clippy::cast_precision_loss, reason = "latencies and counts are far below 2^52")]
    fn of(histogram: &Histogram<u64>) -> Self {
        let count = histogram.len();
        if count == 0 {
            return Self::default();
        }
        let ms = |micros: u64| Some(micros as f64 / 1000.0);
        let rank = |percent: u64| (count * percent).div_ceil(100).max(1);
        let mut statistics =
            Statistics { count, min: ms(histogram.min()), max: ms(histogram.max()), ..Statistics::default() };
        let (mut values, mut seen, mut sum, mut most) = (Vec::new(), 0, 0.0, 0);
        for step in histogram.iter_recorded() {
            let (value, times) = (step.value_iterated_to(), step.count_at_value());
            let before = seen;
            seen += times;
            let reaches = |rank: u64| before < rank && rank <= seen;
            sum += histogram.median_equivalent(value) as f64 * times as f64;
            if times > most {
                (most, statistics.mode) = (times, ms(value));
            }
            for (percent, quantile) in
                [(50, &mut statistics.median), (95, &mut statistics.p95), (99, &mut statistics.p99)]
            {
                if reaches(rank(percent)) {
                    *quantile = ms(value);
                }
            }
            values.push((value, times));
        }
        statistics.mean = Some(sum / count as f64 / 1000.0);
        Self { values, statistics }
    }

    /// Reads a histogram as it travels.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > ENCODED_MAX {
            return Err(format!("a histogram has {} characters, at most {ENCODED_MAX} are read", text.len()));
        }
        let bytes = STANDARD.decode(text).map_err(|error| format!("a histogram is not base64: {error}"))?;
        let read: Histogram<u64> = Deserializer::new()
            .deserialize(&mut bytes.as_slice())
            .map_err(|error| format!("a histogram is not V2 with deflate: {error}"))?;
        let own = histogram();
        if read.sigfig() != own.sigfig() || read.low() != own.low() || read.max() > own.high() {
            return Err(format!(
                "a histogram has {} digits and values up to {}: it must have {} digits and values up to {}",
                read.sigfig(),
                read.max(),
                own.sigfig(),
                own.high()
            ));
        }
        Ok(Self::of(&read))
    }

    /// Adds the values to those of others.
    pub(super) fn add_to(&self, sum: &mut Histogram<u64>) {
        for (value, times) in &self.values {
            sum.saturating_record_n(*value, *times);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::driver::figures::encoded;

    #[test]
    fn merged_histograms_are_the_same_as_one_recording_of_all_values() {
        let (mut all, mut merged) = (histogram(), histogram());
        for driver in 0..8_u64 {
            let mut part = histogram();
            for number in 0..1000_u64 {
                let value = (number * number * 7 + driver * 131) % 5_000_000 + 1;
                part.record(value).unwrap();
                all.record(value).unwrap();
            }
            Recorded::read(&encoded(&part)).unwrap().add_to(&mut merged);
        }
        assert_eq!(merged, all);
        assert_eq!(Statistics::of(&merged), Statistics::of(&all));
    }

    #[test]
    fn quantiles_and_mean_are_those_of_the_histogram() {
        let mut values = histogram();
        for number in 1..=997_u64 {
            values.record(number * number).unwrap();
        }
        let statistics = Statistics::of(&values);
        for (quantile, found) in [(0.5, statistics.median), (0.95, statistics.p95), (0.99, statistics.p99)] {
            let expected = Duration::from_micros(values.value_at_quantile(quantile)).as_secs_f64() * 1000.0;
            assert!((found.unwrap() - expected).abs() < 1e-6, "{quantile} {statistics:?}");
        }
        assert!((statistics.mean.unwrap() * 1000.0 - values.mean()).abs() < 1e-3, "{statistics:?}");
    }

    #[test]
    fn statistics_are_in_milliseconds() {
        let mut values = histogram();
        for micros in [1000, 2000, 2000, 9000] {
            values.record(micros).unwrap();
        }
        let statistics = Statistics::of(&values);
        assert_eq!((statistics.count, statistics.min), (4, Some(1.0)));
        assert!((statistics.mode.unwrap() - 2.0).abs() < 0.01, "{statistics:?}");
        assert!((statistics.mean.unwrap() - 3.5).abs() < 0.01, "{statistics:?}");
        assert_eq!(Statistics::of(&histogram()), Statistics::default());
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        for text in ["", "!", "AAAA", "HISTFAAA"] {
            assert!(Recorded::read(text).is_err(), "{text}");
        }
        assert!(Recorded::read(&"A".repeat(ENCODED_MAX + 1)).unwrap_err().contains("at most"));
    }
}
