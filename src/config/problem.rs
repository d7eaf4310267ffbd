//! What is wrong with a configuration.

use std::borrow::Cow;
use std::fmt;

/// Stands where a secret would be shown.
pub(super) const MASK: &str = "[masked]";

/// The longest value that is repeated in a problem, in characters.
const SHOWN_CHARS: usize = 80;

/// The longest name of a file, variable or key that is repeated in a problem, in characters.
const NAME_CHARS: usize = 1000;

/// Something to be put right, on one line: source, key, and what is the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or the variable that it was read from.
    pub source: String,
    /// The key, as in `server.port`; empty if it concerns the source as a whole.
    pub key: String,
    /// What is the matter, with the value unless that is secret.
    pub reason: String,
}

impl Problem {
    /// A problem of one key. It stays on one line, whatever the names of variables and keys have in them.
    pub(super) fn new(source: &str, key: &str, reason: impl Into<String>) -> Self {
        let reason = on_one_line(&reason.into());
        Self { source: on_one_line(&shortened(source)), key: on_one_line(&shortened(key)), reason }
    }

    /// A problem of a source as a whole.
    pub(super) fn of_source(source: &str, reason: impl Into<String>) -> Self {
        Self::new(source, "", reason)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// A configuration that can't be used, with everything that is wrong with it.
#[derive(Debug)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    /// Writes one line a problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name.into(),
    }
}

/// Writes control characters, line ends among them, as Rust does.
pub(crate) fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Quotes a value for a problem: on one line, shortened.
pub(super) fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stays_on_one_line_and_short() {
        let problem = Problem::new("A\rB", "c\nd", "`\u{1b}` is `wrong`");
        assert_eq!(problem.to_string(), "A\\rB: c\\nd: `\\u{1b}` is `wrong`");
        let long = "ä".repeat(5000);
        assert_eq!(Problem::new(&long, &long, "no").to_string().chars().count(), 2 * (NAME_CHARS + 1) + 6);
    }

    #[test]
    fn a_quoted_value_stays_on_one_line_and_short() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(80)).chars().count(), 82);
        assert_eq!(quoted(&"x".repeat(5000)).chars().count(), 83);
    }
}
