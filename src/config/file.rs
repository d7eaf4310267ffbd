//! The configuration file.

use config::{File, FileFormat, Source as _, Value, ValueKind};

use super::problem::{Problem, quoted};
use super::schema::{KEYS, Key};

/// A value, the key that it belongs to, and where it was read.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: &'static str,
    pub(super) value: Value,
    pub(super) source: String,
}

impl Leaf {
    /// Takes a value if it is what its key wants.
    pub(super) fn checked(key: &Key, value: Value, source: &str) -> Result<Self, Problem> {
        let Some(expectation) = key.shape.refusal(&value) else {
            return Ok(Self { path: key.path, value, source: source.to_owned() });
        };
        let reason = if key.secret {
            format!("the value is not {expectation}")
        } else {
            format!("{} is not {expectation}", shown(&value))
        };
        Err(Problem::new(source, key.path, reason))
    }
}

/// Reads a YAML document. An empty value (`hosts:`) leaves the default, as in Gotify.
pub(super) fn read(text: &str, source: &str, problems: &mut Vec<Problem>) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    match parse(text) {
        Ok(root) => collect(root, "", source, &mut leaves, problems),
        Err(reason) => problems.push(Problem::of_source(source, reason)),
    }
    leaves
}

/// Parses one YAML value, on its own or within a flow.
pub(super) fn parse_value(text: &str) -> Option<Value> {
    let document = parse(&format!("value: {text}")).ok()?;
    document.into_table().ok()?.remove("value")
}

fn parse(text: &str) -> Result<Value, String> {
    // A document of comments alone is no table to the parser, but a fine configuration.
    let empty = text.lines().all(|line| matches!(line.trim(), "" | "---") || line.trim().starts_with('#'));
    if empty {
        return Ok(Value::new(None, ValueKind::Table(config::Map::new())));
    }
    let table = File::from_str(text, FileFormat::Yaml)
        .collect()
        .map_err(|error| format!("not valid YAML: {}", error.to_string().replace('\n', " ")))?;
    Ok(Value::new(None, ValueKind::Table(table)))
}

/// Walks down to the keys; what is neither key nor section is a problem.
fn collect(value: Value, path: &str, source: &str, leaves: &mut Vec<Leaf>, problems: &mut Vec<Problem>) {
    if matches!(value.kind, ValueKind::Nil) && is_known(path) {
        return;
    }
    if let Some(key) = KEYS.iter().find(|key| key.path == path) {
        match Leaf::checked(key, value, source) {
            Ok(leaf) => leaves.push(leaf),
            Err(problem) => problems.push(problem),
        }
        return;
    }
    // An unknown key's value is not repeated: it may be a password under a misspelt name.
    if !is_known(path) {
        problems.push(Problem::new(source, path, "unknown key"));
        return;
    }
    let ValueKind::Table(entries) = value.kind else {
        problems.push(Problem::new(source, path, "holds other keys, not a value"));
        return;
    };
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, value) in entries {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        collect(value, &path, source, leaves, problems);
    }
}

/// Whether a path is a key, or the start of one.
fn is_known(path: &str) -> bool {
    path.is_empty()
        || KEYS.iter().any(|key| {
            key.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
}

fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            quoted(&format!("[{}]", items.join(", ")))
        }
        ValueKind::Table(_) => "a map".to_owned(),
        _ => quoted(&value.to_string()),
    }
}
