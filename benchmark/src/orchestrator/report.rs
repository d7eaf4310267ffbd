//! What a test has shown: kept on disk, sent as JSON, CSV, Markdown and HTML.

mod csv;
mod html;
mod markdown;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{statistics::Statistics, verdict::Verdict};
use crate::bus::message::{Counts, Deliveries, Streams, TestConfig};

pub(super) use self::html::Page;

/// The result of a test, or what there is of it so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Report {
    pub(crate) test_id: String,
    pub(crate) config: TestConfig,
    pub(crate) created_unix_ms: u64,
    pub(crate) begin_unix_ms: Option<u64>,
    pub(crate) ended_unix_ms: Option<u64>,
    /// Whether every driver that took part did all its work, and its last report came.
    pub(crate) complete: bool,
    pub(crate) aborted: bool,
    /// What is missing from the figures.
    pub(crate) missing: Vec<Missing>,
    /// What a reader must know.
    pub(crate) notes: Vec<String>,
    /// What the test asks for, in one line.
    pub(crate) load: String,
    /// Requests per second that the test asks of all drivers together.
    pub(crate) asked_rate: Option<f64>,
    /// Whether the plan's thresholds were kept.
    pub(crate) thresholds: Vec<Verdict>,
    /// When a part of the load began.
    pub(crate) phases: Vec<Phase>,
    pub(crate) total: Figures,
    pub(crate) drivers: Vec<DriverReport>,
    pub(crate) series: Vec<Point>,
    /// All latencies from the moment a request was due, in microseconds: an `HdrHistogram`, V2 with deflate, in base64.
    pub(crate) histogram: String,
}

/// A part of the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Phase {
    /// Seconds since the test began.
    pub(crate) second: f64,
    pub(crate) label: String,
}

/// A driver whose figures are not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Missing {
    pub(crate) node_id: String,
    pub(crate) reason: String,
}

/// Counts and latencies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) errors: BTreeMap<String, u64>,
    /// Requests per second that were answered or failed.
    pub(crate) rate: f64,
    /// From the moment a request was due.
    pub(crate) latency: Statistics,
    /// From the moment it was sent.
    pub(crate) latency_from_send: Statistics,
    /// Streams, where the test has some.
    #[serde(skip_serializing_if = "Streams::is_none")]
    pub(crate) streams: Streams,
    /// Deliveries on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries: Option<Delivered>,
}

/// Deliveries, and how long they took from the moment a message was due.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Delivered {
    #[serde(flatten)]
    pub(crate) counts: Deliveries,
    pub(crate) latency: Statistics,
}

impl Figures {
    /// Returns how many requests failed.
    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// One driver's part.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct DriverReport {
    pub(crate) node_id: String,
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    /// A driver of another program: it has no histogram, and its statistics are its own.
    pub(crate) is_foreign: bool,
    pub(crate) figures: Figures,
    pub(crate) cpu_ms: u64,
    pub(crate) open_files: u64,
    pub(crate) saturated: Option<String>,
    /// What the load has made at the server and could not remove.
    pub(crate) left_behind: Option<String>,
    /// What other programs did on its machine, if it was much.
    pub(crate) busy: Option<String>,
    /// Reports that came.
    pub(crate) reports: u64,
    /// Reports that did not come, whose figures are in later ones.
    pub(crate) replaced_reports: u64,
}

/// One second of a test.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Point {
    /// Seconds since the test began.
    pub(crate) second: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Failed requests per second.
    pub(crate) errors: f64,
    /// Latencies of this second, in milliseconds.
    pub(crate) p50: Option<f64>,
    pub(crate) p95: Option<f64>,
    pub(crate) p99: Option<f64>,
}

/// How a report is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Html,
    Csv,
    Markdown,
}

impl Format {
    /// Returns the format of a name.
    ///
    /// # Errors
    ///
    /// Names what there is.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        match name {
            "json" => Ok(Self::Json),
            "html" => Ok(Self::Html),
            "csv" => Ok(Self::Csv),
            "md" => Ok(Self::Markdown),
            other => {
                Err(format!("the format `{other}` is not known: there are `json`, `html`, `csv` and `md`"))
            }
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

impl Report {
    /// Returns it in a format; HTML has a [`Page`] of its own.
    pub(crate) fn written(&self, format: Format) -> String {
        match format {
            Format::Json => serde_json::to_string(self).unwrap_or_default(),
            Format::Html => Page::new(self).text,
            Format::Csv => csv::write(self),
            Format::Markdown => markdown::write(self),
        }
    }

    /// Names the thresholds that were not kept, with what was measured.
    pub(crate) fn missed(&self) -> Option<String> {
        let missed = self.thresholds.iter().filter(|verdict| !verdict.kept);
        let missed: Vec<String> =
            missed.map(|verdict| format!("`{}`, it was {}", verdict.threshold, verdict.shown())).collect();
        (!missed.is_empty()).then(|| missed.join("; "))
    }

    /// Returns whether requests ended and all of them failed.
    pub(crate) fn is_all_failed(&self) -> bool {
        self.total.counts.done > 0 && self.total.failed() >= self.total.counts.done
    }

    /// Says in one line how the test ended.
    pub(crate) fn verdict(&self) -> String {
        match (self.ended_unix_ms, self.aborted, self.complete) {
            (None, _, _) => "not ended yet".to_owned(),
            (_, true, _) => "aborted".to_owned(),
            (_, _, true) => match self.missed() {
                Some(missed) => format!("complete, thresholds not kept ({missed})"),
                None => "complete".to_owned(),
            },
            (_, _, false) => {
                let drivers =
                    self.missing.iter().map(|missing| format!("{}: {}", missing.node_id, missing.reason));
                format!("incomplete ({})", drivers.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let driver = DriverReport { node_id: "a,\"b\"</script>".to_owned(), ..DriverReport::default() };
        Report {
            test_id: "t1".to_owned(),
            ended_unix_ms: Some(1),
            missing: vec![Missing { node_id: "d2".to_owned(), reason: "was not heard for 30 s".to_owned() }],
            drivers: vec![driver],
            ..Report::default()
        }
    }

    #[test]
    fn every_format_names_the_test_its_drivers_and_what_is_missing() {
        for name in ["json", "html", "csv", "md"] {
            let text = report().written(Format::named(name).unwrap());
            for part in ["t1", "d2", "was not heard for 30 s"] {
                assert!(text.contains(part), "{name}: {part}\n{text}");
            }
        }
        assert!(Format::named("xml").unwrap_err().contains("`xml`"));
    }

    #[test]
    fn names_of_drivers_do_not_leave_their_place() {
        let html = report().written(Format::Html);
        assert!(!html.contains("b\\\"</script>"), "{html}");
        assert!(report().written(Format::Csv).contains("\"a,\"\"b\"\"</script>\""));
    }

    #[test]
    fn a_report_survives_being_written_and_read() {
        let read: Report = serde_json::from_str(&report().written(Format::Json)).unwrap();
        assert_eq!((read.missing, read.complete), (report().missing, false));
    }
}
