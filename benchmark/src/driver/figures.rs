//! What a driver counts and measures while a test runs.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2DeflateSerializer},
};

use crate::bus::message::{Counts, Deliveries, Latencies, Streams};

/// A request that starts later than this after it was due is late.
const LATE: Duration = Duration::from_millis(10);
/// Latencies above this are recorded as this: ten minutes.
const HIGHEST_MICROS: u64 = 600_000_000;
/// How many different errors are kept apart.
const KINDS_MAX: usize = 64;

/// Counts and latencies since the test began.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) counts: Counts,
    pub(crate) errors: BTreeMap<String, u64>,
    /// Latency in microseconds from the moment a request was due.
    pub(crate) from_due: Histogram<u64>,
    /// The same from the moment it was sent.
    pub(crate) from_sent: Histogram<u64>,
    /// Streams, where the load has some.
    pub(crate) streams: Streams,
    /// Deliveries on them, with their latency in microseconds from the moment a message was due.
    pub(crate) deliveries: Option<(Deliveries, Histogram<u64>)>,
    /// The processor time of the load's threads.
    pub(crate) cpu: Duration,
    /// That of the busiest of them.
    pub(crate) busiest: Duration,
    /// The most connections that were open at once.
    pub(crate) open_files: u64,
    /// What is at the server and must be removed at the end.
    pub(crate) left_behind: Option<String>,
    /// How long after the test's begin the first request is due, because streams are opened before.
    pub(crate) opening: Duration,
    /// When the last request ended, counted from when the first was due.
    pub(crate) ended: Duration,
    /// The time that the figures are of: without the warm-up, and without streams being opened or held.
    pub(crate) span: Duration,
}

/// Returns an empty histogram of latencies in microseconds, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST_MICROS, 3)
        .expect("the bounds are in order and the digits at most five")
}

impl Figures {
    /// Returns figures of a test that asks for this many requests.
    pub(crate) fn new(asked: u64) -> Self {
        let counts = Counts { asked, ..Counts::default() };
        Self {
            counts,
            errors: BTreeMap::new(),
            from_due: histogram(),
            from_sent: histogram(),
            streams: Streams::default(),
            deliveries: None,
            cpu: Duration::ZERO,
            busiest: Duration::ZERO,
            open_files: 0,
            left_behind: None,
            opening: Duration::ZERO,
            ended: Duration::ZERO,
            span: Duration::ZERO,
        }
    }

    /// Adds the figures of another part of the same load.
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add(other.counts);
        for (kind, count) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
        for (sum, part) in [(&mut self.from_due, &other.from_due), (&mut self.from_sent, &other.from_sent)] {
            sum.add(part).expect("all histograms have the same bounds");
        }
        self.streams.add(other.streams);
        if let Some((counts, latency)) = &other.deliveries {
            let (sum, all) = self.deliveries.get_or_insert_with(|| (Deliveries::default(), histogram()));
            sum.add(counts);
            all.add(latency).expect("all histograms have the same bounds");
        }
        self.cpu += other.cpu;
        self.busiest = self.busiest.max(other.busiest);
        self.open_files += other.open_files;
        self.left_behind = self.left_behind.take().or_else(|| other.left_behind.clone());
        self.span = self.span.max(other.span);
    }

    /// Counts a request that is sent this long after it was due, perhaps because it had waited for a connection.
    pub(crate) fn on_start(&mut self, delay: Duration, has_waited: bool) {
        self.counts.started += 1;
        if delay > LATE {
            self.counts.late += 1;
            self.counts.queued += u64::from(has_waited);
        }
    }

    /// Counts an answer. Failed requests count, and have no latency.
    pub(crate) fn on_end(&mut self, outcome: Result<(), String>, from_due: Duration, from_sent: Duration) {
        self.counts.done += 1;
        match outcome {
            Ok(()) => {
                self.from_due.saturating_record(micros(from_due));
                self.from_sent.saturating_record(micros(from_sent));
            }
            Err(kind) => {
                let is_known = self.errors.contains_key(&kind);
                let kind = if is_known || self.errors.len() < KINDS_MAX { kind } else { "other".to_owned() };
                *self.errors.entry(kind).or_default() += 1;
            }
        }
    }

    /// Returns the latencies that the specification has, in milliseconds.
    pub(crate) fn latencies(&self) -> Latencies {
        if self.from_due.is_empty() {
            return Latencies::default();
        }
        #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
        let ms = |micros: u64| Some(micros as f64 / 1000.0);
        Latencies {
            mean_latency: Some(self.from_due.mean() / 1000.0),
            median_latency: ms(self.from_due.value_at_quantile(0.5)),
            min_latency: ms(self.from_due.min()),
            max_latency: ms(self.from_due.max()),
        }
    }
}

/// Returns a histogram as it travels: V2 with deflate, in base64.
pub(crate) fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).expect("a Vec takes everything");
    STANDARD.encode(bytes)
}

fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(u64::MAX)
}
