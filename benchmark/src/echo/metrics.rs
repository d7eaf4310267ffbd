//! What the server has done, in Prometheus' text format.

use std::{
    fmt::Write,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
    time::Duration,
};

use shardcast::hub::{ConnectionId, EndReason, Observer, UserId};

use crate::process::usage::Process;

/// Upper ends of the buckets in seconds: those of other servers of this protocol from a millisecond on, and finer
/// ones below, where a healthy server is.
const BUCKETS: [f64; 13] =
    [0.000_001, 0.000_005, 0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

const NORMAL_CLOSE: [u16; 2] = [1000, 1001];

/// Counters, which start at zero.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    received: AtomicU64,
    sent: AtomicU64,
    active: AtomicI64,
    response_nanos: AtomicU64,
    /// How many responses fell into each bucket; the last holds what took longer than all of them.
    responses: [AtomicU64; BUCKETS.len() + 1],
    connection_errors: AtomicU64,
    message_errors: AtomicU64,
}

impl Metrics {
    pub(super) fn on_received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes an answer and the time since its message was there.
    pub(super) fn on_sent(&self, took: Duration) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.response_nanos.fetch_add(nanos, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        self.responses[BUCKETS.partition_point(|end| *end < seconds)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn on_message_error(&self) {
        self.message_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes all of it, with what the process uses.
    pub(super) fn exposition(&self) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed).to_string();
        let mut page = Page::default();
        page.metric(
            "websocket_messages_received_total",
            "counter",
            "Messages from clients",
            &read(&self.received),
        );
        page.metric("websocket_messages_sent_total", "counter", "Messages sent back", &read(&self.sent));
        let active = self.active.load(Ordering::Relaxed).to_string();
        page.metric("websocket_active_connections", "gauge", "Connections open now", &active);
        self.response_time(&mut page);
        page.metric(
            "websocket_connection_errors_total",
            "counter",
            "Connections that ended otherwise than by a normal close",
            &read(&self.connection_errors),
        );
        page.metric(
            "websocket_message_errors_total",
            "counter",
            "Binary messages that are no WebsocketMessage",
            &read(&self.message_errors),
        );
        // What `/proc` does not tell is left out.
        if let Ok(cpu) = Process::own().cpu() {
            let seconds = cpu.as_secs_f64().to_string();
            page.metric("process_cpu_seconds_total", "counter", "Processor time, user and system", &seconds);
        }
        if let Ok(bytes) = Process::own().resident_bytes_quick() {
            page.metric("process_resident_memory_bytes", "gauge", "Resident memory", &bytes.to_string());
        }
        page.0
    }

    fn response_time(&self, page: &mut Page) {
        const NAME: &str = "websocket_server_response_time_seconds";
        page.head(NAME, "histogram", "From having a message to having handed its answer to the socket");
        let mut count = 0;
        for (at, bucket) in self.responses.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            let end = BUCKETS.get(at).map_or_else(|| "+Inf".to_owned(), f64::to_string);
            page.line(format_args!("{NAME}_bucket{{le=\"{end}\"}} {count}"));
        }
        let sum = Duration::from_nanos(self.response_nanos.load(Ordering::Relaxed)).as_secs_f64();
        page.line(format_args!("{NAME}_sum {sum}"));
        page.line(format_args!("{NAME}_count {count}"));
    }
}

/// A client that closes, and a server that goes, are no errors.
fn is_error(reason: EndReason) -> bool {
    match reason {
        EndReason::PeerClosed(code) => code.is_some_and(|code| !NORMAL_CLOSE.contains(&code)),
        EndReason::Shutdown | EndReason::Dropped => false,
        _ => true,
    }
}

impl Observer for Metrics {
    fn on_register(&self, _: UserId, _: ConnectionId) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    fn on_end(&self, _: UserId, _: ConnectionId, reason: EndReason) {
        self.active.fetch_sub(1, Ordering::Relaxed);
        if is_error(reason) {
            self.connection_errors.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The text that Prometheus reads.
#[derive(Debug, Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn metric(&mut self, name: &str, kind: &str, help: &str, value: &str) {
        self.head(name, kind, help);
        self.line(format_args!("{name} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_counts_in_its_bucket_and_all_above() {
        let metrics = Metrics::default();
        metrics.on_sent(Duration::from_millis(10));
        metrics.on_sent(Duration::from_secs(9));
        let page = metrics.exposition();
        for line in ["{le=\"0.001\"} 0", "{le=\"0.01\"} 1", "{le=\"5\"} 1", "{le=\"+Inf\"} 2"] {
            assert!(
                page.contains(&format!("websocket_server_response_time_seconds_bucket{line}\n")),
                "{page}"
            );
        }
        assert!(page.contains("websocket_server_response_time_seconds_count 2\n"), "{page}");
        assert!(page.contains("websocket_server_response_time_seconds_sum 9.01\n"), "{page}");
    }

    #[test]
    fn a_normal_close_is_no_error() {
        for reason in [EndReason::PeerClosed(None), EndReason::PeerClosed(Some(1000)), EndReason::Shutdown] {
            assert!(!is_error(reason), "{reason:?}");
        }
        for reason in [EndReason::PeerGone, EndReason::PeerClosed(Some(1002)), EndReason::ProtocolError] {
            assert!(is_error(reason), "{reason:?}");
        }
    }
}
