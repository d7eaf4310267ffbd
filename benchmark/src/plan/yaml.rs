//! YAML as a tree in which every value knows its line.

use saphyr_parser::{Event, Parser, Span, StrInput};
use serde_json::Value;

use super::PlanError;

/// A value, and the line of it; the first line is 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// As it was written.
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the text. No key occurs twice.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// Returns a value that came as JSON, and so has no line.
    pub(super) fn from_json(value: &Value) -> Self {
        let content = match value {
            Value::Null => Content::Scalar(String::new()),
            Value::String(text) => Content::Scalar(text.clone()),
            Value::Bool(_) | Value::Number(_) => Content::Scalar(value.to_string()),
            Value::Array(list) => Content::List(list.iter().map(Self::from_json).collect()),
            Value::Object(map) => {
                Content::Map(map.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect())
            }
        };
        Self { line: 0, content }
    }

    /// Returns the value as JSON, in which all that is no list and has no keys is text.
    pub(super) fn to_json(&self) -> Value {
        match &self.content {
            Content::Scalar(text) => Value::String(text.clone()),
            Content::List(list) => Value::Array(list.iter().map(Self::to_json).collect()),
            Content::Map(map) => {
                Value::Object(map.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
            }
        }
    }
}

/// How deep values may be nested.
const DEPTH: usize = 8;

/// Parses one document.
///
/// # Errors
///
/// Says on which line it is no YAML, or more than a plan needs.
pub(super) fn parse(text: &str) -> Result<Node, PlanError> {
    let mut events = Events(Parser::new_from_str(text));
    loop {
        match events.next()? {
            (Event::StreamEnd, span) => {
                return Err(PlanError::new(span.start.line().max(1), "the plan is empty"));
            }
            (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
            (event, span) => {
                let node = events.node(event, span, DEPTH)?;
                return events.end().map(|()| node);
            }
        }
    }
}

struct Events<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Events<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), PlanError> {
        let next = self.0.next().unwrap_or(Ok((Event::StreamEnd, Span::default())));
        next.map_err(|error| {
            PlanError::new(error.marker().line().max(1), format!("no YAML: {}", error.info()))
        })
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, PlanError> {
        let line = span.start.line();
        let deeper = depth.checked_sub(1);
        let deeper = deeper.ok_or_else(|| PlanError::new(line, "values are nested too deeply"))?;
        let content = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(PlanError::new(line, "a plan has no tags, such as `!name`"));
            }
            Event::Scalar(text, ..) => Content::Scalar(text.into_owned()),
            Event::SequenceStart(..) => Content::List(self.list(deeper)?),
            Event::MappingStart(..) => Content::Map(self.map(deeper)?),
            _ => return Err(PlanError::new(line, "a plan has values, lists and keys, and no aliases")),
        };
        Ok(Node { line, content })
    }

    /// Reads on to the end: there is no second document.
    fn end(&mut self) -> Result<(), PlanError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), span) => {
                    return Err(PlanError::new(
                        span.start.line(),
                        "a plan is one document, without `---` in it",
                    ));
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, PlanError> {
        let mut list = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(list),
                (event, span) => list.push(self.node(event, span, depth)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, Node)>, PlanError> {
        let mut map: Vec<(String, Node)> = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(map),
                (Event::Scalar(text, ..), span) => (text.into_owned(), span.start.line()),
                (_, span) => return Err(PlanError::new(span.start.line(), "a key must be text")),
            };
            if map.iter().any(|(known, _)| *known == key) {
                return Err(PlanError::new(line, format!("`{key}` is there twice")));
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth)?;
            map.push((key, Node { line, ..node }));
        }
    }
}
