//! Every key, and what its value must look like.

use std::ops::RangeInclusive;

use axum::http::{HeaderName, HeaderValue};
use config::{Value, ValueKind};

use super::{MetricsListener, network};

use Shape::{Boolean, Headers, Integer, List, Listener, Networks, OneOf, Patterns, PowerOfTwo, Text, Tokens};

/// A key of the configuration.
pub(super) struct Key {
    /// Its place, as in `server.port`.
    pub(super) path: &'static str,
    /// What its value must look like.
    pub(super) shape: Shape,
    /// Whether its value is kept out of messages.
    pub(super) secret: bool,
}

/// What a value must look like.
pub(super) enum Shape {
    Text,
    OneOf(&'static [&'static str]),
    Boolean,
    Integer(RangeInclusive<i64>),
    PowerOfTwo(RangeInclusive<i64>),
    List,
    /// A list of regular expressions.
    Patterns,
    /// A list of addresses and networks.
    Networks,
    /// A list of names of methods or headers.
    Tokens,
    /// A map of headers.
    Headers,
    /// As [`MetricsListener`].
    Listener,
}

/// Headers that frame a response, which no configuration may touch.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"];

const fn key(path: &'static str, shape: Shape) -> Key {
    Key { path, shape, secret: false }
}

const fn secret(path: &'static str, shape: Shape) -> Key {
    Key { path, shape, secret: true }
}

/// A day: no period in seconds makes sense beyond it.
const DAY: i64 = 86_400;

/// All keys. A test holds the list to the fields of [`Config`](super::Config) and to `configs/default.yml`.
pub(super) const KEYS: &[Key] = &[
    key("loglevel", OneOf(&["trace", "debug", "info", "warn", "error", "fatal", "panic"])),
    key("server.listenaddr", Text),
    key("server.port", Integer(0..=65_535)),
    key("server.keepaliveperiodseconds", Integer(-1..=32_767)),
    key("server.responseheaders", Headers),
    key("server.trustedproxies", Networks),
    key("server.accesslog", Boolean),
    key("server.headertimeoutseconds", Integer(1..=DAY)),
    key("server.idletimeoutseconds", Integer(1..=DAY)),
    key("server.maxbodybytes", Integer(1024..=1_073_741_824)),
    key("server.maximagebytes", Integer(1024..=1_073_741_824)),
    key("server.maximagepixels", Integer(1..=1_000_000_000_000)),
    key("server.maxconnections", Integer(0..=100_000_000)),
    key("server.shutdowngraceseconds", Integer(0..=DAY)),
    key("server.securecookie", Boolean),
    key("server.stream.pingperiodseconds", Integer(1..=DAY)),
    key("server.stream.allowedorigins", Patterns),
    key("server.stream.shardcount", PowerOfTwo(1..=4096)),
    key("server.stream.readbuffersize", Integer(64..=16_777_216)),
    key("server.stream.writebuffersize", Integer(0..=16_777_216)),
    key("server.stream.channelbuffersize", Integer(1..=65_536)),
    key("server.stream.maxlag", Integer(1..=1_000_000_000)),
    key("server.stream.stalltimeoutseconds", Integer(1..=DAY)),
    key("server.loginlimit.failures", Integer(0..=1_000_000)),
    key("server.loginlimit.namefailures", Integer(0..=1_000_000)),
    key("server.loginlimit.windowseconds", Integer(1..=DAY)),
    key("server.cors.alloworigins", Patterns),
    key("server.cors.allowmethods", Tokens),
    key("server.cors.allowheaders", Tokens),
    key("server.ssl.enabled", Boolean),
    key("server.ssl.redirecttohttps", Boolean),
    key("server.ssl.listenaddr", Text),
    key("server.ssl.port", Integer(0..=65_535)),
    key("server.ssl.certfile", Text),
    key("server.ssl.certkey", Text),
    key("server.ssl.letsencrypt.enabled", Boolean),
    key("server.ssl.letsencrypt.accepttos", Boolean),
    key("server.ssl.letsencrypt.cache", Text),
    key("server.ssl.letsencrypt.directoryurl", Text),
    key("server.ssl.letsencrypt.hosts", List),
    key("database.dialect", OneOf(&["sqlite3", "mysql", "postgres"])),
    secret("database.connection", Text),
    key("defaultuser.name", Text),
    secret("defaultuser.pass", Text),
    key("passstrength", Integer(4..=31)),
    key("uploadedimagesdir", Text),
    key("pluginsdir", Text),
    key("registration", Boolean),
    key("oidc.enabled", Boolean),
    key("oidc.issuer", Text),
    key("oidc.clientid", Text),
    secret("oidc.clientsecret", Text),
    key("oidc.redirecturl", Text),
    key("oidc.usernameclaim", Text),
    key("oidc.autoregister", Boolean),
    key("oidc.link_by_username", Boolean),
    key("oidc.scopes", List),
    key("compatibility", OneOf(&["v2", "v3"])),
    key("metrics.enabled", Boolean),
    key("metrics.listenaddr", Listener),
];

