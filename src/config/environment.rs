//! `GOTIFY_*` variables.

use std::collections::BTreeMap;
use std::fs;

use config::{Map, Value, ValueKind};

use super::csv;
use super::file::{Leaf, parse_value};
use super::problem::{Problem, quoted};
use super::schema::{KEYS, Key, Shape};

const PREFIX: &str = "GOTIFY_";

/// Reads the variables of all keys: `GOTIFY_SERVER_PORT` for `server.port`, or `GOTIFY_SERVER_PORT_FILE` with the
/// path of a file that holds the value. An empty variable counts as none, as in Gotify.
pub(super) fn read(
    variables: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for key in KEYS {
        match leaf(key, variables) {
            Ok(Some(leaf)) => leaves.push(leaf),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    warnings.extend(unknown(variables));
    leaves
}

fn leaf(key: &Key, variables: &BTreeMap<String, String>) -> Result<Option<Leaf>, Problem> {
    let set = |name: &str| variables.get(name).filter(|value| !value.is_empty());
    let name = variable(key.path);
    let file_name = format!("{name}_FILE");
    let (text, source) = if let Some(text) = set(&name) {
        (text.clone(), name)
    } else if let Some(path) = set(&file_name) {
        let text = fs::read_to_string(path).map_err(|error| {
            Problem::new(&file_name, key.path, format!("failed to read {}: {error}", quoted(path)))
        })?;
        (text.trim_end_matches(['\r', '\n']).to_owned(), file_name)
    } else {
        return Ok(None);
    };
    Leaf::checked(key, typed(&key.shape, text), &source).map(Some)
}

/// Names of the right prefix that mean nothing. Kubernetes sets `GOTIFY_PORT=tcp://...` and its like for a service
/// that is called gotify, so they can't stop the start.
fn unknown(variables: &BTreeMap<String, String>) -> impl Iterator<Item = Problem> {
    let is_known = |name: &str| {
        let name = name.strip_suffix("_FILE").unwrap_or(name);
        KEYS.iter().any(|key| variable(key.path) == name)
    };
    variables
        .keys()
        .filter(move |name| name.starts_with(PREFIX) && !is_known(name))
        .map(|name| Problem::of_source(name, "unknown variable, ignored"))
}

fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

/// Reads a text as the kind of value that is wanted. One that can't be read stays text, for the check to refuse.
fn typed(shape: &Shape, text: String) -> Value {
    let value = match shape {
        Shape::Text | Shape::OneOf(_) | Shape::Listener => None,
        Shape::Boolean => boolean(&text).map(ValueKind::Boolean),
        Shape::Integer(_) | Shape::PowerOfTwo(_) => text.parse().ok().map(ValueKind::I64),
        Shape::List | Shape::Patterns | Shape::Networks | Shape::Tokens => list(&text),
        Shape::Headers => map(&text),
    };
    Value::new(None, value.unwrap_or(ValueKind::String(text)))
}

/// The words that Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// A YAML flow (`[a, b]`, Gotify 2) or one line of comma-separated values (Gotify 3).
fn list(text: &str) -> Option<ValueKind> {
    if text.starts_with('[') {
        return parse_value(text).map(|value| value.kind);
    }
    let items = csv::split(text)?;
    Some(ValueKind::Array(items.into_iter().map(|item| Value::new(None, item)).collect()))
}

/// A JSON object (Gotify 3) or a YAML flow (`{K: v}`, Gotify 2).
fn map(text: &str) -> Option<ValueKind> {
    if let Ok(entries) = serde_json::from_str::<BTreeMap<String, String>>(text) {
        let entries = entries.into_iter().map(|(name, value)| (name, Value::new(None, value)));
        return Some(ValueKind::Table(entries.collect::<Map<_, _>>()));
    }
    parse_value(text).map(|value| value.kind)
}
