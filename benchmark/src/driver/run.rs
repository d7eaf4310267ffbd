//! A test that runs, and its reports.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{PERIOD, figures::encoded, load::Running};
use crate::{
    bus::{
        Bus,
        event::Event,
        message::{Measured, Metrics},
    },
    process::{limits, usage::Process},
};

/// The part of late starts from which a driver says that it could not keep up.
const LATE_PART: u64 = 100;

/// Writes the reports of one test.
#[derive(Debug)]
pub(super) struct Report {
    node_id: String,
    test_id: String,
    incarnation: String,
    begin: Instant,
    sequence: u64,
    /// The processor time of this process when the test came.
    cpu: Duration,
}

impl Report {
    pub(super) fn new(node_id: String, test_id: String, incarnation: String, begin: Instant) -> Self {
        let cpu = Process::own().cpu().unwrap_or_default();
        Self { node_id, test_id, incarnation, begin, sequence: 0, cpu }
    }

    fn next(&mut self, running: &Running, is_final: bool, stopped: Option<String>) -> Event {
        let figures = running.figures();
        let counts = figures.counts;
        let cpu = Process::own().cpu().unwrap_or_default().saturating_sub(self.cpu);
        let sequence = self.sequence;
        self.sequence += 1;
        let late = (counts.late * LATE_PART > counts.started)
            .then(|| format!("{} of {} requests started more than 10 ms late", counts.late, counts.started));
        let measured = Measured {
            incarnation: self.incarnation.clone(),
            sequence,
            is_final,
            stopped,
            counts,
            from_due: encoded(&figures.from_due),
            from_sent: encoded(&figures.from_sent),
            cpu_ms: whole_ms(cpu),
            open_files: limits::used(Process::own()).unwrap_or_default(),
            elapsed_ms: whole_ms(self.begin.elapsed()),
            saturated: late,
            errors: figures.errors.clone(),
        };
        Event::Metrics(Box::new(Metrics {
            node_id: self.node_id.clone(),
            test_id: self.test_id.clone(),
            report_id: format!("{:032x}", rand::random::<u128>()),
            metrics: figures.latencies(),
            no_of_req: None,
            measured: Some(measured),
        }))
    }
}

/// Reports each second until the test has ended or is stopped, and then for the last time. Returns the test's id.
pub(super) async fn run(
    bus: Arc<dyn Bus>,
    mut report: Report,
    mut running: Running,
    mut stop: watch::Receiver<Option<String>>,
) -> String {
    let mut ticks = interval_at(report.begin + PERIOD, PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            Ok(_) = stop.wait_for(Option::is_some) => break,
            () = running.finished() => break,
            _ = ticks.tick() => bus.publish(report.next(&running, false, None).to_message()),
        }
    }
    let reason = stop.borrow().clone();
    running.stop().await;
    bus.publish(report.next(&running, true, reason).to_message());
    report.test_id
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
