//! A report as Markdown.

use std::fmt::Write as _;

use super::{Delivered, Figures, Report};
use crate::orchestrator::statistics::Statistics;

/// Writes the report.
pub(super) fn write(report: &Report) -> String {
    let mut text = format!("# Test {}\n\n", report.test_id);
    // Writing to a String does not fail.
    let _ = writeln!(text, "Result: {}.\n\nLoad: {}.\n", report.verdict(), report.load);
    if let Some(asked) = report.asked_rate {
        let _ = writeln!(text, "Asked for: {asked:.1} per second; done: {:.1}.\n", report.total.rate);
    }
    for note in &report.notes {
        let _ = writeln!(text, "- {note}");
    }
    text.push_str(
        "\n| driver | state | done | failed | per second | min | max | mean | median | mode | p95 | p99 |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    row(&mut text, "total", if report.complete { "complete" } else { "incomplete" }, &report.total);
    for driver in &report.drivers {
        row(&mut text, &driver.node_id, &driver.state, &driver.figures);
    }
    text.push_str("\nLatencies are in milliseconds, from the moment a request was due.\n");
    from_send(&mut text, report);
    errors(&mut text, report);
    deliveries(&mut text, report);
    thresholds(&mut text, report);
    generators(&mut text, report);
    text
}

fn from_send(text: &mut String, report: &Report) {
    let sent = &report.total.latency_from_send;
    if let (Some(median), Some(p95), Some(p99)) = (sent.median, sent.p95, sent.p99) {
        let _ =
            writeln!(text, "From the moment it was sent: median {median:.2}, p95 {p95:.2}, p99 {p99:.2}.");
    }
}

fn errors(text: &mut String, report: &Report) {
    if report.total.errors.is_empty() {
        return;
    }
    text.push_str("\n| error | requests |\n|---|---|\n");
    for (kind, count) in &report.total.errors {
        let _ = writeln!(text, "| {} | {count} |", kind.replace('|', "\\|"));
    }
}

fn deliveries(text: &mut String, report: &Report) {
    let streams = report.total.streams;
    if !streams.is_none() {
        let _ = writeln!(text, "\nStreams: {} open, {} closed by the server.", streams.open, streams.closed);
    }
    let Some(Delivered { counts, latency }) = &report.total.deliveries else { return };
    text.push_str(
        "\n| deliveries | expected | lost | duplicated | out of order | median | p95 | p99 | max |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|\n");
    let _ = write!(
        text,
        "| {} | {} | {} | {} | {} |",
        counts.received, counts.expected, counts.lost, counts.duplicated, counts.out_of_order
    );
    cells(text, &[latency.median, latency.p95, latency.p99, latency.max]);
}

fn thresholds(text: &mut String, report: &Report) {
    if report.thresholds.is_empty() {
        return;
    }
    text.push_str("\n| threshold | measured | kept |\n|---|---|---|\n");
    for verdict in &report.thresholds {
        let kept = if verdict.kept { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {} | {} | {kept} |", verdict.threshold, verdict.shown());
    }
}

/// What the load cost those who sent it, so that a reader can tell whether they were the limit.
fn generators(text: &mut String, report: &Report) {
    text.push_str(
        "\n| load generator | CPU, s | open files | started late | never started |\n|---|---|---|---|---|\n",
    );
    for driver in report.drivers.iter().filter(|driver| !driver.is_foreign) {
        let counts = driver.figures.counts;
        let _ = writeln!(
            text,
            "| {} | {}.{:02} | {} | {} | {} |",
            driver.node_id.replace('|', "\\|"),
            driver.cpu_ms / 1000,
            driver.cpu_ms % 1000 / 10,
            driver.open_files,
            counts.late,
            counts.dropped
        );
    }
}

fn row(text: &mut String, name: &str, state: &str, figures: &Figures) {
    let latency = &figures.latency;
    let _ = write!(
        text,
        "| {} | {state} | {} | {} | {:.1} |",
        name.replace('|', "\\|"),
        figures.counts.done,
        figures.failed(),
        figures.rate
    );
    let Statistics { min, max, mean, median, mode, p95, p99, .. } = *latency;
    cells(text, &[min, max, mean, median, mode, p95, p99]);
}

fn cells(text: &mut String, values: &[Option<f64>]) {
    for value in values {
        let _ = match value {
            Some(ms) => write!(text, " {ms:.2} |"),
            None => write!(text, " - |"),
        };
    }
    text.push('\n');
}
