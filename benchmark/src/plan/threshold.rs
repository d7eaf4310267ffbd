//! What has to hold after a run, such as `p95 < 500ms` or `errors < 1%`.

use std::{fmt, str::FromStr};

use super::section::time;

/// What a threshold is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Measure {
    /// A quantile of the latency from the moment a request was due, in milliseconds.
    Quantile(f64),
    /// The mean of the same.
    Mean,
    /// Failed requests, in percent of those that ended.
    Errors,
    /// Requests that started late, in percent of those that started.
    Late,
    /// Requests that ended per second.
    Rate,
    /// A quantile of the latency of deliveries, in milliseconds.
    Delivery(f64),
    /// Deliveries that did not come.
    Lost,
    /// Deliveries that came twice.
    Duplicated,
    /// Deliveries that came before an older message.
    OutOfOrder,
    /// Streams that the server closed.
    Closed,
}

/// What a plan's thresholds may be of.
const KNOWN: &str = "it must be of `p50`, `p99.9` and the like, `mean`, `max`, `errors`, `late`, `rate`, \
`delivery p50` and the like, `lost`, `duplicated`, `out of order` or `closed`";

/// A limit of a measure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Threshold {
    text: String,
    pub(crate) measure: Measure,
    is_below: bool,
    limit: f64,
}

impl Threshold {
    /// Returns whether a value keeps it. A value that is not there does not.
    pub(crate) fn is_kept(&self, value: Option<f64>) -> bool {
        value.is_some_and(|value| if self.is_below { value < self.limit } else { value > self.limit })
    }
}

impl Measure {
    /// Returns the unit of its values.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Quantile(_) | Self::Mean | Self::Delivery(_) => " ms",
            Self::Errors | Self::Late => " %",
            Self::Rate => " per s",
            Self::Lost | Self::Duplicated | Self::OutOfOrder | Self::Closed => "",
        }
    }

    /// Returns whether only a notification server has such values, and whether only deliveries on its streams.
    pub(crate) fn is_of_streams(self) -> (bool, bool) {
        match self {
            Self::Closed => (true, false),
            Self::Delivery(_) | Self::Lost | Self::Duplicated | Self::OutOfOrder => (true, true),
            _ => (false, false),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: String| format!("the threshold `{text}` {why}");
        let place = text.find(['<', '>']);
        let place =
            place.ok_or_else(|| wrong("has no `<` or `>`; an example is `p95 < 500ms`".to_owned()))?;
        let (name, limit) = (text[..place].trim(), text[place + 1..].trim());
        let measure = match name {
            "mean" => Measure::Mean,
            "max" => Measure::Quantile(1.0),
            "errors" => Measure::Errors,
            "late" => Measure::Late,
            "rate" => Measure::Rate,
            "lost" => Measure::Lost,
            "duplicated" => Measure::Duplicated,
            "out of order" => Measure::OutOfOrder,
            "closed" => Measure::Closed,
            "delivery max" => Measure::Delivery(1.0),
            _ => {
                let unknown = || wrong(format!("is of `{name}`: {KNOWN}"));
                match name.strip_prefix("delivery ") {
                    Some(rest) => Measure::Delivery(part(rest).ok_or_else(unknown)?),
                    None => Measure::Quantile(part(name).ok_or_else(unknown)?),
                }
            }
        };
        let (value, right) = match measure {
            Measure::Quantile(_) | Measure::Mean | Measure::Delivery(_) => {
                (time(limit).map(|time| time.as_secs_f64() * 1000.0), "a time with its unit, such as `500ms`")
            }
            Measure::Errors | Measure::Late => (
                limit.strip_suffix('%').and_then(|percent| percent.trim().parse().ok()),
                "a part, such as `1%`",
            ),
            Measure::Rate => (limit.parse().ok(), "requests per second, such as `100`"),
            Measure::Lost | Measure::Duplicated | Measure::OutOfOrder | Measure::Closed => {
                (limit.parse().ok(), "a number, such as `1`")
            }
        };
        let is_below = text[place..].starts_with('<');
        let highest = if matches!(measure, Measure::Errors | Measure::Late) { 100.0 } else { f64::MAX };
        // Nothing is below 0.
        let is_good = |value: &f64| (0.0..=highest).contains(value) && (!is_below || *value > 0.0);
        let value = value.filter(is_good);
        let limit = value.ok_or_else(|| wrong(format!("has the limit `{limit}`: it must be {right}")))?;
        Ok(Self { text: text.to_owned(), measure, is_below, limit })
    }
}

/// Reads `p95` and the like.
fn part(name: &str) -> Option<f64> {
    let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}
