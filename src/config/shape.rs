//! What the value of a key must look like, and how it is read from text.

use std::ops::RangeInclusive;

use axum::http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::problem::quoted;
use super::yaml::{Content, Node};
use super::{MetricsListener, listen_address, network};
use crate::model::can_log_in;

use Shape::{
    Boolean, HeaderNames, Headers, Integer, List, ListenAddress, Listener, Methods, Networks, NonEmpty,
    OneOf, Patterns, PowerOfTwo, Text, UserName,
};

/// A day: no period in seconds makes sense beyond it.
pub(super) const DAY: i64 = 86_400;

/// What a value must look like.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    NonEmpty,
    /// The name of a user who can log in.
    UserName,
    OneOf(&'static [&'static str]),
    Boolean,
    Integer(RangeInclusive<i64>),
    PowerOfTwo(RangeInclusive<i64>),
    List,
    /// A list of regular expressions.
    Patterns,
    /// A list of addresses and networks.
    Networks,
    /// A list of HTTP methods.
    Methods,
    /// A list of names of headers.
    HeaderNames,
    /// A map of headers.
    Headers,
    /// An address, a host name, or `unix:` and a path.
    ListenAddress,
    /// As [`MetricsListener`].
    Listener,
}

/// A value that is not what its key takes.
#[derive(Debug)]
pub(super) struct Refusal {
    /// The value, or the item of it that is at fault.
    value: String,
    /// What it is not.
    expected: String,
    /// Why not, or what to write instead.
    hint: Option<String>,
    /// The line of the item that is at fault; `None` for the value as a whole.
    pub(super) line: Option<usize>,
}

impl Refusal {
    fn of(value: &str, expected: impl Into<String>) -> Self {
        Self { value: quoted(value), expected: expected.into(), hint: None, line: None }
    }

    fn on_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Says what is wrong, without the value if that may be secret.
    pub(super) fn reason(&self, secret: bool) -> String {
        let Self { value, expected, hint, .. } = self;
        match hint {
            _ if secret => format!("the value is not {expected}"),
            Some(hint) => format!("{value} is not {expected}: {hint}"),
            None => format!("{value} is not {expected}"),
        }
    }
}

/// Headers that frame a response, which no configuration may touch.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"];

impl Shape {
    /// Reads a value. Every item of a list or a map that is not right has a refusal of its own.
    pub(super) fn read(&self, content: &Content) -> Result<Value, Vec<Refusal>> {
        let refused = |value: &str| Refusal { value: value.to_owned(), ..Refusal::of("", self.expected()) };
        match (self, content) {
            (_, Content::Scalar(text)) => self.scalar(text).map_err(|refusal| vec![refusal]),
            (Headers, Content::Map(entries)) => {
                let read = entries
                    .iter()
                    .map(|(name, node)| header(name, node).map_err(|refusal| refusal.on_line(node.line)));
                all(read).map(|entries| Value::Object(entries.into_iter().collect()))
            }
            (_, Content::List(items)) if self.is_list() => {
                let read =
                    items.iter().map(|item| self.item(item).map_err(|refusal| refusal.on_line(item.line)));
                all(read).map(Value::Array)
            }
            (_, Content::Empty) => Err(vec![refused("nothing")]),
            (_, Content::List(_)) => Err(vec![refused("a list")]),
            (_, Content::Map(_)) => Err(vec![refused("a map")]),
        }
    }

    /// Whether values are lists.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, List | Patterns | Networks | Methods | HeaderNames)
    }

    /// Reads a value that is no list and no map.
    fn scalar(&self, text: &str) -> Result<Value, Refusal> {
        let refused = || Refusal::of(text, self.expected());
        match self {
            Text => Ok(text.into()),
            NonEmpty if !text.is_empty() => Ok(text.into()),
            UserName if !text.is_empty() && can_log_in(text) => Ok(text.into()),
            OneOf(choices) if choices.contains(&text) => Ok(text.into()),
            Boolean => boolean(text).map(Value::from).ok_or_else(refused),
            Integer(range) => integer(text, range).map(Value::from).ok_or_else(refused),
            PowerOfTwo(range) => {
                let power = integer(text, range).filter(|number| number.unsigned_abs().is_power_of_two());
                power.map(Value::from).ok_or_else(refused)
            }
            ListenAddress => match listen_address::check(text) {
                Ok(()) => Ok(text.into()),
                Err(hint) => Err(refused().with_hint(hint)),
            },
            Listener if MetricsListener::parse(text).is_some() => Ok(text.into()),
            _ if self.is_list() && !text.contains(['"', '[', ',']) => {
                Err(refused().with_hint(format!("write `[{text}]`")))
            }
            _ => Err(refused()),
        }
    }

    /// Reads an item of a list.
    fn item(&self, item: &Node) -> Result<Value, Refusal> {
        let Content::Scalar(text) = &item.content else {
            return Err(Refusal { value: "an item of the list".to_owned(), ..Refusal::of("", "text") });
        };
        match self {
            Patterns => pattern(text)?,
            Networks if network::parse(text).is_none() => {
                return Err(Refusal::of(text, "an IP address or a network such as 10.0.0.0/8"));
            }
            Methods if Method::try_from(text.trim()).is_err() => {
                return Err(Refusal::of(text, "an HTTP method such as GET"));
            }
            HeaderNames if HeaderName::try_from(text.trim()).is_err() => {
                return Err(Refusal::of(text, "a name of a header such as X-Gotify-Key"));
            }
            _ => {}
        }
        Ok(text.as_str().into())
    }

    /// Says what a value must be, to follow "is not".
    pub(super) fn expected(&self) -> String {
        match self {
            Text => "text".to_owned(),
            NonEmpty => "text of at least one character".to_owned(),
            UserName => "a name without a colon, at which basic authentication would end it".to_owned(),
            OneOf(choices) => format!("one of {}", choices.join(", ")),
            Boolean => "true or false".to_owned(),
            Integer(range) => format!("a whole number from {} to {}", range.start(), range.end()),
            PowerOfTwo(range) => format!("a power of two from {} to {}", range.start(), range.end()),
            List => "a list of texts".to_owned(),
            Patterns => "a list of regular expressions".to_owned(),
            Networks => "a list of IP addresses and networks such as 10.0.0.0/8".to_owned(),
            Methods => "a list of HTTP methods".to_owned(),
            HeaderNames => "a list of names of headers".to_owned(),
            Headers => "a map of names of headers to their values".to_owned(),
            ListenAddress => "an IP address, a host name, or unix: and a path".to_owned(),
            Listener => "`main`, or an address and a port such as 127.0.0.1:9090".to_owned(),
        }
    }
}

