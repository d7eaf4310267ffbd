//! YAML as a tree in which every value knows its line.
//!
//! Values stay text, as they were written: what a value means depends on its key, and a password such as `0123` must
//! not become a number on its way.

use std::collections::HashMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

/// How deep values may be nested. No key needs more than five.
const MAX_DEPTH: usize = 32;

/// How much memory the copies that aliases stand for may take: a few lines of aliases of aliases would fill it.
const MAX_COPIED_BYTES: usize = 1024 * 1024;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The line of its key, or its own where it has none; the first one is 1.
    pub(super) line: usize,
    /// The line on which it begins.
    pub(super) own_line: usize,
    pub(super) content: Content,
}

impl Node {
    fn at(line: usize, content: Content) -> Self {
        Self { line, own_line: line, content }
    }

    /// Returns about how many bytes a copy of it takes.
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.content {
                Content::Empty => 0,
                Content::Scalar(text) => text.len(),
                Content::List(items) => items.iter().map(Self::bytes).sum::<usize>(),
                Content::Map(entries) => {
                    entries.iter().map(|(key, node)| size_of::<String>() + key.len() + node.bytes()).sum()
                }
            }
    }

    /// A value that was not read from a file.
    pub(super) fn without_line(content: Content) -> Self {
        Self::at(0, content)
    }
}

/// What a value consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing, `~` or `null`.
    Empty,
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the text; no key occurs twice.
    Map(Vec<(String, Node)>),
}

/// Where a value was written is no part of it.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl Eq for Node {}

/// Text that is not YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    /// The first one is 1.
    pub(super) line: usize,
    pub(super) reason: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl SyntaxError {
    fn at(span: Span, reason: impl Into<String>) -> Self {
        Self { line: span.start.line(), reason: reason.into() }
    }
}

/// Says in plain words what the parser complains about, where people make that mistake.
fn explained(complaint: &str) -> String {
    let known = [
        ("anchor", "a value that begins with a sign such as `*` or `&` must be in quotes"),
        ("unexpected character", "a value that begins with a sign such as `@` or `%` must be in quotes"),
        ("did not find expected key", "the line is not indented like the other keys of its section"),
        (
            "mapping values are not allowed",
            "a value that holds a colon and a space must be in quotes, and a key must stand on a line of its own",
        ),
        ("quoted scalar", "a quote is opened and not closed"),
        ("flow mapping", "a `{` is opened and not closed"),
        ("flow sequence", "a `[` is opened and not closed"),
    ];
    match known.iter().find(|(part, _)| complaint.contains(part)) {
        Some((_, reason)) => (*reason).to_owned(),
        None => format!("not valid YAML: {complaint}"),
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        Self { line: error.marker().line(), reason: explained(error.info()) }
    }
}

/// Parses one document, or a value alone.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut builder =
        Builder { events: Parser::new_from_str(text), anchors: HashMap::new(), bytes_left: MAX_COPIED_BYTES };
    let mut root = None;
    loop {
        match builder.next()? {
            (Event::StreamEnd, _) => break,
            (Event::DocumentStart(_), span) if root.is_some() => {
                return Err(SyntaxError::at(span, "a second document begins here, but only one is read"));
            }
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => root = Some(builder.node(event, span, MAX_DEPTH)?),
        }
    }
    // A text of comments alone has no document.
    Ok(root.unwrap_or(Node::at(1, Content::Empty)))
}

struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    bytes_left: usize,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), SyntaxError> {
        self.events.next().unwrap_or(Ok((Event::StreamEnd, Span::default()))).map_err(SyntaxError::from)
    }

    /// Reads the value that begins with this event.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, SyntaxError> {
        let deeper =
            depth.checked_sub(1).ok_or_else(|| SyntaxError::at(span, "values are nested too deeply"))?;
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => (Content::List(self.list(deeper)?), anchor),
            Event::MappingStart(anchor, _) => (Content::Map(self.map(deeper)?), anchor),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor);
                let known = known.ok_or_else(|| SyntaxError::at(span, "the alias names no value"))?;
                let left = self.bytes_left.checked_sub(known.bytes());
                self.bytes_left = left.ok_or_else(|| {
                    SyntaxError::at(span, "the values that aliases stand for take more than 1 MiB of memory")
                })?;
                return Ok(known.clone());
            }
            _ => return Err(SyntaxError::at(span, "a value is missing")),
        };
        let node = Node::at(span.start.line(), content);
        // 0 is no anchor.
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Node)>, SyntaxError> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(name, ..) => name.into_owned(),
                _ => return Err(SyntaxError::at(span, "a key must be text")),
            };
            let line = span.start.line();
            if let Some((_, first)) = entries.iter().find(|(known, _)| *known == name) {
                let reason = format!("`{name}` is set twice, first on line {}: keep one of them", first.line);
                return Err(SyntaxError { line, reason });
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth)?;
            entries.push((name, Node { line, ..value }));
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Content {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Content::Empty,
        _ => Content::Scalar(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(node: Node) -> Vec<(String, Node)> {
        let Content::Map(entries) = node.content else { panic!("not a map: {node:?}") };
        entries
    }

    #[test]
    fn values_stay_as_they_were_written_and_know_their_lines() {
        let entries =
            map(parse("# first\npass: 0123\nquoted: ''\nlist:\n  - a\n  - 'b, c'\nnone:\n").unwrap());
        let shown: Vec<(&str, usize, &Content)> =
            entries.iter().map(|(name, node)| (name.as_str(), node.line, &node.content)).collect();
        let item = |text: &str| Node::without_line(Content::Scalar(text.to_owned()));
        assert_eq!(
            shown,
            [
                ("pass", 2, &Content::Scalar("0123".to_owned())),
                ("quoted", 3, &Content::Scalar(String::new())),
                ("list", 4, &Content::List(vec![item("a"), item("b, c")])),
                ("none", 7, &Content::Empty),
            ]
        );
    }

    #[test]
    fn a_text_without_values_is_empty() {
        for text in ["", "# only this\n", "---\n", "---\n# this\n"] {
            assert_eq!(parse(text).unwrap().content, Content::Empty, "{text:?}");
        }
    }

    #[test]
    fn an_alias_is_what_it_stands_for() {
        let entries = map(parse("a: &x [1]\nb: *x\n").unwrap());
        assert_eq!(entries[0].1, entries[1].1);
    }

    #[test]
    fn aliases_of_aliases_do_not_fill_the_memory() {
        let doubled = (1..40).map(|line| format!("a{line}: &a{line} [*a{0}, *a{0}]\n", line - 1));
        let text = "a0: &a0 [x]\n".to_owned() + &doubled.collect::<String>();
        assert_eq!(
            parse(&text).unwrap_err().reason,
            "the values that aliases stand for take more than 1 MiB of memory"
        );
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(20));
        assert_eq!(
            parse(&long).unwrap_err().reason,
            "the values that aliases stand for take more than 1 MiB of memory"
        );
    }

    #[test]
    fn what_is_no_single_document_of_text_keys_is_refused_with_its_line() {
        let deep = format!("a: 1\nb: {}1{}", "[".repeat(40), "]".repeat(40));
        for (text, line, reason) in [
            ("a: 1\n---\nb: 1\n", 2, "a second document"),
            ("a: 1\n[b]: 1\n", 2, "a key must be text"),
            ("a: 1\nb: 1\na: 2\n", 3, "`a` is set twice, first on line 1"),
            ("a: 1\nb: *x\n", 2, "must be in quotes"),
            (&deep, 2, "nested too deeply"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.reason.starts_with(reason) || error.reason.contains(reason), "{text}: {error}");
        }
    }
}
