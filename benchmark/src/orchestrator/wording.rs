//! What a report says of its test in words: what was asked for, and what a reader must know.

use std::fmt::Write as _;

use super::report;
use crate::{
    bus::message::{TestConfig, TestType},
    client::schedule::Share,
    plan::Plan,
};

/// The part of requests from which on it is noted that they waited.
const NOTED_PART: u64 = 100;

/// Says in one line what a test of the specification asks for.
pub(super) fn described(config: &TestConfig) -> String {
    let mut text = match config.test_type {
        TestType::Tsunami => "tsunami".to_owned(),
        TestType::Avalanche => "avalanche".to_owned(),
    };
    let _ = write!(text, ", {} requests per driver", config.message_count_per_driver);
    if config.test_message_delay > 0 {
        let _ = write!(text, ", every {} ms", config.test_message_delay);
    }
    if let Some(throughput) = config.throughput {
        let _ = write!(text, ", at most {throughput} per second and driver");
    }
    let _ = write!(text, ", to {}", config.target.as_deref().unwrap_or("the target of each driver"));
    text
}

pub(super) fn asked_rate(config: &TestConfig, drivers: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds and drivers are far below 2^52")]
    let (delay, drivers) = (config.test_message_delay as f64, drivers as f64);
    let by_delay = (config.test_type == TestType::Tsunami && delay > 0.0).then(|| 1000.0 / delay);
    let per_driver = match (by_delay, config.throughput) {
        (Some(delay), Some(ceiling)) => Some(delay.min(ceiling)),
        (delay, ceiling) => delay.or(ceiling),
    };
    per_driver.map(|rate| rate * drivers)
}

/// Returns the requests per second that a plan asks of all drivers together, after its warm-up.
#[expect(clippy::cast_precision_loss, reason = "requests are far below 2^52")]
pub(super) fn planned_rate(plan: &Plan) -> Option<f64> {
    let requests = plan.schedule.requests(Share::WHOLE)?;
    let counted = requests - plan.schedule.due_before(Share::WHOLE, plan.warm_up);
    let seconds = plan.schedule.duration()?.saturating_sub(plan.warm_up).as_secs_f64();
    (seconds > 0.0).then(|| counted as f64 / seconds)
}

/// Returns the parts of a plan's load, for those who look at a plot.
pub(super) fn phases(plan: &Plan) -> Vec<report::Phase> {
    let opening = plan.target.opening().as_secs_f64();
    let mut second = opening;
    let mut phases = Vec::new();
    for stage in plan.schedule.stages() {
        let unit = plan.schedule.users().map_or("per s", |_| "users");
        phases.push(report::Phase { second, label: stage.level(unit) });
        second += stage.over.as_secs_f64();
    }
    if !plan.warm_up.is_zero() {
        phases.push(report::Phase {
            second: opening + plan.warm_up.as_secs_f64(),
            label: "warm-up ends".to_owned(),
        });
    }
    phases
}

pub(super) fn notes(drivers: &[report::DriverReport]) -> Vec<String> {
    let mut notes = Vec::new();
    for driver in drivers {
        let node_id = &driver.node_id;
        if driver.is_foreign {
            notes.push(format!(
                "`{node_id}` is another program: its latencies are its own, and not part of the total percentiles"
            ));
        }
        if let Some(reason) = &driver.saturated {
            notes.push(format!("`{node_id}` could not keep up: {reason}"));
        }
        let counts = driver.figures.counts;
        if counts.queued > counts.started / NOTED_PART {
            notes.push(format!(
                "{} of {} requests of `{node_id}` waited because all connections of `concurrency` were taken",
                counts.queued, counts.started
            ));
        }
        if counts.again > 0 {
            notes.push(format!(
                "{} requests of `{node_id}` were sent once more, because the server had left their connection",
                counts.again
            ));
        }
        if let Some(left_behind) = &driver.left_behind {
            notes.push(left_behind.clone());
        }
        if let Some(busy) = &driver.busy {
            notes.push(format!("on the machine of `{node_id}` {busy}: figures of a quiet one are better"));
        }
        if driver.replaced_reports > 0 {
            notes.push(format!(
                "{} reports of `{node_id}` did not come; later ones hold their figures",
                driver.replaced_reports
            ));
        }
    }
    notes
}