/// Takes all items, or all that is wrong with them.
fn all<T>(items: impl Iterator<Item = Result<T, Refusal>>) -> Result<Vec<T>, Vec<Refusal>> {
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Ok(item) => taken.push(item),
            Err(refusal) => refused.push(refusal),
        }
    }
    if refused.is_empty() { Ok(taken) } else { Err(refused) }
}

/// The words that Go's `strconv.ParseBool` takes.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn integer(text: &str, range: &RangeInclusive<i64>) -> Option<i64> {
    text.parse().ok().filter(|number| range.contains(number))
}

fn pattern(text: &str) -> Result<(), Refusal> {
    let Err(error) = regex_lite::Regex::new(text) else { return Ok(()) };
    let refusal = Refusal::of(text, "a regular expression");
    if let Some(rest) = text.strip_prefix("*.") {
        let escaped = regex_lite::escape(rest);
        return Err(refusal.with_hint(format!(r"for every host below {rest} write `.+\.{escaped}`")));
    }
    Err(refusal.with_hint(error.to_string()))
}

fn header(name: &str, value: &Node) -> Result<(String, Value), Refusal> {
    let Ok(known) = HeaderName::try_from(name) else {
        return Err(Refusal::of(name, "a name of a header such as X-Frame-Options"));
    };
    if FRAMING.contains(&known.as_str()) {
        return Err(Refusal::of(name, "a header that can be set: the server writes it itself"));
    }
    let text = match &value.content {
        Content::Scalar(text) => text.as_str(),
        Content::Empty => "",
        Content::List(_) | Content::Map(_) => {
            return Err(Refusal {
                value: format!("the value of {}", quoted(name)),
                ..Refusal::of("", "text")
            });
        }
    };
    if HeaderValue::try_from(text).is_err() {
        return Err(Refusal::of(text, format!("a value that the header {} may have", quoted(name))));
    }
    Ok((name.to_owned(), text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;

    /// What is said of a value in YAML, if it is refused.
    fn refusal(shape: &Shape, text: &str) -> Option<String> {
        shape.read(&yaml::parse(text).unwrap().content).err().map(|refusals| refusals[0].reason(false))
    }

    #[test]
    fn shapes_take_their_own_kind_only() {
        let shards = PowerOfTwo(1..=4096);
        for (shape, accepted, refused) in [
            (&Text, "83", "[83]"),
            (&NonEmpty, "x", "''"),
            (&UserName, "ä b", "'a:b'"),
            (&UserName, "x", "''"),
            (&Integer(0..=9), "9", "10"),
            (&Integer(0..=9), "'0'", "true"),
            (&Boolean, "1", "yes"),
            (&shards, "4096", "0"),
            (&shards, "1", "-4"),
            (&shards, "64", "100"),
            (&Patterns, r"['.+\.example\.com']", "['(']"),
            (&Methods, "[GET]", "['G T']"),
            (&HeaderNames, "[X-A]", "['X A']"),
            (&Networks, "['::1']", "[10.0.0.0/33]"),
            (&List, "[a, 1]", "[[a]]"),
            (&Headers, "{X-Frame-Options: DENY, X-None: }", "[DENY]"),
            (&ListenAddress, "localhost", "localhost:80"),
            (&Listener, "main", "localhost"),
        ] {
            assert_eq!(refusal(shape, accepted), None, "{shape:?}");
            assert!(refusal(shape, refused).is_some(), "{shape:?}: {refused}");
        }
    }

    #[test]
    fn a_refusal_names_the_item_at_fault_and_what_to_write_instead() {
        for (shape, text, expected) in [
            (
                Patterns,
                "[localhost, '*.example.com']",
                r"`*.example.com` is not a regular expression: for every host below example.com write `.+\.example\.com`",
            ),
            (Patterns, "['(']", "`(` is not a regular expression: found open group without closing ')'"),
            (Patterns, "localhost", "`localhost` is not a list of regular expressions: write `[localhost]`"),
            (
                Headers,
                "{X-A: b, 'X Frame': DENY}",
                "`X Frame` is not a name of a header such as X-Frame-Options",
            ),
            (
                Headers,
                "{Content-Length: 0}",
                "`Content-Length` is not a header that can be set: the server writes it itself",
            ),
            (Headers, r#"{X-A: "b\nc"}"#, r"`b\nc` is not a value that the header `X-A` may have"),
            (Integer(0..=9), "[1]", "a list is not a whole number from 0 to 9"),
        ] {
            assert_eq!(refusal(&shape, text).unwrap(), expected);
        }
    }
}
