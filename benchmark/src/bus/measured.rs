//! The message `metrics`: what a driver has measured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient;

/// `metrics`: what a driver has measured since its test began. Counts are cumulative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the published names")]
pub(crate) struct Metrics {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) node_id: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) test_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) report_id: String,
    pub(crate) metrics: Latencies,
    /// A field of other programs: requests since their last report.
    #[serde(default, deserialize_with = "lenient::optional_number", skip_serializing_if = "Option::is_none")]
    pub(crate) no_of_req: Option<u64>,
    /// Our own fields; a driver of another program has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) measured: Option<Measured>,
}

/// Latencies of the specification, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the published names")]
pub(crate) struct Latencies {
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) mean_latency: Option<f64>,
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) median_latency: Option<f64>,
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) min_latency: Option<f64>,
    #[serde(default, deserialize_with = "lenient::optional_number")]
    pub(crate) max_latency: Option<f64>,
}

/// Our own part of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// The process that measured; a restarted driver begins again.
    pub(crate) incarnation: String,
    /// Counts up by one per report of a test.
    pub(crate) sequence: u64,
    /// No later report of this test comes from this process.
    pub(crate) is_final: bool,
    /// Why the driver stopped before its work was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<String>,
    #[serde(default)]
    pub(crate) counts: Counts,
    #[serde(default)]
    pub(crate) errors: BTreeMap<String, u64>,
    /// Latency in microseconds from the moment a request was due: an `HdrHistogram`, V2 with deflate, in base64.
    #[serde(default)]
    pub(crate) from_due: String,
    /// The same from the moment a request was sent.
    #[serde(default)]
    pub(crate) from_sent: String,
    /// What the load has made at the server and could not remove.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_behind: Option<String>,
    /// What other programs did on the driver's machine, if it was much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) busy: Option<String>,
    /// Streams, where the test has some.
    #[serde(default, skip_serializing_if = "Streams::is_none")]
    pub(crate) streams: Streams,
    /// Deliveries on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deliveries: Option<Deliveries>,
    /// Processor time of the load's threads since the test began.
    #[serde(default)]
    pub(crate) cpu_ms: u64,
    /// The most connections that were open at once.
    #[serde(default)]
    pub(crate) open_files: u64,
    /// How long ago the test began for this driver.
    #[serde(default)]
    pub(crate) elapsed_ms: u64,
    /// The time in microseconds that the counts are of: without the warm-up, and without streams being opened or held.
    #[serde(default)]
    pub(crate) span_us: u64,
    /// Why the driver could not send as asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) saturated: Option<String>,
}

/// The streams of a driver.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Streams {
    /// Open now.
    pub(crate) open: u64,
    /// Closed by the server.
    pub(crate) closed: u64,
}

impl Streams {
    /// Adds the streams of another driver.
    pub(crate) fn add(&mut self, other: Self) {
        self.open = self.open.saturating_add(other.open);
        self.closed = self.closed.saturating_add(other.closed);
    }

    /// Returns whether there were none.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Messages on the streams of a driver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Deliveries {
    /// Messages that the server took, times the streams that must get them.
    pub(crate) expected: u64,
    pub(crate) received: u64,
    /// Not there at the end.
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) out_of_order: u64,
    /// Latency in microseconds from the moment a message was due, as `from_due`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) latency: String,
}

impl Deliveries {
    /// Adds the deliveries of another driver, without their latencies.
    pub(crate) fn add(&mut self, other: &Self) {
        self.expected = self.expected.saturating_add(other.expected);
        self.received = self.received.saturating_add(other.received);
        self.lost = self.lost.saturating_add(other.lost);
        self.duplicated = self.duplicated.saturating_add(other.duplicated);
        self.out_of_order = self.out_of_order.saturating_add(other.out_of_order);
    }
}

/// What a driver has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counts {
    /// All that the plan asks of this driver, if that is known.
    pub(crate) asked: u64,
    /// Requests whose time has come.
    pub(crate) due: u64,
    pub(crate) started: u64,
    /// Started later than they were due.
    pub(crate) late: u64,
    /// Of these, how many waited for a connection, because all that may be open at once waited for their answers.
    pub(crate) queued: u64,
    /// Never started.
    pub(crate) dropped: u64,
    /// Sent once more on a new connection, because the server had left the old one.
    pub(crate) again: u64,
    /// Answered, or failed.
    pub(crate) done: u64,
}

impl Counts {
    /// Adds the counts of another part or driver.
    pub(crate) fn add(&mut self, part: Self) {
        self.asked = self.asked.saturating_add(part.asked);
        self.due = self.due.saturating_add(part.due);
        self.started = self.started.saturating_add(part.started);
        self.late = self.late.saturating_add(part.late);
        self.queued = self.queued.saturating_add(part.queued);
        self.dropped = self.dropped.saturating_add(part.dropped);
        self.again = self.again.saturating_add(part.again);
        self.done = self.done.saturating_add(part.done);
    }
}
