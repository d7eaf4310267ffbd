//! Settings of Gotify's that this version can't honour yet. A later one that can removes the line.

use super::load::value_at;
use super::{Config, features};

/// What a setting that can't be honoured leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The start stops: going on would not be what was asked for.
    Stops,
    /// One warning: the server does without.
    Warns,
}

/// Each takes effect when the key's value is not the default.
const UNSUPPORTED: &[(&str, Effect, &str)] =
    &[("pluginsdir", Effect::Warns, "Gotify's plugins are not supported, ignored")];

/// Lists the settings that can't be honoured: key, effect and why.
pub(super) fn settings(config: &Config) -> Vec<(&'static str, Effect, String)> {
    let defaults = Config::default();
    let changed = |key: &str| value_at(config, key) != value_at(&defaults, key);
    let unsupported = UNSUPPORTED.iter().filter(|(key, ..)| changed(key));
    let mut found: Vec<_> =
        unsupported.map(|&(key, effect, reason)| (key, effect, reason.to_owned())).collect();
    let dialect = match config.database.dialect.as_str() {
        "postgres" if cfg!(not(feature = "postgres")) => Some("postgres"),
        "mysql" if cfg!(not(feature = "mysql")) => Some("mysql"),
        _ => None,
    };
    found.extend(dialect.map(|feature| ("database.dialect", Effect::Stops, features::not_built(feature))));
    if config.metrics.enabled && cfg!(not(feature = "metrics")) {
        found.push(("metrics.enabled", Effect::Stops, features::not_built("metrics")));
    }
    found
}
