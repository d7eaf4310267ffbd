//! Where clients reach this server from outside.

use axum::http::header::HOST;
use axum::http::{Extensions, HeaderMap};

/// What is known of the connection that a request came by.
///
/// [`Server`](crate::server::Server) puts one into the extensions of a request, unless it is the default: not encrypted, and
/// from nobody in particular. Whoever serves the API otherwise and has proxies in front puts it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionKind {
    /// Whether it came by TLS that ends in this process.
    pub is_encrypted: bool,
    /// Whether it came from a proxy whose `X-Forwarded-*` headers are believed.
    pub is_from_trusted_proxy: bool,
}

impl ConnectionKind {
    /// Returns the kind for these two facts.
    pub fn new(is_encrypted: bool, is_from_trusted_proxy: bool) -> Self {
        Self { is_encrypted, is_from_trusted_proxy }
    }

    fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }
}

/// The scheme, host and path below which a client finds the API: what the client used, or what the proxy in front says
/// that it used, if that proxy is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExternalBase {
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// The host, with its port if it has one; empty if the client named none.
    pub(super) host: String,
    /// The path that the proxy has removed, such as `/gotify`, without a slash at its end; empty if there is none.
    pub(super) prefix: String,
}

impl ExternalBase {
    /// Finds the base that a request was sent to. A header that is not what it should be counts as absent.
    pub(super) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let kind = ConnectionKind::of(extensions);
        let forwarded = |name| if kind.is_from_trusted_proxy { first(headers, name) } else { None };
        let scheme = match forwarded("x-forwarded-proto") {
            Some("https") => "https",
            Some("http") => "http",
            _ if kind.is_encrypted => "https",
            _ => "http",
        };
        let host = forwarded("x-forwarded-host").filter(|host| is_host(host));
        let host = host.or_else(|| first(headers, HOST.as_str())).unwrap_or_default();
        let prefix = forwarded("x-forwarded-prefix").map(|prefix| prefix.trim_end_matches('/'));
        let prefix = prefix.filter(|prefix| is_plain_path(prefix)).unwrap_or_default();
        Self { scheme, host: host.to_owned(), prefix: prefix.to_owned() }
    }
}

/// Returns the first value of a list: each proxy adds its own at the right.
fn first<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

fn is_host(host: &str) -> bool {
    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// Whether this is a path and nothing else: `//host` would lead to another host.
fn is_plain_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(kind: ConnectionKind, headers: &[(&'static str, &'static str)]) -> String {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut extensions = Extensions::new();
        extensions.insert(kind);
        let base = ExternalBase::of(&headers.collect(), &extensions);
        format!("{}://{}{}", base.scheme, base.host, base.prefix)
    }

    const FORWARDED: [(&str, &str); 4] = [
        ("host", "inner:8080"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "push.example.com"),
        ("x-forwarded-prefix", "/gotify/"),
    ];

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(base(ConnectionKind::new(false, true), &FORWARDED), "https://push.example.com/gotify");
        assert_eq!(base(ConnectionKind::new(false, false), &FORWARDED), "http://inner:8080");
        assert_eq!(base(ConnectionKind::new(true, false), &FORWARDED), "https://inner:8080");
    }

    #[test]
    fn a_proxy_that_says_nothing_changes_nothing() {
        assert_eq!(base(ConnectionKind::new(true, true), &FORWARDED[..1]), "https://inner:8080");
        assert_eq!(base(ConnectionKind::new(false, true), &[]), "http://");
    }

    #[test]
    fn of_several_proxies_the_first_one_counts() {
        let chain = [("x-forwarded-proto", "https, http"), ("x-forwarded-host", "push.example.com, inner")];
        assert_eq!(base(ConnectionKind::new(false, true), &chain), "https://push.example.com");
    }

    #[test]
    fn what_could_lead_elsewhere_counts_for_nothing() {
        for (name, value) in [
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-host", "evil/path"),
            ("x-forwarded-host", "user@evil"),
            ("x-forwarded-prefix", "//evil"),
            ("x-forwarded-prefix", "gotify"),
            ("x-forwarded-prefix", "/a?b"),
        ] {
            let headers = [("host", "inner"), (name, value)];
            assert_eq!(base(ConnectionKind::new(false, true), &headers), "http://inner", "{name}: {value}");
        }
    }
}
