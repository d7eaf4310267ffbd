//! The configuration file of Gotify 2, `config.yml`.

use super::declare::{Declaration, Key};
use super::problem::{Problem, quoted};
use super::shape::Refusal;
use super::suggest;
use super::yaml::{self, Content, Node};

/// A value, the key that it belongs to, and where it was read.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: &'static str,
    pub(super) value: serde_json::Value,
    pub(super) source: String,
}

impl Leaf {
    /// Takes a value if it is what its key wants. `place` names where a line is.
    pub(super) fn read(
        key: &Key,
        node: &Node,
        place: &dyn Fn(usize) -> String,
    ) -> Result<Self, Vec<Problem>> {
        let problem = |refusal: Refusal| {
            Problem::new(&place(refusal.line.unwrap_or(node.line)), key.path, refusal.reason(key.secret))
        };
        match key.shape.read(&node.content) {
            Ok(value) => Ok(Self { path: key.path, value, source: place(node.line) }),
            Err(refusals) => Err(refusals.into_iter().map(problem).collect()),
        }
    }
}

/// Reads the file. A key without a value (`hosts:`) keeps its default, as in Gotify.
pub(super) fn read(
    text: &str,
    path: &str,
    root: &'static Declaration,
    problems: &mut Vec<Problem>,
) -> Vec<Leaf> {
    let mut reader = Reader { text, path, root, leaves: Vec::new(), problems };
    match yaml::parse(text) {
        Ok(node) => reader.section(root, &node),
        Err(error) => {
            // What is never closed is noticed after the last line.
            let line = error.line.min(text.lines().count().max(1));
            let reason = hint(text, line).unwrap_or(error.reason);
            reader.problems.push(Problem::of_source(&format!("{path}:{line}"), reason));
        }
    }
    reader.leaves
}

struct Reader<'a> {
    text: &'a str,
    path: &'a str,
    root: &'static Declaration,
    leaves: Vec<Leaf>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn section(&mut self, section: &'static Declaration, node: &Node) {
        match &node.content {
            Content::Empty => {}
            Content::Map(entries) => {
                for (name, value) in entries {
                    self.entry(section, name, value);
                }
            }
            Content::Scalar(text) => {
                let reason = line_hint(text).unwrap_or_else(|| {
                    format!(
                        "{} is a value, but keys must stand here, one per line: `key: value`",
                        quoted(text)
                    )
                });
                self.refuse(node.own_line, section.prefix.trim_end_matches('.'), reason);
            }
            Content::List(_) => {
                let reason = "keys must stand here, one per line: `key: value` without a `-`";
                self.refuse(node.own_line, section.prefix.trim_end_matches('.'), reason);
            }
        }
    }

    fn entry(&mut self, section: &'static Declaration, name: &str, node: &Node) {
        if let Some(inner) = section.section(name) {
            self.section(inner, node);
        } else if let Some(key) = section.key(name) {
            if let Some(reason) = self.lost_part(key, node.line) {
                self.refuse(node.line, key.path, reason);
            } else if node.content != Content::Empty {
                match Leaf::read(key, node, &|line| format!("{}:{line}", self.path)) {
                    Ok(leaf) => self.leaves.push(leaf),
                    Err(problems) => self.problems.extend(problems),
                }
            }
        } else {
            // The value of an unknown key is not repeated: it may be a password under a misspelled name.
            let path = format!("{}{name}", section.prefix);
            self.refuse(
                node.line,
                &path,
                format!("unknown key{}", suggest::for_key(name, section, self.root)),
            );
        }
    }

    /// Says what of a value that is secret gets lost in YAML, so that the password is another one than it seems.
    fn lost_part(&self, key: &Key, line: usize) -> Option<&'static str> {
        if !key.secret {
            return None;
        }
        let line = self.text.lines().nth(line.checked_sub(1)?)?;
        let (_, written) = line.split_once(key.name())?;
        let written = written.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?;
        lost_part(written.trim())
    }

    fn refuse(&mut self, line: usize, path: &str, reason: impl Into<String>) {
        self.problems.push(Problem::new(&format!("{}:{line}", self.path), path, reason));
    }
}

/// Says what is probably wrong where YAML could not be read: the parser names the line after the one at fault.
fn hint(text: &str, line: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let near = (line.saturating_sub(2)..=line.saturating_sub(1)).filter_map(|index| lines.get(index));
    near.clone()
        .find(|line| line.trim_start_matches(' ').starts_with('\t'))
        .map(|_| "the line is indented by a tab, but YAML takes spaces only".to_owned())
        .or_else(|| near.filter(|line| !line.trim_start().starts_with('#')).find_map(|line| line_hint(line)))
}

/// Says what is wrong with `port 80` and `port:80`.
fn line_hint(line: &str) -> Option<String> {
    let line = line.lines().next().unwrap_or_default().trim();
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let (name, value) = match (line.split_once(' '), line.split_once(':')) {
        (_, Some((name, value))) if is_name(name) && !value.is_empty() && !value.starts_with(' ') => {
            (name, value)
        }
        (Some((name, value)), _) if is_name(name) && !value.contains(": ") => (name, value.trim_start()),
        _ => return None,
    };
    // A password may stand there.
    let shown =
        if value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit()) { value } else { "value" };
    Some(format!("a key is followed by a colon and a space: write `{name}: {shown}`"))
}

/// Says what YAML does not take of a text without quotes.
fn lost_part(written: &str) -> Option<&'static str> {
    if written.starts_with(['"', '\'']) {
        return None;
    }
    let begins_comment = |at: usize| at == 0 || written[..at].ends_with([' ', '\t']);
    let comment = written.match_indices('#').map(|(at, _)| at).find(|&at| begins_comment(at));
    let value = written[..comment.unwrap_or(written.len())].trim();
    if comment.is_some_and(|at| written[at + 1..].starts_with(|c: char| !c.is_whitespace() && c != '#')) {
        Some(
            "a `#` begins a comment here, and is no part of the value: put the value in quotes, or a space after the `#`",
        )
    } else if value.starts_with(['!', '&']) {
        Some("a word that begins with `!` or `&` is no part of the value here: put the value in quotes")
    } else if matches!(value, "~" | "null" | "Null" | "NULL") {
        Some("this means that there is no value: put the value in quotes, or leave it out")
    } else {
        None
    }
}
