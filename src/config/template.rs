//! The configuration file with every key and its default, made from the declarations.

use std::fmt::Write;

use serde_json::Value;

use super::Config;
use super::declare::{Declaration, Section};
use super::load::value_at;
use super::shape::Shape;

const HEAD: &str = "\
# Every key with its default. The server reads `config.yml` in its working directory, or else
# `/etc/shardcast/config.yml`, or else `/etc/gotify/config.yml`. A variable of the environment wins over the file:
# GOTIFY_SERVER_PORT sets server.port. GOTIFY_SERVER_PORT_FILE may name a file that holds the value instead. In a
# variable, a list is `a,b` or `[a, b]`, and a map is `{\"name\": \"value\"}`.
#
# This file is made from the program: `shardcast default-config` prints it.
";

/// Returns a configuration file, in YAML, that names every key with its documentation and its default.
///
/// `configs/default.yml` is this text.
pub fn default_file() -> String {
    let mut text = HEAD.to_owned();
    write_section(&mut text, &Config::DECLARATION, &Config::default(), "");
    text
}

fn write_section(text: &mut String, section: &'static Declaration, config: &Config, indent: &str) {
    for key in section.keys {
        if indent.is_empty() {
            text.push('\n');
        }
        write_about(text, key.about, indent);
        if let Shape::OneOf(_) | Shape::Integer(_) | Shape::PowerOfTwo(_) = key.shape {
            line(text, indent, &format!("# Values: {}.", key.shape.expected()));
        }
        line(text, indent, &format!("{}: {}", key.name(), yaml(&value_at(config, key.path))));
    }
    for section in section.sections {
        text.push('\n');
        write_about(text, section.about, indent);
        line(text, indent, &format!("{}:", section.name()));
        write_section(text, section, config, &format!("{indent}  "));
    }
}

fn write_about(text: &mut String, about: &[&str], indent: &str) {
    for sentence in about {
        line(text, indent, &format!("#{sentence}"));
    }
}

fn line(text: &mut String, indent: &str, content: &str) {
    writeln!(text, "{indent}{content}").expect("a text takes everything");
}

/// Writes a value as people do: without quotes where they are not needed.
fn yaml(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(yaml).collect();
            format!("[{}]", items.join(", "))
        }
        // JSON is YAML too.
        value => value.to_string(),
    }
}

/// Whether a text is the same without quotes: it begins like a word and holds nothing that YAML takes for a sign.
fn is_plain(text: &str) -> bool {
    let is_word = !["true", "false", "yes", "no", "on", "off", "null"].contains(&text);
    is_word
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::file;

    #[test]
    fn the_shipped_file_is_the_generated_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/default.yml");
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(&path, default_file()).unwrap();
        }
        let shipped = std::fs::read_to_string(&path).unwrap();
        assert!(
            shipped == default_file(),
            "set UPDATE_GENERATED=1 and run this test again to write {path:?}"
        );
    }

    #[test]
    fn the_generated_file_sets_every_key_to_its_default() {
        let mut problems = Vec::new();
        let leaves = file::read(&default_file(), "default.yml", &Config::DECLARATION, &mut problems);
        assert_eq!(problems, []);
        let defaults = Config::default();
        let keys = Config::DECLARATION.all_keys();
        assert_eq!(leaves.len(), keys.len());
        for (leaf, key) in leaves.iter().zip(keys) {
            assert_eq!((leaf.path, &leaf.value), (key.path, &value_at(&defaults, key.path)));
        }
    }

    #[test]
    fn every_line_fits_a_screen() {
        for line in default_file().lines() {
            assert!(line.chars().count() <= 120, "{line}");
        }
    }
}
