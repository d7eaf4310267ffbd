//! Whether a plan's thresholds were kept, judged on what all drivers together have measured.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::report::Figures;
use crate::plan::threshold::{Measure, Threshold};

/// Whether one threshold was kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Verdict {
    /// As the plan has it.
    pub(crate) threshold: String,
    /// What was measured, in the unit of the threshold; none if there was nothing to measure.
    pub(crate) value: Option<f64>,
    pub(crate) kept: bool,
    /// The unit of the value, with a space before it.
    pub(crate) unit: String,
}

/// Judges one threshold.
#[expect(clippy::cast_precision_loss, reason = "counts and microseconds are far below 2^52")]
pub(super) fn judge(
    threshold: &Threshold,
    figures: &Figures,
    from_due: &Histogram<u64>,
    deliveries: &Histogram<u64>,
) -> Verdict {
    let quantile = |histogram: &Histogram<u64>, place: f64| {
        (!histogram.is_empty()).then(|| histogram.value_at_quantile(place) as f64 / 1000.0)
    };
    let percent = |part: u64, of: u64| (of > 0).then(|| 100.0 * part as f64 / of as f64);
    let counts = &figures.counts;
    let delivered = |count: fn(&crate::bus::message::Deliveries) -> u64| {
        figures.deliveries.as_ref().map(|delivered| count(&delivered.counts) as f64)
    };
    let value = match threshold.measure {
        Measure::Quantile(place) => quantile(from_due, place),
        Measure::Delivery(place) => quantile(deliveries, place),
        Measure::Mean => figures.latency.mean,
        Measure::Errors => percent(figures.failed(), counts.done),
        Measure::Late => percent(counts.late, counts.started),
        Measure::Rate => Some(figures.rate),
        Measure::Lost => delivered(|counts| counts.lost),
        Measure::Duplicated => delivered(|counts| counts.duplicated),
        Measure::OutOfOrder => delivered(|counts| counts.out_of_order),
        Measure::Closed => Some(figures.streams.closed as f64),
    };
    let unit = threshold.measure.unit().to_owned();
    Verdict { threshold: threshold.to_string(), value, kept: threshold.is_kept(value), unit }
}

impl Verdict {
    /// Says what was measured.
    pub(crate) fn shown(&self) -> String {
        self.value.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.2}{}", self.unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bus::message::Counts, driver::figures::histogram};

    #[test]
    fn thresholds_are_judged_by_what_was_measured() {
        let mut from_due = histogram();
        for ms in 1..=100 {
            from_due.record(ms * 1000).unwrap();
        }
        let counts = Counts { done: 200, started: 200, late: 1, ..Counts::default() };
        let errors = [("status 500".to_owned(), 3)].into();
        let figures = Figures { counts, errors, rate: 49.5, ..Figures::default() };
        for (text, kept, value) in [
            ("p95 < 96ms", true, Some(95.0)),
            ("p95 < 95ms", false, Some(95.0)),
            ("max < 1s", true, Some(100.0)),
            ("errors < 1%", false, Some(1.5)),
            ("late < 1%", true, Some(0.5)),
            ("rate > 49", true, Some(49.5)),
            ("closed < 1", true, Some(0.0)),
            ("lost < 1", false, None),
            ("delivery p50 < 1s", false, None),
        ] {
            let verdict = judge(&text.parse().unwrap(), &figures, &from_due, &histogram());
            assert_eq!(verdict.kept, kept, "{verdict:?}");
            match (verdict.value, value) {
                (Some(found), Some(right)) => assert!((found - right).abs() < 0.1, "{verdict:?}"),
                (found, right) => assert_eq!(found, right, "{verdict:?}"),
            }
        }
    }
}
