//! Regular expressions that must match the whole of a name.

use regex_lite::Regex;

/// An allowed origin that is no regular expression, or too large a one.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct OriginPatternError(regex_lite::Error);

/// Patterns, one of which must match the whole of a text: Gotify lets a part of it suffice, so that `example\.com`
/// admits `example.com.attacker.net` too.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Vec<Regex>);

impl Patterns {
    pub(super) fn new<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, OriginPatternError> {
        let whole = patterns.into_iter().map(|pattern| format!("^(?:{})$", pattern.as_ref()));
        whole
            .map(|pattern| Regex::new(&pattern))
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(OriginPatternError)
    }

    pub(super) fn match_whole(&self, text: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(text))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
