//! What all streams of a run saw, counted once for all of them.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use crate::client::{
    Nanos,
    format::Format,
    ledger::{Ledger, Verdict},
    message::{Reader, RunId},
};

/// The close code that stands for a connection that ended without a close frame.
pub(crate) const ABNORMAL: u16 = 1006;

/// What takes longer than this is counted as taking as long.
const MAX_LATENCY: Nanos = 3_600_000_000_000;

/// Returns an empty histogram of nanoseconds up to an hour, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_LATENCY, 3).expect("three digits is a valid precision")
}

/// The counters of one run.
#[derive(Debug)]
pub(crate) struct Tally {
    reader: Reader,
    judge_order: bool,
    /// From the moment a publish was due to its receipt.
    pub(crate) latency: Histogram<u64>,
    /// The same, of the streams at other nodes than the one that is published to.
    pub(crate) latency_elsewhere: Histogram<u64>,
    /// Whether the stream that is read is one of those.
    pub(crate) elsewhere: bool,
    pub(crate) received: u64,
    /// Bytes of the frames that brought them.
    pub(crate) bytes: u64,
    pub(crate) duplicated: u64,
    pub(crate) out_of_order: u64,
    /// Data frames that were not of this run.
    pub(crate) foreign: u64,
    pub(crate) last_receipt: Nanos,
    /// Streams that the server ended, by close code.
    pub(crate) closes: BTreeMap<u16, u64>,
    /// What the last stream that broke the protocol did.
    pub(crate) violation: Option<String>,
}

impl Tally {
    /// Starts a run. With `judge_order` unset, order is not looked at (a peer whose ids mean nothing).
    pub(crate) fn new(run: RunId, judge_order: bool, format: Format) -> Self {
        Self {
            reader: Reader::new(run, format),
            judge_order,
            latency: histogram(),
            latency_elsewhere: histogram(),
            elsewhere: false,
            received: 0,
            bytes: 0,
            duplicated: 0,
            out_of_order: 0,
            foreign: 0,
            last_receipt: 0,
            closes: BTreeMap::new(),
            violation: None,
        }
    }

    /// The format in which messages are to come.
    pub(crate) fn format(&self) -> Format {
        self.reader.format()
    }

    /// Takes the payload of a data frame of `bytes` that a stream got at `now`.
    pub(crate) fn take(&mut self, payload: &[u8], bytes: usize, now: Nanos, ledger: &mut Ledger) {
        let Some(message) = self.reader.read(payload) else {
            self.foreign += 1;
            return;
        };
        let id = message.id.filter(|_| self.judge_order);
        match ledger.record(message.sequence, id) {
            Verdict::Duplicated => {
                self.duplicated += 1;
                return;
            }
            Verdict::OutOfOrder => self.out_of_order += 1,
            Verdict::Fine => {}
        }
        self.received += 1;
        self.bytes += bytes as u64;
        self.last_receipt = now;
        let latency = if self.elsewhere { &mut self.latency_elsewhere } else { &mut self.latency };
        latency.saturating_record(now.saturating_sub(message.due));
    }

    /// Counts a stream that the server ended.
    pub(crate) fn closed(&mut self, code: u16) {
        *self.closes.entry(code).or_default() += 1;
    }

    /// Returns how many streams the server ended.
    pub(crate) fn closed_streams(&self) -> u64 {
        self.closes.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::message::Template;

    fn payload(run: RunId, sequence: u32, due: Nanos) -> Vec<u8> {
        let mut request = Vec::new();
        Template::new("", b"{\"id\":10000000000,\"m\":\"", run, 0, b"\"}").numbered().write(
            &mut request,
            sequence,
            due,
        );
        request.split_off(crate::client::http::find(&request, b"{").unwrap())
    }

    #[test]
    fn latency_runs_from_the_due_time() {
        let (run, mut ledger) = (RunId::nth(1), Ledger::default());
        let mut tally = Tally::new(run, true, Format::Json);
        tally.take(&payload(run, 0, 1_000_000), 150, 3_000_000, &mut ledger);
        assert_eq!((tally.received, tally.bytes, tally.last_receipt), (1, 150, 3_000_000));
        assert!(tally.latency.equivalent(tally.latency.max(), 2_000_000));
    }

    #[test]
    fn streams_at_other_nodes_have_a_latency_of_their_own() {
        let (run, mut ledger) = (RunId::nth(1), Ledger::default());
        let mut tally = Tally::new(run, true, Format::Json);
        for (sequence, elsewhere) in [(0, false), (1, true), (2, true)] {
            tally.elsewhere = elsewhere;
            tally.take(&payload(run, sequence, 0), 9, 1, &mut ledger);
        }
        assert_eq!((tally.received, tally.latency.len(), tally.latency_elsewhere.len()), (3, 1, 2));
    }

    #[test]
    fn duplicates_foreign_messages_and_disorder_are_told_apart() {
        let (run, mut ledger) = (RunId::nth(1), Ledger::default());
        let mut tally = Tally::new(run, true, Format::Json);
        for sequence in [1, 0, 0] {
            tally.take(&payload(run, sequence, 0), 9, 1, &mut ledger);
        }
        tally.take(&payload(RunId::nth(2), 0, 0), 9, 1, &mut ledger);
        assert_eq!((tally.received, tally.out_of_order, tally.duplicated, tally.foreign), (2, 1, 1, 1));
    }

    #[test]
    fn order_is_not_judged_where_ids_mean_nothing() {
        let (run, mut ledger) = (RunId::nth(1), Ledger::default());
        let mut tally = Tally::new(run, false, Format::Json);
        for sequence in [1, 0] {
            tally.take(&payload(run, sequence, 0), 9, 1, &mut ledger);
        }
        assert_eq!((tally.received, tally.out_of_order), (2, 0));
    }
}
