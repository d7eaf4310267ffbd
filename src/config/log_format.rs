//! The form of the log.

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: time, level, text, and fields as `name=value`.
    Text,
    /// One JSON object per line, with the fields beside `timestamp`, `level` and `message`.
    Json,
}

impl LogFormat {
    /// The values of the key.
    pub(super) const NAMES: &[&str] = &["text", "json"];

    /// Reads a value of the key, which was checked when it was loaded.
    pub(super) fn named(name: &str) -> Self {
        if name == "json" { Self::Json } else { Self::Text }
    }
}
