//! A test that runs, and its reports.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at},
};

use super::{
    PERIOD,
    figures::{Figures, encoded},
    load::Running,
};
use crate::{
    bus::{
        Bus,
        event::Event,
        message::{Counts, Deliveries, Measured, Metrics, Takeover},
    },
    process::{listener, others::Others, usage::Process},
};

/// The part of late starts from which a driver says that it could not keep up.
const LATE_PART: u64 = 100;
/// Of fewer requests nothing can be said.
const FEWEST: u64 = 100;
/// The part of a core from which a thread was what limited the load, in percent.
const BUSY_PERCENT: u128 = 90;
/// Before this a thread may be busy with its begin.
const BEGIN: Duration = Duration::from_secs(2);

/// What a running test is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    /// Why it is to stop.
    pub(super) stop: Option<String>,
    /// Shares of lost drivers, of which it sends a part.
    pub(super) takeovers: Vec<Takeover>,
}

/// Writes the reports of one test.
#[derive(Debug)]
pub(super) struct Report {
    node_id: String,
    test_id: String,
    incarnation: String,
    begin: Instant,
    sequence: u64,
    /// What the machine did then, if that is watched.
    others: Option<Others>,
}

impl Report {
    pub(super) fn new(node_id: String, test_id: String, incarnation: String, begin: Instant) -> Self {
        Self { node_id, test_id, incarnation, begin, sequence: 0, others: None }
    }

    /// Says in the last report what other programs did on this machine, besides the one that is loaded. Looks through
    /// all processes.
    pub(super) fn watch_machine(&mut self, target: SocketAddr) {
        let is_here = target.ip().is_loopback();
        let target = is_here.then(|| listener::find(target.port()).map(Process)).flatten();
        self.others = Others::look(target).ok();
    }

    fn next(&mut self, running: &Running, is_final: bool, stopped: Option<String>) -> Event {
        let figures = running.figures();
        let counts = figures.counts;
        let sequence = self.sequence;
        self.sequence += 1;
        let elapsed = self.begin.elapsed();
        let deliveries = figures
            .deliveries
            .as_ref()
            .map(|(deliveries, latency)| Deliveries { latency: encoded(latency), ..deliveries.clone() });
        let measured = Measured {
            incarnation: self.incarnation.clone(),
            sequence,
            is_final,
            stopped,
            counts,
            from_due: encoded(&figures.from_due),
            from_sent: encoded(&figures.from_sent),
            cpu_ms: whole_ms(figures.cpu),
            open_files: figures.open_files,
            elapsed_ms: whole_ms(elapsed),
            span_us: u64::try_from(figures.span.as_micros()).unwrap_or(u64::MAX),
            saturated: saturated(&figures, elapsed),
            left_behind: figures.left_behind.clone().filter(|_| is_final),
            // It is looked for once, because that costs.
            busy: self.others.as_ref().filter(|_| is_final).and_then(Others::since),
            streams: figures.streams,
            deliveries,
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
    mut orders: watch::Receiver<Orders>,
) -> String {
    let mut ticks = interval_at(report.begin + PERIOD, PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut ended, mut taken_over) = (Ok(()), 0);
    loop {
        tokio::select! {
            biased;
            Ok(()) = orders.changed() => {
                let orders = orders.borrow_and_update();
                if orders.stop.is_some() {
                    break;
                }
                for takeover in orders.takeovers.iter().skip(taken_over) {
                    running.take_over(takeover, &report.node_id);
                }
                taken_over = orders.takeovers.len();
            }
            outcome = running.finished() => {
                ended = outcome;
                break;
            }
            _ = ticks.tick() => bus.publish(report.next(&running, false, None).to_message()),
        }
    }
    let reason = orders.borrow().stop.clone().or(ended.err());
    running.stop().await;
    bus.publish(report.next(&running, true, reason).to_message());
    report.test_id
}

/// Says why a load could not be sent as asked, if so.
fn saturated(figures: &Figures, elapsed: Duration) -> Option<String> {
    let Counts { late, queued, started, .. } = figures.counts;
    // What waited for a connection is the target's fault, or the plan's.
    let late = late - queued;
    if started >= FEWEST && late * LATE_PART > started {
        return Some(format!("{late} of {started} requests started more than 10 ms late"));
    }
    let percent = figures.busiest.as_millis() * 100 / elapsed.as_millis().max(1);
    (elapsed > BEGIN && percent > BUSY_PERCENT)
        .then(|| format!("the thread of the load used {percent} % of a core"))
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
