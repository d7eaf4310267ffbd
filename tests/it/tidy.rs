//! What the house expects of its sources, where no lint says it.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, with the part that is not tests.
struct Source {
    /// Its path in the repository.
    path: String,
    text: String,
}

impl Source {
    /// The lines before its unit tests, with their numbers.
    fn body(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_test = self.path.contains("/tests") || self.path.contains("/conformance");
        let lines = self.text.lines().take_while(|line| !line.ends_with("mod tests {"));
        (1..).zip(lines).filter(move |_| !is_test)
    }

    /// The body without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.body().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources(folder: &str) -> Vec<Source> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(&root.join(folder), &mut found);
    assert!(!found.is_empty(), "no sources in `{folder}`");
    found.sort();
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    found.into_iter().map(read).collect()
}

/// All sources of the workspace.
fn all() -> Vec<Source> {
    ["src", "benchmark/src", "examples", "fuzz/src", "tests"].into_iter().flat_map(sources).collect()
}

/// Fails with everything that was found, not with the first of it.
fn assert_none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn no_file_has_more_than_500_lines_besides_its_tests() {
    let long = |source: Source| {
        let lines = source.body().count();
        (lines > 500).then(|| format!("{}: {lines} lines", source.path))
    };
    assert_none(&all().into_iter().filter_map(long).collect::<Vec<_>>(), "too long");
}

#[test]
fn every_file_begins_by_saying_what_it_holds() {
    let bare = |source: Source| {
        let first = source.text.lines().next().unwrap_or_default();
        let says = first
            .strip_prefix("//! ")
            .is_some_and(|text| text.starts_with(|c: char| c.is_alphanumeric() || c == '`'));
        (!says).then_some(source.path)
    };
    assert_none(&all().into_iter().filter_map(bare).collect::<Vec<_>>(), "no `//!` at the beginning");
}

/// Modules of this crate that a line names: `crate::model` is `model`.
fn modules_named(line: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.split("crate::").skip(1).map(move |rest| rest.split(|c| !is_name(c)).next().unwrap_or_default())
}

