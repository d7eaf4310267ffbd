//! What a run shows while it goes on: one line that changes, or lines one below the other.

use std::{fmt::Write as _, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{orchestrator::report::Report, report::terminal};

/// Shows how far a run is.
#[derive(Debug)]
pub(super) struct View {
    /// None where the output is no terminal.
    bar: Option<ProgressBar>,
    /// Before this nothing is counted.
    warm_up: Duration,
}

impl View {
    /// Begins with a run, whose length may be known.
    pub(super) fn new(length: Option<Duration>, warm_up: Duration, is_terminal: bool) -> Self {
        let bar = is_terminal.then(|| {
            let (bar, template) = match length {
                Some(length) => (ProgressBar::new(length.as_secs().max(1)), "{bar:20} {msg}"),
                None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
            };
            bar.with_style(ProgressStyle::with_template(template).expect("the templates are well-formed"))
        });
        Self { bar, warm_up }
    }

    /// Shows what has been measured so far.
    pub(super) fn show(&self, report: &Report) {
        let second = report.series.last().map_or(0.0, |point| point.second);
        let mut text = line(second, report);
        if second <= self.warm_up.as_secs_f64() {
            text.push_str(", warm-up");
        }
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.set_position(Duration::try_from_secs_f64(second).unwrap_or_default().as_secs());
            }
            None => terminal::warn(&text),
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Says in one line how far a run is: the rate and latencies are those of the last second.
fn line(second: f64, report: &Report) -> String {
    let (total, point) = (&report.total, report.series.last().copied().unwrap_or_default());
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let mut text = format!(
        "{second:>4.0} s  {} done, {} failed, {} late, {:.0} per s, p50 {} ms, p95 {} ms, p99 {} ms",
        total.counts.done,
        total.failed(),
        total.counts.late,
        point.rate,
        ms(point.p50),
        ms(point.p95),
        ms(point.p99),
    );
    if !total.streams.is_none() {
        let _ = write!(text, ", {} streams", total.streams.open);
    }
    if let Some(delivered) = &total.deliveries {
        let _ = write!(text, ", {} deliveries", delivered.counts.received);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bus::message::{Counts, Streams},
        orchestrator::report::{Figures, Point},
    };

    #[test]
    fn a_line_says_how_far_it_is() {
        let counts = Counts { done: 7, late: 1, ..Counts::default() };
        let streams = Streams { open: 3, closed: 0 };
        let total = Figures { counts, streams, ..Figures::default() };
        let point = Point { rate: 3.6, p50: Some(1.25), ..Point::default() };
        let report = Report { total, series: vec![point], ..Report::default() };
        assert_eq!(
            line(2.0, &report),
            "   2 s  7 done, 0 failed, 1 late, 4 per s, p50 1.2 ms, p95 - ms, p99 - ms, 3 streams"
        );
    }
}
