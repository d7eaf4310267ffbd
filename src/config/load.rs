//! Putting the layers together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::declare::{Declaration, Section};
use super::environment::{self, Variable, Variables};
use super::file::{self, Leaf};
use super::files::{Files, Text};
use super::problem::{ConfigError, Problem};
use super::unsupported::{self, Effect};
use super::{Config, Connection, cluster, default_user, environment_file, https, listeners};

const ROOT: &Declaration = &Config::DECLARATION;

/// A configuration with what is known about its making.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What the layers say together.
    pub config: Config,
    /// What is odd but no reason to stop: unknown variables, settings that are ignored.
    pub warnings: Vec<Problem>,
    /// The files that were read.
    pub files: Vec<String>,
    /// The file and line, or the variable, of each key that was set.
    pub(super) sources: BTreeMap<&'static str, String>,
}

impl Loaded {
    /// Returns the file and line, or the variable, that set this key (as in `server.port`), or `None` for a default.
    pub fn source(&self, key: &str) -> Option<&str> {
        self.sources.get(key).map(String::as_str)
    }

    /// Lists every key with its value, as JSON with secrets masked, in the order of `configs/default.yml`.
    pub fn effective(&self) -> Vec<(&'static str, serde_json::Value)> {
        ROOT.all_keys().into_iter().map(|key| (key.path, value_at(&self.config, key.path))).collect()
    }

    /// Makes a problem of this key. A key that is not set takes the place of the key that makes it matter.
    pub(super) fn problem(&self, key: &str, because_of: &str, reason: impl Into<String>) -> Problem {
        let source = self.source(key).or_else(|| self.source(because_of)).unwrap_or("default");
        Problem::new(source, key, reason)
    }
}

/// Loads the configuration from the defaults, files and these environment variables.
///
/// Variables without the prefix `GOTIFY_` are ignored.
pub fn load(
    files: &Files,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let process: BTreeMap<String, String> = variables.into_iter().collect();
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    let mut found = |text: Result<Option<Text>, Problem>| {
        text.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    };
    let (yaml, env) = (found(files.read_yaml()), found(files.read_variables()));
    if let (Some(yaml), Some(env)) = (&yaml, &env) {
        let reason = format!("both are read; where both set a key, {} wins", env.path.display());
        warnings.push(Problem::of_source(&yaml.path.display().to_string(), reason));
    }

    let mut leaves = Vec::new();
    if let Some(Text { path, text }) = &yaml {
        leaves.extend(file::read(text, &path.display().to_string(), ROOT, &mut problems));
    }
    leaves.extend(node_name(&process));
    let variables = merged_variables(process, env.as_ref(), &mut problems, &mut warnings);
    leaves.extend(environment::read(&variables, ROOT, &mut problems, &mut warnings));

    let (config, sources) = merge(leaves).map_err(|error| ConfigError {
        problems: vec![Problem::of_source("configuration", error.to_string())],
    })?;
    let files = [yaml, env].into_iter().flatten().map(|text| text.path.display().to_string()).collect();
    let mut loaded = Loaded { config, warnings, files, sources };
    // A key that already has a problem is at its default here, which says nothing; nor does a connection of a database
    // whose kind is not known.
    let mut contradictions = contradictions(&mut loaded);
    contradictions.retain(|found| {
        let is_known = |key: &str| problems.iter().any(|known: &Problem| known.key == key);
        let says_nothing = found.key == "database.connection" && is_known("database.dialect");
        !is_known(&found.key) && !says_nothing
    });
    problems.append(&mut contradictions);
    if problems.is_empty() { Ok(loaded) } else { Err(ConfigError { problems }) }
}

/// The name of the node, as programs that run in several copies are often given it.
fn node_name(variables: &BTreeMap<String, String>) -> Option<Leaf> {
    let name = variables.get("APP_ID").filter(|name| !name.is_empty())?;
    Some(Leaf { path: "cluster.node", value: name.clone().into(), source: "APP_ID".to_owned() })
}

/// Returns the variables of the file, and those of the process, which win.
fn merged_variables(
    process: BTreeMap<String, String>,
    file: Option<&Text>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Variables {
    let mut variables = Variables::new();
    if let Some(Text { path, text }) = file {
        let path = path.display().to_string();
        let lookup = |name: &str| process.get(name).cloned();
        for entry in environment_file::parse(text, &path, &lookup, problems) {
            let place = format!("{path}:{}", entry.line);
            if entry.name.starts_with("GOTIFY_") {
                variables.insert(entry.name, Variable { value: entry.value, place: Some(place) });
            } else {
                let reason =
                    "only GOTIFY_* variables are read from the file: set this one in the environment";
                warnings.push(Problem::of_source(&format!("{place}: {}", entry.name), reason));
            }
        }
    }
    for (name, value) in process.into_iter().filter(|(_, value)| !value.is_empty()) {
        variables.insert(name, Variable { value, place: None });
    }
    variables
}

/// Lists values that are fine one by one, but not together or not in this build. Some are only worth a warning.
fn contradictions(loaded: &mut Loaded) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, reason) in loaded.config.oidc.problems() {
        found.push(loaded.problem(key, "oidc.enabled", reason));
    }
    for (key, reason) in loaded.config.push.problems() {
        found.push(loaded.problem(key, key, reason));
    }
    for (key, effect, reason) in unsupported::settings(&loaded.config) {
        let problem = loaded.problem(key, key, reason);
        match effect {
            Effect::Stops => found.push(problem),
            Effect::Warns => loaded.warnings.push(problem),
        }
    }
    // What can't be known without a database is looked at when it is opened.
    #[cfg(feature = "sqlite")]
    found.extend(super::connection::problems(loaded));
    found.extend(default_user::problems(loaded));
    found.extend(https::problems(loaded));
    found.extend(listeners::problems(loaded));
    found.extend(cluster::problems(loaded));
    loaded.warnings.extend(https::warnings(loaded));
    found
}

/// Lays values that were checked over the defaults; later ones win.
fn merge(leaves: Vec<Leaf>) -> Result<(Config, BTreeMap<&'static str, String>), serde_json::Error> {
    let mut sources = BTreeMap::new();
    let mut tree = Value::Object(serde_json::Map::new());
    for leaf in leaves {
        *place_in(&mut tree, leaf.path) = leaf.value;
        sources.insert(leaf.path, leaf.source);
    }
    let mut config: Config = serde_json::from_value(tree)?;
    // How much of it is shown depends on the kind of database, which is another key.
    config.database.connection =
        Connection::new(config.database.dialect.as_str(), config.database.connection.expose());
    Ok((config, sources))
}

/// Returns the place of a key in a tree of JSON, which is made if it is not there.
pub(super) fn place_in<'a>(tree: &'a mut Value, path: &str) -> &'a mut Value {
    path.split('.').fold(tree, |place, name| &mut place[name])
}

/// Returns the value of a key, as JSON with secrets masked.
pub(super) fn value_at(config: &Config, key: &str) -> Value {
    let mut tree = serde_json::to_value(config).expect("a configuration is made of texts, numbers and lists");
    for name in key.split('.') {
        tree = tree[name].take();
    }
    tree
}

#[cfg(test)]
mod tests;
