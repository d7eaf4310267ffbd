//! The configuration file of Gotify 3, `gotify-server.env`: lines of `NAME=value`.
//!
//! It is read as Gotify's library godotenv 1.5 does, since Gotify's own `migrate-config` writes it. A value may stand
//! in quotes, and then go over several lines. In double quotes `\n` and `\"` are what they are elsewhere. Outside of
//! single quotes `$NAME` is the value of a variable, unless a backslash stands before it. Rust's dotenvy reads values
//! as a shell does, which takes the quotes from a JSON object.

use super::problem::Problem;

/// What a value may have when a variable is put in: a few lines that each name the one before twice would fill the memory.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// A line that sets a variable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) value: String,
    /// The first line is 1.
    pub(super) line: usize,
}

/// Reads the file. `lookup` returns variables of the environment.
pub(super) fn parse(
    text: &str,
    path: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Vec<Entry> {
    let text = text.replace("\r\n", "\n");
    let mut entries: Vec<Entry> = Vec::new();
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return entries;
        }
        let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
        if rest.starts_with('#') {
            rest = after_line(rest);
            continue;
        }
        let known = |name: &str| {
            let earlier = entries.iter().rev().find(|entry| entry.name == name);
            earlier.map(|entry| entry.value.clone()).or_else(|| lookup(name)).unwrap_or_default()
        };
        match entry(rest, &known) {
            Ok((name, value, after)) => {
                entries.push(Entry { name, value, line });
                rest = after;
            }
            Err(reason) => {
                problems.push(Problem::of_source(&format!("{path}:{line}"), reason));
                rest = after_line(rest);
            }
        }
    }
}

/// Reads one entry: its name, its value, and what follows it. The text of an error shows no value: it may be secret.
fn entry<'a>(
    text: &'a str,
    known: &dyn Fn(&str) -> String,
) -> Result<(String, String, &'a str), &'static str> {
    let line = &text[..text.len() - after_line(text).len()];
    let (name, _) = line.split_once(['=', ':']).ok_or("not a variable: a line is `NAME=value`")?;
    let value = text[name.len() + 1..].trim_start_matches([' ', '\t']);
    let name = name.trim().strip_prefix("export ").unwrap_or(name).trim();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(is_allowed) {
        return Err("not a variable: the name before `=` is letters, digits and underscores");
    }
    if let Some(quote @ ('"' | '\'')) = value.chars().next() {
        let (value, after) = quoted(&value[1..], quote).ok_or("the quote is not closed")?;
        let value = if quote == '"' { expand(value, known, true)? } else { value.to_owned() };
        return Ok((name.to_owned(), value, after));
    }
    let after = after_line(value);
    let line = &value[..value.len() - after.len()];
    Ok((name.to_owned(), expand(without_comment(line), known, false)?, after))
}

/// Returns what follows the first line.
fn after_line(text: &str) -> &str {
    text.find('\n').map_or("", |end| &text[end + 1..])
}

/// Drops a comment, which begins with ` #`.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices('#').find(|(at, _)| line[..*at].ends_with([' ', '\t']));
    line[..comment.map_or(line.len(), |(at, _)| at)].trim()
}

/// Reads up to the closing quote; returns the value and what follows.
fn quoted(text: &str, quote: char) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    let end = text.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends.then_some(at)
    })?;
    Some((&text[..end], &text[end + 1..]))
}