impl Shape {
    /// Returns what was expected, unless the value is that.
    ///
    /// Text must be text: YAML reads `0123` as the number 83, and a password must not change on its way.
    pub(super) fn refusal(&self, value: &Value) -> Option<String> {
        let accepted = match (self, &value.kind) {
            (Text, ValueKind::String(_)) | (Boolean, ValueKind::Boolean(_)) => true,
            (OneOf(choices), ValueKind::String(text)) => choices.contains(&text.as_str()),
            (Integer(range), ValueKind::I64(number)) => range.contains(number),
            (PowerOfTwo(range), ValueKind::I64(number)) => {
                range.contains(number) && number.unsigned_abs().is_power_of_two()
            }
            (List, ValueKind::Array(items)) => items.iter().all(is_scalar),
            (Patterns, ValueKind::Array(items)) => items.iter().all(is_pattern),
            (Listener, ValueKind::String(text)) => MetricsListener::parse(text).is_some(),
            (Networks, ValueKind::Array(items)) => items.iter().all(is_network),
            (Tokens, ValueKind::Array(items)) => items.iter().all(is_token),
            (Headers, ValueKind::Table(entries)) => {
                entries.iter().all(|(name, value)| is_header(name, value))
            }
            _ => false,
        };
        (!accepted).then(|| self.expectation())
    }

    fn expectation(&self) -> String {
        match self {
            Text => "text (a number needs quotes)".to_owned(),
            OneOf(choices) => format!("one of {}", choices.join(", ")),
            Boolean => "true or false".to_owned(),
            Integer(range) => format!("a whole number from {} to {}", range.start(), range.end()),
            PowerOfTwo(range) => format!("a power of two from {} to {}", range.start(), range.end()),
            List => "a list of texts".to_owned(),
            Patterns => "a list of regular expressions".to_owned(),
            Listener => "`main`, or an address and a port as in 127.0.0.1:9090".to_owned(),
            Networks => "a list of IP addresses and networks such as 10.0.0.0/8".to_owned(),
            Tokens => "a list of names of methods or headers".to_owned(),
            Headers => {
                format!("a map of header names to values, none of them {}", FRAMING.join(", "))
            }
        }
    }
}

fn is_scalar(value: &Value) -> bool {
    matches!(value.kind, ValueKind::String(_) | ValueKind::I64(_) | ValueKind::Boolean(_))
}

fn is_pattern(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::String(text) if regex::Regex::new(text).is_ok())
}

fn is_network(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::String(text) if network::parse(text).is_some())
}

fn is_token(value: &Value) -> bool {
    matches!(&value.kind, ValueKind::String(text) if HeaderName::try_from(text.as_str()).is_ok())
}

fn is_header(name: &str, value: &Value) -> bool {
    let may_be_set = |name: HeaderName| !FRAMING.contains(&name.as_str());
    is_scalar(value)
        && HeaderName::try_from(name).is_ok_and(may_be_set)
        && HeaderValue::try_from(value.to_string()).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::Config;

    /// Collects the places of all values in a JSON tree; an empty object is a map without entries.
    fn leaves(tree: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
        match tree.as_object() {
            Some(object) if !object.is_empty() => {
                for (name, value) in object {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(value, &path, found);
                }
            }
            _ => {
                found.insert(path.to_owned());
            }
        }
    }

    #[test]
    fn every_field_has_a_key_and_every_key_a_field() {
        let mut fields = BTreeSet::new();
        leaves(&serde_json::to_value(Config::default()).unwrap(), "", &mut fields);
        let keys: BTreeSet<String> = KEYS.iter().map(|key| key.path.to_owned()).collect();
        assert_eq!(fields, keys);
        assert_eq!(keys.len(), KEYS.len(), "a key is listed twice");
    }

    #[test]
    fn shapes_take_their_own_kind_only() {
        let refused = |shape: Shape, kind: ValueKind| shape.refusal(&Value::new(None, kind)).is_some();
        assert!(refused(Text, ValueKind::I64(83)));
        assert!(refused(Integer(0..=9), ValueKind::Boolean(true)));
        assert!(refused(Integer(0..=9), ValueKind::I64(10)));
        assert!(refused(Boolean, ValueKind::I64(1)));
        assert!(refused(PowerOfTwo(1..=4096), ValueKind::I64(0)));
        assert!(refused(PowerOfTwo(1..=4096), ValueKind::I64(-4)));
        assert!(refused(PowerOfTwo(1..=4096), ValueKind::I64(100)));
        assert!(!refused(PowerOfTwo(1..=4096), ValueKind::I64(4096)));
        assert!(refused(Patterns, ValueKind::Array(vec![Value::new(None, "(")])));
        assert!(!refused(Patterns, ValueKind::Array(vec![Value::new(None, r".+\.example\.com")])));
        assert!(refused(Tokens, ValueKind::Array(vec![Value::new(None, "a b")])));
        assert!(refused(Networks, ValueKind::Array(vec![Value::new(None, "10.0.0.0/33")])));
        assert!(!refused(Networks, ValueKind::Array(vec![Value::new(None, "::1")])));
    }

    #[test]
    fn headers_that_frame_a_response_are_refused() {
        let refused = |name: &str, value: &str| {
            let table = config::Map::from([(name.to_owned(), Value::new(None, value))]);
            Headers.refusal(&Value::new(None, ValueKind::Table(table))).is_some()
        };
        assert!(!refused("X-Frame-Options", "DENY"));
        assert!(refused("Content-Length", "0"));
        assert!(refused("X Frame", "DENY"));
        assert!(refused("X-Frame", "a\r\nb: c"));
    }
}
