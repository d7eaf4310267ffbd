//! Latencies of one driver or of all, as people read them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{Histogram, iterators::IterationValue, serialization::Deserializer};
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
        if histogram.is_empty() {
            return Self::default();
        }
        #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
        let ms = |micros: u64| Some(micros as f64 / 1000.0);
        let mode = histogram.iter_recorded().max_by_key(IterationValue::count_at_value);
        Self {
            count: histogram.len(),
            min: ms(histogram.min()),
            max: ms(histogram.max()),
            mean: Some(histogram.mean() / 1000.0),
            median: ms(histogram.value_at_quantile(0.5)),
            mode: mode.and_then(|step| ms(step.value_iterated_to())),
            p95: ms(histogram.value_at_quantile(0.95)),
            p99: ms(histogram.value_at_quantile(0.99)),
        }
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

/// Reads a histogram as it travels, with the bounds that all of ours have.
///
/// # Errors
///
/// Says what is wrong with it.
pub(super) fn decoded(text: &str) -> Result<Histogram<u64>, String> {
    if text.len() > ENCODED_MAX {
        return Err(format!("a histogram has {} characters, at most {ENCODED_MAX} are read", text.len()));
    }
    let bytes = STANDARD.decode(text).map_err(|error| format!("a histogram is not base64: {error}"))?;
    let read: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| format!("a histogram is not V2 with deflate: {error}"))?;
    let mut own = histogram();
    own.add(&read).map_err(|error| format!("a histogram has values out of range: {error}"))?;
    Ok(own)
}

#[cfg(test)]
mod tests {
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
            merged.add(decoded(&encoded(&part)).unwrap()).unwrap();
        }
        assert_eq!(merged, all);
        assert_eq!(Statistics::of(&merged), Statistics::of(&all));
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
            assert!(decoded(text).is_err(), "{text}");
        }
        assert!(decoded(&"A".repeat(ENCODED_MAX + 1)).unwrap_err().contains("at most"));
    }
}
