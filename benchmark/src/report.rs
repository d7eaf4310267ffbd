//! What a run found, as figures, a table, JSON and verdicts.

pub(crate) mod figure;
pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod table;
pub(crate) mod terminal;
pub(crate) mod threshold;
