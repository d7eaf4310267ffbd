//! What is wrong with a configuration.

use std::fmt;

/// Stands where a secret would be shown.
pub(super) const MASK: &str = "[masked]";

/// The longest value that is repeated in a problem, in characters.
const SHOWN_CHARS: usize = 80;

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
    /// A problem of one key.
    pub(super) fn new(source: &str, key: &str, reason: impl Into<String>) -> Self {
        Self { source: source.to_owned(), key: key.to_owned(), reason: reason.into() }
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
    fn a_quoted_value_stays_on_one_line_and_short() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(80)).chars().count(), 82);
        assert_eq!(quoted(&"x".repeat(5000)).chars().count(), 83);
    }
}
