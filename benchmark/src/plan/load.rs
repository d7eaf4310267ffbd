//! The section `load` of a plan.

use std::time::Duration;

use super::{
    PlanError, list,
    section::{Section, scalar},
    target::PlanTarget,
};
use crate::client::schedule::{Schedule, Share, Stage};

/// Requests under way at once, unless the test says otherwise.
pub(crate) const CONCURRENCY: u32 = 64;
/// The most of them.
pub(crate) const CONCURRENCY_MAX: u32 = 10_000;
/// The largest test.
pub(crate) const REQUESTS_MAX: u64 = 1_000_000_000;
/// The most requests per second.
const RATE_MAX: f64 = 1e6;

const MODELS: &str = "`tsunami`, `avalanche`, `rate` or `users`";

/// Returns when requests are due, and how many may be under way at once.
pub(super) fn read(mut section: Section, target: &PlanTarget) -> Result<(Schedule, u32), PlanError> {
    let (line, model) = scalar("model", section.need("model", MODELS)?)?;
    let mut concurrency = CONCURRENCY;
    if model != "users" {
        let right = format!("1 to {CONCURRENCY_MAX}");
        let given = section.value("concurrency", &right, |count| (1..=CONCURRENCY_MAX).contains(count))?;
        concurrency = given.unwrap_or(CONCURRENCY);
    }
    let schedule = match model.as_str() {
        "rate" => Schedule::Arrivals(stages(&mut section, RATE_MAX)?),
        "users" => Schedule::Users(stages(&mut section, f64::from(CONCURRENCY_MAX))?),
        "tsunami" | "avalanche" => spaced(&mut section, model == "tsunami")?,
        _ => return Err(PlanError::new(line, format!("`model` is `{model}`: it must be {MODELS}"))),
    };
    section.end()?;
    let requests = schedule.requests(Share::WHOLE);
    if requests.is_some_and(|requests| requests == 0 || requests > REQUESTS_MAX) {
        let reason = format!("all stages together must have 1 to {REQUESTS_MAX} requests");
        return Err(PlanError::new(line, reason));
    }
    let concurrency = schedule.users().unwrap_or(concurrency);
    if concurrency == 0 {
        return Err(PlanError::new(line, "at least one stage must have a user"));
    }
    if model == "users" && target.opens_streams() {
        let reason = "`model` is `users`: streams are opened by `rate`, `tsunami` or `avalanche`";
        return Err(PlanError::new(line, reason));
    }
    Ok((schedule, concurrency))
}

fn spaced(section: &mut Section, has_delay: bool) -> Result<Schedule, PlanError> {
    let line = section.line;
    let right = format!("1 to {REQUESTS_MAX}");
    let requests = section.value("requests", &right, |count| (1..=REQUESTS_MAX).contains(count))?;
    let requests =
        requests.ok_or_else(|| PlanError::new(line, "`load` lacks `requests`, such as `requests: 1000`"))?;
    let delay = if has_delay { section.time("delay")? } else { Some(Duration::ZERO) };
    let delay = delay.ok_or_else(|| PlanError::new(line, "`load` lacks `delay`, such as `delay: 10ms`"))?;
    let is_rate = |rate: &f64| (0.001..=RATE_MAX).contains(rate);
    let ceiling = section.value("throughput", "requests per second, 0.001 to 1000000", is_rate)?;
    let ceiling = ceiling.map_or(Duration::ZERO, |rate: f64| Duration::from_secs_f64(1.0 / rate));
    // The slower one wins.
    Ok(Schedule::Spaced { requests, spacing: delay.max(ceiling) })
}

fn stages(section: &mut Section, most: f64) -> Result<Vec<Stage>, PlanError> {
    let node = section.need("stages", "`stages: [{to: 100, for: 30s}]`")?;
    let line = node.line;
    let mut stages: Vec<Stage> = Vec::new();
    for node in list("stages", node)? {
        let mut section = Section::new("the stage", node)?;
        let line = section.line;
        let right = format!("0 to {most}");
        let is_good = |level: &f64| (0.0..=most).contains(level);
        let to = section.value("to", &right, is_good)?;
        let to = to.ok_or_else(|| PlanError::new(line, "the stage lacks `to`, such as `to: 100`"))?;
        let from = section.value("from", &right, is_good)?;
        // Without it a stage goes on from the one before; the first is constant.
        let from = from.unwrap_or_else(|| stages.last().map_or(to, |last| last.to));
        let over = section.time("for")?;
        let over = over.ok_or_else(|| PlanError::new(line, "the stage lacks `for`, such as `for: 30s`"))?;
        if over.is_zero() {
            return Err(PlanError::new(line, "`for` is `0s`: it must be more than 0"));
        }
        section.end()?;
        stages.push(Stage { over, from, to });
    }
    if stages.is_empty() {
        return Err(PlanError::new(line, "`stages` must have at least one, such as `- {to: 100, for: 30s}`"));
    }
    Ok(stages)
}