/// Puts in the values of `$NAME` and `${NAME}`; `\$` is a dollar. With `escapes` a backslash also has its meaning
/// before other characters.
fn expand(text: &str, known: &dyn Fn(&str) -> String, escapes: bool) -> Result<String, &'static str> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '$']) {
        expanded.push_str(&rest[..at]);
        let (sign, after) = rest[at..].split_at(1);
        let mut following = after.chars();
        rest = match (sign, following.next()) {
            ("\\", Some('$')) => {
                expanded.push('$');
                following.as_str()
            }
            ("\\", Some(c)) if escapes => {
                expanded.push(match c {
                    'n' => '\n',
                    'r' => '\r',
                    c => c,
                });
                following.as_str()
            }
            ("$", _) => {
                let in_braces = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
                let end = after.find(|c| !is_of_name(c)).unwrap_or(after.len());
                let (name, after_name) = in_braces.unwrap_or_else(|| after.split_at(end));
                if name.is_empty() || !name.chars().all(is_of_name) {
                    expanded.push('$');
                    after
                } else {
                    let value = known(name);
                    if expanded.len() + value.len() > MAX_VALUE_BYTES {
                        return Err("the value is too long once its variables are put in");
                    }
                    expanded.push_str(&value);
                    after_name
                }
            }
            _ => {
                expanded.push_str(sign);
                after
            }
        };
    }
    Ok(expanded + rest)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<(String, String, usize)>, Vec<String>) {
        let lookup = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
        let mut problems = Vec::new();
        let entries = parse(text, "server.env", &lookup, &mut problems);
        (
            entries.into_iter().map(|entry| (entry.name, entry.value, entry.line)).collect(),
            problems.iter().map(ToString::to_string).collect(),
        )
    }

    fn value(text: &str) -> String {
        let (entries, problems) = read(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        entries.last().unwrap().1.clone()
    }

    #[test]
    fn comments_and_empty_lines_set_nothing_and_lines_are_counted() {
        let (entries, problems) = read("# one\n\nA=1\r\nexport B = two # this\nC=\nD: yaml\nE=a#b\n");
        let expected = [("A", "1", 3), ("B", "two", 4), ("C", "", 5), ("D", "yaml", 6), ("E", "a#b", 7)];
        let shown: Vec<_> = entries.iter().map(|(n, v, line)| (n.as_str(), v.as_str(), *line)).collect();
        assert_eq!(shown, expected);
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn lists_and_maps_keep_their_quotes() {
        assert_eq!(value(r#"A={"X-A":"b, c"}"#), r#"{"X-A":"b, c"}"#);
        assert_eq!(value(r#"A=one,"two, three""#), r#"one,"two, three""#);
    }

    #[test]
    fn quoted_values_may_go_over_lines_and_hold_escapes() {
        assert_eq!(value("A=\"one\ntwo\"\nB=3"), "3");
        let (entries, _) = read("A=\"one\ntwo\"\nB=3");
        assert_eq!(entries, [("A".into(), "one\ntwo".into(), 1), ("B".into(), "3".into(), 3)]);
        assert_eq!(value(r#"A="say \"hi\"\n\\ \! \$HOME""#), "say \"hi\"\n\\ ! $HOME");
        assert_eq!(value(r"A='$HOME \n'"), r"$HOME \n");
    }

    #[test]
    fn variables_are_put_in_from_the_file_and_the_environment() {
        assert_eq!(value("A=$HOME/data"), "/home/ann/data");
        assert_eq!(value("A=1\nB=\"${A}2$NONE\""), "12");
        assert_eq!(value("A=pa$$word\\d"), "pa$$word\\d");
        assert_eq!(value("A=\\$HOME"), "$HOME");
    }

    #[test]
    fn variables_of_variables_do_not_fill_the_memory() {
        let doubled = (1..40).map(|line| format!("A{line}=$A{0}$A{0}.\n", line - 1));
        let text = "A0=x\n".to_owned() + &doubled.collect::<String>();
        let (entries, problems) = read(&text);
        assert!(entries.iter().all(|(_, value, _)| value.len() <= MAX_VALUE_BYTES + 1));
        assert!(problems[0].ends_with("the value is too long once its variables are put in"), "{problems:?}");
    }

    #[test]
    fn every_line_that_is_no_variable_is_a_problem_without_its_value() {
        let (entries, problems) = read("A=1\nhunter2\nB C=2\nD=\"open\nE=5\n");
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert_eq!(
            problems,
            [
                "server.env:2: not a variable: a line is `NAME=value`",
                "server.env:3: not a variable: the name before `=` is letters, digits and underscores",
                "server.env:4: the quote is not closed",
            ]
        );
    }
}
