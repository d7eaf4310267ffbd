//! The configuration: a file of YAML (first byte `y`), a file of variables (`e`), or the environment (`v`, a variable
//! per line).
//!
//! Problems are on one line and show no secret. What is read, written as YAML and read again is the same.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use shardcast::config::{ConfigError, Files, Loaded, default_file, load};
use tempfile::TempDir;

/// What is shown instead of a secret.
const MASK: &str = "[masked]";

/// Variables whose whole values are secrets.
const SECRETS: [&str; 3] = ["GOTIFY_DEFAULTUSER_PASS", "GOTIFY_OIDC_CLIENTSECRET", "GOTIFY_CLUSTER_URL"];

/// Shorter values may be parts of words.
const SECRET_BYTES_MIN: usize = 8;

/// See the documentation of this file.
pub(crate) fn run(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = match kind {
        b'y' => read(&Files::Yaml(file("config.yml", text))),
        b'e' => read(&Files::Variables(file("server.env", text))),
        b'v' => environment(text),
        _ => return,
    };
    match read {
        Ok(loaded) => check(&loaded),
        Err(error) => check_problems(&error),
    }
}

/// Writes a file of the target's own folder.
fn file(name: &str, text: &str) -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder can be made"));
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path
}

fn read(files: &Files) -> Result<Loaded, ConfigError> {
    load(files, [])
}

fn environment(text: &str) -> Result<Loaded, ConfigError> {
    let variables = text.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(String, String)> =
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let nothing = Files::Yaml(file("empty.yml", ""));
    let read = load(&nothing, variables.clone());
    let shown = match &read {
        Ok(loaded) => format!("{loaded:?} {:?}", loaded.effective()),
        Err(error) => error.to_string(),
    };
    for (name, secret) in &variables {
        let is_last =
            variables.iter().rfind(|(known, _)| known == name).is_some_and(|(_, last)| last == secret);
        if is_last && SECRETS.contains(&name.as_str()) && secret.len() >= SECRET_BYTES_MIN {
            // What another variable or the default shows is no secret.
            let others = variables.iter().filter(|(known, _)| known != name);
            let is_elsewhere =
                others.into_iter().any(|(name, value)| name.contains(secret) || value.contains(secret));
            assert!(
                is_elsewhere || default_file().contains(secret) || !shown.contains(secret),
                "{name} is shown: {shown}"
            );
        }
    }
    read
}

fn check_problems(error: &ConfigError) {
    assert!(!error.problems.is_empty(), "it fails for no reason");
    for problem in &error.problems {
        let text = problem.to_string();
        assert!(!text.contains(['\n', '\r']), "a problem of several lines: {text:?}");
        assert!(text.len() < 4000, "a problem of {} bytes: {text:.200}", text.len());
    }
}

fn check(loaded: &Loaded) {
    drop((loaded.server(), loaded.stream(), loaded.node(), loaded.database(), loaded.drain()));
    drop((loaded.metrics(), loaded.log_format(), loaded.log_level(), loaded.image_storage()));
    for warning in &loaded.warnings {
        assert!(!warning.to_string().contains('\n'), "a warning of several lines: {warning:?}");
    }
    let effective = loaded.effective();
    let is_masked = |value: &Value| value.to_string().contains(MASK);
    let (masked, shown): (Vec<_>, Vec<_>) = effective.into_iter().partition(|(_, value)| is_masked(value));
    let again = read(&Files::Yaml(file("again.yml", &written(&shown))));
    let again = match again {
        Ok(again) => again,
        // What was masked may be needed.
        Err(_) if !masked.is_empty() => return,
        Err(error) => panic!("what was read is refused: {error}"),
    };
    for (key, value) in again.effective() {
        if let Some((_, before)) = shown.iter().find(|(known, _)| *known == key) {
            assert_eq!(value, *before, "{key}");
        }
    }
}

/// Writes values as YAML, of which JSON is a part.
fn written(values: &[(&str, Value)]) -> String {
    let mut root = Value::Object(Map::new());
    for (key, value) in values {
        let place = key.split('.').fold(&mut root, |place, name| &mut place[name]);
        *place = value.clone();
    }
    root.to_string()
}
