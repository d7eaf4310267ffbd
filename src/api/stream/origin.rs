//! Which pages may open a stream.

use crate::api::patterns::{OriginPatternError, Patterns};
use axum::http::{
    HeaderMap, Uri,
    header::{HOST, ORIGIN},
};

/// Host names, as patterns, that a page may come from besides the server's own.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins(Patterns);

impl AllowedOrigins {
    /// Compiles the patterns. Each has to match the whole host name: Gotify lets a part of it suffice, so that
    /// `example\.com` admits `example.com.attacker.net` too.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, OriginPatternError> {
        Patterns::new(patterns).map(Self)
    }

    /// Answers whether a request with these headers may open a stream. A request without an origin does not come
    /// from a page.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        if origin.is_empty() {
            return true;
        }
        let Ok(origin) = origin.parse::<Uri>() else { return false };
        let Some(authority) = origin.authority() else { return false };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(|host| host.eq_ignore_ascii_case(authority.as_str())) {
            return true;
        }
        self.0.match_whole(&authority.host().to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allows(patterns: &[&str], origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("push.example.com:8080"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        AllowedOrigins::new(patterns).unwrap().allow(&headers)
    }

    #[test]
    fn no_origin_and_the_own_host_are_always_allowed() {
        assert!(allows(&[], None));
        assert!(allows(&[], Some("")));
        assert!(allows(&[], Some("https://PUSH.example.com:8080")));
        assert!(!allows(&[], Some("https://push.example.com")));
        assert!(!allows(&[], Some("null")));
    }

    #[test]
    fn a_pattern_matches_the_whole_host_name() {
        let patterns = [r"(.+\.)?example\.org", "localhost"];
        assert!(allows(&patterns, Some("https://App.Example.org")));
        assert!(allows(&patterns, Some("http://localhost:3000")));
        assert!(!allows(&patterns, Some("https://example.org.attacker.net")));
        assert!(!allows(&patterns, Some("https://notlocalhost")));
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error() {
        assert!(AllowedOrigins::new(["("]).is_err());
    }
}
