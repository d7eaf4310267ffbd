//! The keys of a section of a plan: each is taken once, and what is left is unknown.

use std::{str::FromStr, time::Duration};

use super::{
    PlanError,
    yaml::{Content, Node},
};

/// A section whose values are taken out one after the other.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) line: usize,
    name: String,
    left: Vec<(String, Node)>,
    known: Vec<&'static str>,
}

impl Section {
    /// # Errors
    ///
    /// The value has no keys.
    pub(super) fn new(name: &str, node: Node) -> Result<Self, PlanError> {
        let Content::Map(left) = node.content else {
            return Err(PlanError::new(node.line, format!("{name} must have keys of its own, one per line")));
        };
        Ok(Self { line: node.line, name: name.to_owned(), left, known: Vec::new() })
    }

    /// Returns whether a key is there that nobody took.
    pub(super) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(known, _)| known == key)
    }

    /// Returns the line of a value, or of the section if it has no such value.
    pub(super) fn line_of(&self, key: &str) -> usize {
        let found = self.left.iter().find(|(known, _)| known == key);
        found.map_or(self.line, |(_, node)| node.line)
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        let place = self.left.iter().position(|(known, _)| known == key)?;
        Some(self.left.remove(place).1)
    }

    pub(super) fn need(&mut self, key: &'static str, right: &str) -> Result<Node, PlanError> {
        if let Some(node) = self.take(key) {
            return Ok(node);
        }
        // Another way to write it explains more than that it is not there.
        let near = self.left.iter().find(|(known, _)| known.eq_ignore_ascii_case(key) || is_near(known, key));
        Err(match near {
            Some((known, node)) => PlanError::new(
                node.line,
                format!(
                    "{} has the unknown key `{}`: did you mean `{key}`?",
                    self.name,
                    known.escape_debug()
                ),
            ),
            None => PlanError::new(self.line, format!("{} lacks `{key}`, such as {right}", self.name)),
        })
    }

    /// Returns a value as text, and its line.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<(usize, String)>, PlanError> {
        self.take(key).map(|node| scalar(key, node)).transpose()
    }

    /// Returns a value. `right` says what it must be.
    pub(super) fn value<T: FromStr>(
        &mut self,
        key: &'static str,
        right: &str,
        is_good: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, PlanError> {
        let Some((line, text)) = self.text(key)? else { return Ok(None) };
        let value = text.parse().ok().filter(is_good);
        value.map(Some).ok_or_else(|| {
            PlanError::new(line, format!("`{key}` is `{}`: it must be {right}", text.escape_debug()))
        })
    }

    /// Returns a time with its unit.
    pub(super) fn time(&mut self, key: &'static str) -> Result<Option<Duration>, PlanError> {
        let Some((line, text)) = self.text(key)? else { return Ok(None) };
        let wrong = || {
            let text = text.escape_debug();
            format!(
                "`{key}` is `{text}`: it must be a time in `ms`, `s`, `m` or `h`, such as `30s`, of at most a week"
            )
        };
        time(&text).map(Some).ok_or_else(|| PlanError::new(line, wrong()))
    }

    /// # Errors
    ///
    /// Names a key that nobody took, and the one that is most like it.
    pub(super) fn end(self) -> Result<(), PlanError> {
        let Some((key, node)) = self.left.first() else { return Ok(()) };
        let near = self.known.iter().min_by_key(|known| strsim::osa_distance(key, known));
        let near = near.filter(|known| known.eq_ignore_ascii_case(key) || is_near(key, known));
        let right = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("here may be `{}`", self.known.join("`, `")),
        };
        Err(PlanError::new(
            node.line,
            format!("{} has the unknown key `{}`: {right}", self.name, key.escape_debug()),
        ))
    }
}

/// Returns whether one of two words is the other one misspelled.
fn is_near(one: &str, other: &str) -> bool {
    one.len() > 2 && strsim::osa_distance(one, other) <= 2
}

/// # Errors
///
/// The value is a list or has keys.
pub(super) fn scalar(key: &str, node: Node) -> Result<(usize, String), PlanError> {
    match node.content {
        Content::Scalar(text) => Ok((node.line, text)),
        _ => Err(PlanError::new(node.line, format!("`{key}` must be one value"))),
    }
}

/// Reads a time with its unit: `ms`, `s`, `m` or `h`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let time = Duration::try_from_secs_f64(number.trim().parse::<f64>().ok()? * seconds).ok()?;
    (time <= Duration::from_hours(24 * 7)).then_some(time)
}
