//! A report as Markdown.

use std::fmt::Write as _;

use super::{Figures, Report};

/// Writes the report.
pub(super) fn write(report: &Report) -> String {
    let mut text = format!("# Test {}\n\n", report.test_id);
    let config = &report.config;
    // Writing to a String does not fail.
    let _ = writeln!(text, "Result: {}.\n", report.verdict());
    let _ = writeln!(
        text,
        "Load: {:?}, {} requests per driver, {} ms between requests, target {}.\n",
        config.test_type,
        config.message_count_per_driver,
        config.test_message_delay,
        config.target.as_deref().unwrap_or("of each driver")
    );
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
    text
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
    for ms in [latency.min, latency.max, latency.mean, latency.median, latency.mode, latency.p95, latency.p99]
    {
        let _ = match ms {
            Some(ms) => write!(text, " {ms:.2} |"),
            None => write!(text, " - |"),
        };
    }
    text.push('\n');
}
