//! `GOTIFY_*` variables.

use std::collections::BTreeMap;
use std::fs;

use super::csv;
use super::declare::{Declaration, Key};
use super::file::Leaf;
use super::files::Files;
use super::problem::{Problem, quoted};
use super::shape::Shape;
use super::suggest;
use super::yaml::{self, Content, Node};

const PREFIX: &str = "GOTIFY_";

/// Variables by their names.
pub(super) type Variables = BTreeMap<String, Variable>;

/// The value of a variable, and where it was set.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) value: String,
    /// The line of a file, as in `gotify-server.env:3`; `None` for the environment of the process.
    pub(super) place: Option<String>,
}

impl Variable {
    /// Names the variable and where it was set.
    fn source(&self, name: &str) -> String {
        self.place.as_ref().map_or_else(|| name.to_owned(), |place| format!("{place}: {name}"))
    }
}

/// Reads the variables of all keys: `GOTIFY_SERVER_PORT` for `server.port`, or `GOTIFY_SERVER_PORT_FILE` with the
/// path of a file that holds the value. An empty variable counts as none, as in Gotify 2.
pub(super) fn read(
    variables: &Variables,
    root: &'static Declaration,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Vec<Leaf> {
    let keys = root.all_keys();
    let mut leaves = Vec::new();
    for &key in &keys {
        match leaf(key, variables) {
            Ok(Some(leaf)) => leaves.push(leaf),
            Ok(None) => {}
            Err(Refused::Wrong(found)) => problems.extend(found),
            Err(Refused::OfKubernetes(problem)) => warnings.push(problem),
        }
    }
    for (name, variable) in variables {
        if let Some(unknown) = name.strip_prefix(PREFIX).filter(|_| !is_known(name, &keys)) {
            refuse(unknown, name, variable, &keys, problems, warnings);
        }
    }
    leaves
}

/// A variable that sets no key.
enum Refused {
    Wrong(Vec<Problem>),
    /// Kubernetes has set it; the operator did not.
    OfKubernetes(Problem),
}

fn leaf(key: &Key, variables: &Variables) -> Result<Option<Leaf>, Refused> {
    let set = |name: &str| variables.get(name).filter(|variable| !variable.value.is_empty());
    let name = variable(key.path);
    let file_name = format!("{name}_FILE");
    let (text, source) = if let Some(variable) = set(&name) {
        if is_of_kubernetes(&name, &variable.value) {
            let problem = Problem::new(&variable.source(&name), key.path, KUBERNETES);
            return Err(Refused::OfKubernetes(problem));
        }
        (variable.value.clone(), variable.source(&name))
    } else if let Some(variable) = set(&file_name) {
        let (path, source) = (&variable.value, variable.source(&file_name));
        let text = fs::read_to_string(path).map_err(|error| {
            let reason = format!("failed to read {}: {error}", quoted(path));
            Refused::Wrong(vec![Problem::new(&source, key.path, reason)])
        })?;
        (text.trim_end_matches(['\r', '\n']).to_owned(), source)
    } else {
        return Ok(None);
    };
    let node = Node::without_line(content(&key.shape, text));
    Leaf::read(key, &node, &|_| source.clone()).map(Some).map_err(Refused::Wrong)
}

fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

fn is_known(name: &str, keys: &[&'static Key]) -> bool {
    let key_name = name.strip_suffix("_FILE").unwrap_or(name);
    name == Files::VARIABLE || keys.iter().any(|key| variable(key.path) == key_name)
}

/// An unknown name that is near a known one is a slip, and going on would not be what was meant. Any other one may
/// belong to another program.
fn refuse(
    unknown: &str,
    name: &str,
    variable: &Variable,
    keys: &[&'static Key],
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) {
    let source = variable.source(name);
    let bare = unknown.strip_suffix("_FILE").unwrap_or(unknown);
    if is_of_kubernetes(name, &variable.value) {
        warnings.push(Problem::of_source(&source, KUBERNETES));
    } else if let Some(near) = suggest::for_variable(bare, keys) {
        let meant = self::variable(near.path);
        problems.push(Problem::of_source(&source, format!("unknown variable, did you mean {meant}?")));
    } else {
        warnings.push(Problem::of_source(&source, "unknown variable, ignored"));
    }
}

const KUBERNETES: &str = "Kubernetes sets this variable for a service of that name, ignored; \
                          `enableServiceLinks: false` in the pod turns it off";

/// Whether Kubernetes sets such a variable for a service that is called `gotify`, or `gotify-server`:
/// `GOTIFY_PORT=tcp://10.0.0.1:80`, `GOTIFY_SERVICE_HOST`, `GOTIFY_PORT_80_TCP_ADDR`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let is_link = ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
    let is_service = name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT");
    let after_port = name.split("_PORT_").nth(1).unwrap_or_default();
    let is_part = after_port.split_once('_').is_some_and(|(port, protocol)| {
        port.parse::<u16>().is_ok() && ["TCP", "UDP", "SCTP"].iter().any(|known| protocol.starts_with(known))
    });
    is_link || is_service || is_part
}

/// Takes a text apart where its key wants more than one value. One that can't be read stays text, for the shape to
/// refuse.
fn content(shape: &Shape, text: String) -> Content {
    let read = match shape {
        // A JSON object (Gotify 3) is YAML too.
        Shape::Headers => flow(&text),
        _ if shape.is_list() && text.starts_with('[') => flow(&text),
        _ if shape.is_list() => csv::split(&text).map(|items| {
            let node = |item| Node::without_line(Content::Scalar(item));
            Content::List(items.into_iter().map(node).collect())
        }),
        _ => None,
    };
    read.unwrap_or(Content::Scalar(text))
}

/// Reads a YAML flow (`[a, b]` or `{K: v}`, Gotify 2).
fn flow(text: &str) -> Option<Content> {
    yaml::parse(text).ok().map(|node| node.content)
}
