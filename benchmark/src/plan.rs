//! A plan: the YAML file that says what load goes where, and what has to hold. `PLANS.md` describes it.

mod load;
mod section;
pub(crate) mod target;
pub(crate) mod threshold;
mod yaml;

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use serde_json::Value;

use self::{
    section::{Section, scalar},
    target::PlanTarget,
    threshold::Threshold,
    yaml::{Content, Node},
};
use crate::client::schedule::Schedule;

pub(crate) use self::load::{CONCURRENCY, CONCURRENCY_MAX, REQUESTS_MAX};

/// Why a plan can't be run: the line, the key, the value and what would be right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PlanError {
    /// 0 for a plan that came as JSON.
    line: usize,
    reason: String,
}

impl std::error::Error for PlanError {}

impl fmt::Display for PlanError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(formatter, "line {}: ", self.line)?;
        }
        // A value that is repeated may have several lines, and the error has one.
        for character in self.reason.chars() {
            if character.is_control() {
                write!(formatter, "{}", character.escape_debug())?;
            } else {
                formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl PlanError {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

/// What load goes where, and what has to hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    pub(crate) target: PlanTarget,
    /// Of all drivers together.
    pub(crate) schedule: Schedule,
    /// Requests of one driver that are under way at once.
    pub(crate) concurrency: u32,
    /// The time at the beginning that the figures leave out.
    pub(crate) warm_up: Duration,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) lost_driver: LostDriver,
}

/// What becomes of the share of a driver that is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LostDriver {
    /// It is reported as missing.
    #[default]
    Report,
    /// The other drivers send what it would still have sent.
    Redistribute,
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// Says on which line what is wrong, and what would be right.
    #[cfg(test)]
    pub(crate) fn parse(text: &str) -> Result<Self, PlanError> {
        Self::read(yaml::parse(text)?)
    }

    /// Reads a plan that came as JSON.
    ///
    /// # Errors
    ///
    /// Says what is wrong, and what would be right.
    pub(crate) fn from_json(value: &Value) -> Result<Self, PlanError> {
        Self::read(Node::from_json(value))
    }

    /// Returns a plan as it travels, and what it says.
    ///
    /// # Errors
    ///
    /// Says on which line what is wrong, and what would be right.
    pub(crate) fn parse_to_json(text: &str) -> Result<(Value, Self), PlanError> {
        let node = yaml::parse(text)?;
        Ok((node.to_json(), Self::read(node)?))
    }

    fn read(node: Node) -> Result<Self, PlanError> {
        let mut root = Section::new("the plan", node)?;
        let node = root.need("target", "`target: {url: 'http://127.0.0.1:8080/health'}`")?;
        let target = target::read(Section::new("`target`", node)?)?;
        let node = root.need("load", "`load: {model: avalanche, requests: 100}`")?;
        let (schedule, concurrency) = load::read(Section::new("`load`", node)?, &target)?;
        let line = root.line_of("warm_up");
        let warm_up = root.time("warm_up")?.unwrap_or_default();
        let length = schedule.duration().unwrap_or_default();
        if warm_up >= length && !warm_up.is_zero() {
            let reason = format!(
                "`warm_up` is `{warm_up:?}`: it must be shorter than the load, which takes {length:?}"
            );
            return Err(PlanError::new(line, reason));
        }
        let thresholds = match root.take("thresholds") {
            None => Vec::new(),
            Some(node) => list("thresholds", node)?
                .into_iter()
                .map(|node| threshold(node, &target))
                .collect::<Result<_, _>>()?,
        };
        let right = "`report` or `redistribute`";
        let lost_driver = match root.text("lost_driver")? {
            None => LostDriver::Report,
            Some((_, text)) if text == "report" => LostDriver::Report,
            Some((_, text)) if text == "redistribute" => LostDriver::Redistribute,
            Some((line, text)) => {
                return Err(PlanError::new(line, format!("`lost_driver` is `{text}`: it must be {right}")));
            }
        };
        root.end()?;
        Ok(Self { target, schedule, concurrency, warm_up, thresholds, lost_driver })
    }
}

/// Says in one line what load goes where.
impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            PlanTarget::Http(http) => write!(formatter, "{} {}", http.method, http.url)?,
            PlanTarget::Server(server) => write!(formatter, "{} at {}", server.action, server.server)?,
        }
        match &self.schedule {
            Schedule::Spaced { requests, spacing } if spacing.is_zero() => {
                write!(formatter, ", {requests} at once")?;
            }
            Schedule::Spaced { requests, spacing } => {
                write!(formatter, ", {requests}, one each {spacing:?}")?;
            }
            schedule => {
                let unit = schedule.users().map_or("per s", |_| "users");
                for stage in schedule.stages() {
                    write!(formatter, ", {} for {:?}", stage.level(unit), stage.over)?;
                }
            }
        }
        if !self.warm_up.is_zero() {
            write!(formatter, ", warm-up {:?}", self.warm_up)?;
        }
        Ok(())
    }
}

fn list(key: &str, node: Node) -> Result<Vec<Node>, PlanError> {
    match node.content {
        Content::List(list) => Ok(list),
        _ => Err(PlanError::new(node.line, format!("`{key}` must be a list, with `- ` before each value"))),
    }
}

fn threshold(node: Node, target: &PlanTarget) -> Result<Threshold, PlanError> {
    let (line, text) = scalar("thresholds", node)?;
    let threshold: Threshold = text.parse().map_err(|reason: String| PlanError::new(line, reason))?;
    let (of_streams, of_deliveries) = threshold.measure.is_of_streams();
    if of_streams && !target.has_streams() || of_deliveries && !target.has_deliveries() {
        let reason = format!("the threshold `{text}` is of what this target does not have; see `do: fanout`");
        return Err(PlanError::new(line, reason));
    }
    Ok(threshold)
}

#[cfg(test)]
mod tests;