#[test]
fn the_hub_knows_nothing_of_the_web_of_databases_or_of_the_rest() {
    let crates = [
        "std",
        "bytes",
        "dashmap",
        "hashbrown",
        "mio",
        "parking_lot",
        "socket2",
        "thiserror",
        "tokio",
        "tracing",
    ];
    let own: Vec<String> = sources("src/hub")
        .iter()
        .map(|source| Path::new(&source.path).file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut found = Vec::new();
    for source in sources("src").iter().filter(|source| source.path.starts_with("src/hub")) {
        for (number, line) in source.code() {
            let imported = line.trim_start().trim_start_matches("pub ").strip_prefix("use ");
            let first = imported.map(|path| path.split([':', ';', '{']).next().unwrap_or_default());
            let known = first.is_none_or(|first| {
                ["crate", "super", "self"].contains(&first)
                    || crates.contains(&first)
                    || own.iter().any(|own| own == first)
            });
            if !known || modules_named(line).any(|module| module != "hub") {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none(&found, "not the hub's to know");
}

#[test]
fn modules_depend_on_one_another_in_one_direction() {
    let order = ["hub", "model", "store", "auth", "push", "api", "config", "server", "metrics", "cli"];
    let mut found = Vec::new();
    for source in sources("src") {
        let module = source.path.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        let Some(own) = order.iter().position(|&known| known == module) else { continue };
        for (number, line) in source.code() {
            for other in modules_named(line) {
                if order.iter().position(|&known| known == other).is_some_and(|other| other > own) {
                    found.push(format!("{}:{number}: {}", source.path, line.trim()));
                }
            }
        }
    }
    // The sections of the configuration become what the server takes: they are the one step ahead.
    found.retain(|found| !found.starts_with("src/config"));
    assert_none(&found, "against the direction");
}

/// `routes!` puts a route and its documentation into the router together; `route` would add one alone.
#[test]
fn no_route_of_the_api_is_without_documentation() {
    let (mut found, mut documented) = (Vec::new(), 0);
    // Files for browsers are no part of the API.
    let files = ["src/api/site.rs", "src/api/image/serve.rs"];
    let is_file = |path: &str| path.starts_with("src/api/site/") || files.contains(&path);
    let is_api = |path: &str| path.starts_with("src/api") && !is_file(path);
    for source in sources("src").iter().filter(|source| is_api(&source.path)) {
        for (number, line) in source.code() {
            documented += usize::from(line.contains("routes!("));
            if line.contains(".route(") || line.contains(".route_service(") {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(documented >= 8, "only {documented} calls of `routes!` were found: is the search broken?");
    assert_none(&found, "routes without documentation");
}

#[test]
fn nothing_is_left_to_do_and_nothing_unwrapped() {
    let marks = ["TODO", "FIXME", "XXX"];
    let mut found = Vec::new();
    for source in sources("src").into_iter().chain(sources("benchmark/src")).chain(sources("examples")) {
        for (number, line) in source.body() {
            let unwraps = line.contains(".unwrap()") && !line.trim_start().starts_with("//");
            if unwraps || marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none(&found, "unfinished");
}

/// The last text literal of every call of these macros, with where it is: what comes before are values of fields.
fn texts(source: &Source, macros: &[&str]) -> Vec<(usize, String)> {
    let code: Vec<(usize, &str)> = source.code().collect();
    let mut found = Vec::new();
    for (place, &(number, line)) in code.iter().enumerate() {
        let Some(after) = macros.iter().find_map(|&name| Some(line.find(name)? + name.len())) else {
            continue;
        };
        let rest = code[place + 1..].iter().flat_map(|(_, line)| line.chars());
        found.extend(last_literal(line[after..].chars().chain(rest)).map(|text| (number, text)));
    }
    found
}

/// Returns the last text literal before the parenthesis that closes a call.
fn last_literal(call: impl Iterator<Item = char>) -> Option<String> {
    let (mut last, mut open, mut depth) = (None, None::<String>, 1);
    for c in call {
        match (&mut open, c) {
            (None, '"') => open = Some(String::new()),
            (Some(_), '"') => last = open.take(),
            (Some(text), _) => text.push(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) => {}
        }
        if depth == 0 {
            break;
        }
    }
    last
}

fn assert_messages(macros: &[&str], at_least: usize) {
    let mut found = Vec::new();
    let mut seen = 0;
    for source in sources("src") {
        for (number, text) in texts(&source, macros) {
            seen += 1;
            let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            // A name that is written in capitals stays so, as in `SQLite`.
            let is_name = first.chars().skip(1).any(char::is_uppercase);
            let is_lower = !text.starts_with(char::is_uppercase) || is_name;
            if !is_lower || text.ends_with(['.', '!']) || text.is_empty() {
                found.push(format!("{}:{number}: {text:?}", source.path));
            }
        }
    }
    assert!(seen >= at_least, "only {seen} messages of {macros:?} were found: is the search broken?");
    assert_none(&found, "lower case, without a full stop");
}

#[test]
fn log_messages_are_in_lower_case_without_a_full_stop() {
    let macros =
        ["tracing::error!(", "tracing::warn!(", "tracing::info!(", "tracing::debug!(", "tracing::trace!("];
    assert_messages(&macros, 20);
}

#[test]
fn error_messages_are_in_lower_case_without_a_full_stop() {
    assert_messages(&["#[error("], 20);
}

#[test]
fn every_key_of_the_shipped_configuration_is_explained() {
    let text = include_str!("../../configs/default.yml");
    let lines: Vec<&str> = text.lines().collect();
    let mut bare = Vec::new();
    let mut keys = 0;
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.trim_start().split_once(':') else { continue };
        if key.starts_with('#') {
            continue;
        }
        keys += 1;
        let is_explained =
            at.checked_sub(1).is_some_and(|before| lines[before].trim_start().starts_with("# "));
        // A section speaks through its keys.
        if !value.trim().is_empty() && !is_explained {
            bare.push(format!("configs/default.yml:{}: {line}", at + 1));
        }
    }
    assert!(keys >= 40, "only {keys} keys were found: is the search broken?");
    assert_none(&bare, "no comment before the key");
}
