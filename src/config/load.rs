//! Putting the layers together.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::problem::{ConfigError, Problem};
use super::unsupported::{self, Effect};
use super::{Config, environment, file};

/// Where the file is looked for.
#[derive(Clone, Debug)]
pub enum Files {
    /// The first of these that exists; none is fine.
    FirstOf(Vec<PathBuf>),
    /// This one; a problem if there is none.
    Only(PathBuf),
}

impl Default for Files {
    /// Gotify's places: the working directory, then `/etc/gotify`.
    fn default() -> Self {
        Self::FirstOf(vec![PathBuf::from("config.yml"), PathBuf::from("/etc/gotify/config.yml")])
    }
}

/// A configuration with what is known about its making.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What the layers say together.
    pub config: Config,
    /// What is odd but no reason to stop: unknown variables, settings that are ignored.
    pub warnings: Vec<Problem>,
    /// The file or variable of each key that was set.
    pub(super) sources: BTreeMap<&'static str, String>,
}

impl Loaded {
    /// Returns the file or the variable that set this key (as in `server.port`), or `None` for a default.
    pub fn source(&self, key: &str) -> Option<&str> {
        self.sources.get(key).map(String::as_str)
    }

    /// Lists every key with its value, as JSON with secrets masked, in the order of `configs/default.yml`.
    pub fn effective(&self) -> Vec<(&'static str, serde_json::Value)> {
        super::schema::KEYS.iter().map(|key| (key.path, value_at(&self.config, key.path))).collect()
    }
}

/// Loads the configuration from the defaults, a file and these environment variables; those without the prefix
/// `GOTIFY_` are ignored.
pub fn load(
    files: &Files,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let variables = variables.into_iter().collect();
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());

    let mut leaves = match find(files) {
        Ok(Some((path, text))) => file::read(&text, &path.display().to_string(), &mut problems),
        Ok(None) => Vec::new(),
        Err(problem) => {
            problems.push(problem);
            Vec::new()
        }
    };
    leaves.extend(environment::read(&variables, &mut problems, &mut warnings));
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }

    let (config, sources) = merge(leaves).map_err(|error| ConfigError {
        problems: vec![Problem::of_source("configuration", error.to_string())],
    })?;
    let mut loaded = Loaded { config, warnings, sources };
    for (key, reason) in loaded.config.oidc.problems() {
        problems.push(Problem::new(loaded.source(key).unwrap_or("default"), key, reason));
    }
    for (key, effect, reason) in unsupported::settings(&loaded.config) {
        let problem = Problem::new(loaded.source(key).unwrap_or("default"), key, reason);
        match effect {
            Effect::Stops => problems.push(problem),
            Effect::Warns => loaded.warnings.push(problem),
        }
    }
    problems.extend(super::https::problems(&loaded));
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigError { problems }) }
}

/// Reads the file, if there is one.
fn find(files: &Files) -> Result<Option<(PathBuf, String)>, Problem> {
    let unreadable = |path: &Path, error: &io::Error| {
        Problem::of_source(&path.display().to_string(), format!("failed to read the file: {error}"))
    };
    match files {
        Files::Only(path) => match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some((path.clone(), text))),
            Err(error) => Err(unreadable(path, &error)),
        },
        Files::FirstOf(paths) => {
            for path in paths {
                match std::fs::read_to_string(path) {
                    Ok(text) => return Ok(Some((path.clone(), text))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(unreadable(path, &error)),
                }
            }
            Ok(None)
        }
    }
}

/// Lays values that were checked over the defaults; later ones win.
fn merge(leaves: Vec<file::Leaf>) -> Result<(Config, BTreeMap<&'static str, String>), config::ConfigError> {
    let mut sources = BTreeMap::new();
    let mut builder = config::Config::builder();
    for leaf in leaves {
        builder = builder.set_override(leaf.path, leaf.value)?;
        sources.insert(leaf.path, leaf.source);
    }
    Ok((builder.build()?.try_deserialize()?, sources))
}

/// Returns the value of a key, as JSON with secrets masked.
pub(super) fn value_at(config: &Config, key: &str) -> serde_json::Value {
    let mut tree = serde_json::to_value(config).expect("a configuration is made of texts, numbers and lists");
    for name in key.split('.') {
        tree = tree[name].take();
    }
    tree
}

#[cfg(test)]
mod tests;
