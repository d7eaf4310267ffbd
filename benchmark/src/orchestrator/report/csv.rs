//! A report as CSV: a line for all drivers together, and one for each.

use super::{DriverReport, Figures, Report};

const HEADER: &str = "test_id,driver,state,reason,asked,due,started,late,dropped,done,failed,rate_per_s,\
min_ms,max_ms,mean_ms,median_ms,mode_ms,p95_ms,p99_ms,send_p95_ms,send_p99_ms,cpu_ms,open_files,\
streams_open,streams_closed,deliveries_expected,deliveries,lost,duplicated,out_of_order,delivery_p95_ms,delivery_p99_ms\n";

/// Writes the report.
pub(super) fn write(report: &Report) -> String {
    let mut text = HEADER.to_owned();
    let total = DriverReport {
        node_id: "total".to_owned(),
        state: if report.complete { "complete" } else { "incomplete" }.to_owned(),
        reason: Some(report.verdict()),
        cpu_ms: report.drivers.iter().map(|driver| driver.cpu_ms).sum(),
        open_files: report.drivers.iter().map(|driver| driver.open_files).sum(),
        figures: report.total.clone(),
        ..DriverReport::default()
    };
    for driver in std::iter::once(&total).chain(&report.drivers) {
        text.push_str(&line(&report.test_id, driver));
    }
    text
}

fn line(test_id: &str, driver: &DriverReport) -> String {
    let Figures { counts, rate, latency, latency_from_send: sent, streams, deliveries, .. } = &driver.figures;
    let mut cells = vec![quoted(test_id), quoted(&driver.node_id), quoted(&driver.state)];
    cells.push(quoted(driver.reason.as_deref().unwrap_or_default()));
    let numbers = [counts.asked, counts.due, counts.started, counts.late, counts.dropped, counts.done];
    cells.extend(numbers.iter().chain([&driver.figures.failed()]).map(ToString::to_string));
    cells.push(format!("{rate:.3}"));
    let latencies = [
        latency.min,
        latency.max,
        latency.mean,
        latency.median,
        latency.mode,
        latency.p95,
        latency.p99,
        sent.p95,
        sent.p99,
    ];
    cells.extend(latencies.map(|latency| latency.map(|ms| format!("{ms:.3}")).unwrap_or_default()));
    cells.extend([driver.cpu_ms.to_string(), driver.open_files.to_string()]);
    cells.extend([streams.open.to_string(), streams.closed.to_string()]);
    let delivered = deliveries.clone().unwrap_or_default();
    let counts = delivered.counts;
    let counts = [counts.expected, counts.received, counts.lost, counts.duplicated, counts.out_of_order];
    cells.extend(counts.map(|count| count.to_string()));
    let latencies = [delivered.latency.p95, delivered.latency.p99];
    cells.extend(latencies.map(|latency| latency.map(|ms| format!("{ms:.3}")).unwrap_or_default()));
    cells.join(",") + "\n"
}

/// Returns a cell that no program takes for a formula.
fn quoted(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
