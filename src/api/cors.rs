//! Which foreign web pages may use the API (CORS), decided as Gotify's router does.
//!
//! A request of a page that may not is refused before it is asked who is there, whatever it asks for; a page that may
//! gets its own origin back. tower-http's `CorsLayer` does neither: it hands every request on, leaves it to the
//! browser to hide the answer, and answers preflights with 200. So this file is our own.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN, VARY,
        },
    },
};

use super::patterns::{OriginPatternError, Patterns};

/// How long a browser may remember the answer to a preflight: 12 hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("43200");

const VARY_BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");

const VARY_BY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// Which foreign pages may use the API, and how their preflights are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorsConfig {
    /// Regular expressions. One of them must match the whole of a page's origin (`https://app.example.com:8443`), or
    /// the whole of its host, with or without the port; all in lower case. Default none.
    pub allow_origins: Vec<String>,
    /// Methods that a preflight names. Default none.
    pub allow_methods: Vec<Method>,
    /// Headers that a preflight names. Default none.
    pub allow_headers: Vec<HeaderName>,
}

with_methods!(CorsConfig {
    with_allow_origins(allow_origins: impl Into<Vec<String>>),
    with_allow_methods(allow_methods: impl Into<Vec<Method>>),
    with_allow_headers(allow_headers: impl Into<Vec<HeaderName>>),
});

/// The rules, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct Cors {
    origins: Origins,
    /// The headers of every answer to a preflight, but for the origin.
    preflight: HeaderMap,
}

#[derive(Debug)]
enum Origins {
    Matching(Patterns),
    Only(String),
    Any,
}

impl Default for Origins {
    fn default() -> Self {
        Self::Matching(Patterns::default())
    }
}

/// What the origin of a request comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// No page of another origin is asking.
    SameOrigin,
    /// The page may not use this API.
    Refused,
    /// A browser asks beforehand whether the page may.
    Preflight(HeaderValue),
    /// The page may.
    Allowed(HeaderValue),
}

impl Cors {
    /// Compiles the rules. Without patterns an `Access-Control-Allow-Origin` among the configured response headers
    /// says which origin may come, as in Gotify.
    pub(super) fn new(config: &CorsConfig, response_headers: &HeaderMap) -> Result<Self, OriginPatternError> {
        let patterns = Patterns::new(&config.allow_origins)?;
        let announced = response_headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).and_then(|only| only.to_str().ok());
        let origins = match announced {
            Some("*") if patterns.is_empty() => Origins::Any,
            Some(only) if patterns.is_empty() => Origins::Only(only.trim().to_ascii_lowercase()),
            _ => Origins::Matching(patterns),
        };
        let mut preflight = HeaderMap::new();
        let methods = config.allow_methods.iter().map(|method| method.as_str().to_ascii_uppercase());
        insert_list(&mut preflight, ACCESS_CONTROL_ALLOW_METHODS, methods);
        let headers = config.allow_headers.iter().map(|name| canonical(name.as_str()));
        insert_list(&mut preflight, ACCESS_CONTROL_ALLOW_HEADERS, headers);
        preflight.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Ok(Self { origins, preflight })
    }

    /// Judges a request. One without an origin costs a look at its headers, no more.
    pub(super) fn judge(&self, request: &Request) -> Verdict {
        match request.headers().get(ORIGIN) {
            Some(origin) if !origin.is_empty() => self.judge_origin(origin, request),
            _ => Verdict::SameOrigin,
        }
    }

    fn judge_origin(&self, origin: &HeaderValue, request: &Request) -> Verdict {
        if is_own(origin.as_bytes(), request) {
            return Verdict::SameOrigin;
        }
        if !self.allow(origin) {
            return Verdict::Refused;
        }
        if request.method() == Method::OPTIONS {
            Verdict::Preflight(origin.clone())
        } else {
            Verdict::Allowed(origin.clone())
        }
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        match &self.origins {
            Origins::Any => true,
            Origins::Only(only) => origin == only.as_str(),
            Origins::Matching(patterns) => {
                let Ok(origin) = origin.to_str() else { return false };
                let origin = origin.to_ascii_lowercase();
                forms(&origin).into_iter().flatten().any(|form| patterns.match_whole(form))
            }
        }
    }

    /// Adds what the page's browser wants to see.
    pub(super) fn add_headers(&self, verdict: Verdict, headers: &mut HeaderMap) {
        let (origin, vary) = match verdict {
            Verdict::SameOrigin | Verdict::Refused => return,
            Verdict::Allowed(origin) => (origin, VARY_BY_ORIGIN),
            Verdict::Preflight(origin) => {
                headers.extend(self.preflight.clone());
                (origin, VARY_BY_PREFLIGHT)
            }
        };
        if matches!(self.origins, Origins::Any) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(VARY, vary);
        }
    }
}

/// Answers whether the page comes from this server itself.
fn is_own(origin: &[u8], request: &Request) -> bool {
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str().as_bytes(),
        None => request.headers().get(HOST).map(HeaderValue::as_bytes).unwrap_or_default(),
    };
    [&b"http://"[..], b"https://"].iter().any(|scheme| origin.strip_prefix(*scheme) == Some(host))
}

/// Returns an origin as it is, and its host with and without the port, for patterns such as Gotify's documentation
/// shows. Nothing if there is more to it, a path for instance: no browser sends that.
fn forms(origin: &str) -> [Option<&str>; 3] {
    let Some((_, host_and_port)) = origin.split_once("://") else {
        // That of a sandboxed page is `null`.
        return [Some(origin), None, None];
    };
    if !host_and_port.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte)) {
        return [None; 3];
    }
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let host = match host_and_port.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host_and_port,
    };
    [Some(origin), Some(host_and_port), Some(host)]
}

/// Inserts the items, each once, unless there are none.
fn insert_list(headers: &mut HeaderMap, name: HeaderName, items: impl Iterator<Item = String>) {
    let mut distinct: Vec<String> = Vec::new();
    for item in items {
        if !distinct.contains(&item) {
            distinct.push(item);
        }
    }
    if !distinct.is_empty() {
        let list = HeaderValue::try_from(distinct.join(","));
        headers.insert(name, list.expect("methods and names of headers are made of visible ASCII"));
    }
}

/// Writes a header's name as HTTP/1.1 usually does: `X-Gotify-Key`.
fn canonical(name: &str) -> String {
    let mut begins_word = true;
    let letter = |c: char| {
        let written = if begins_word { c.to_ascii_uppercase() } else { c };
        begins_word = c == '-';
        written
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn verdict(cors: &Cors, method: Method, origin: &'static str) -> Verdict {
        let request = Request::builder().method(method).uri("/message").header(HOST, "push.example.com");
        cors.judge(&request.header(ORIGIN, origin).body(Body::empty()).unwrap())
    }

    fn allowing(patterns: &[&str]) -> Cors {
        let allow_origins = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let config = CorsConfig { allow_origins, ..CorsConfig::default() };
        Cors::new(&config, &HeaderMap::new()).unwrap()
    }

    fn allows(cors: &Cors, origin: &'static str) -> bool {
        matches!(verdict(cors, Method::GET, origin), Verdict::Allowed(_))
    }

    #[test]
    fn without_rules_only_the_own_origin_may() {
        let cors = Cors::default();
        for own in ["", "http://push.example.com", "https://push.example.com"] {
            assert_eq!(verdict(&cors, Method::GET, own), Verdict::SameOrigin, "{own}");
        }
        // Gotify compares case by case, and the port is a part of the host.
        for foreign in ["https://PUSH.example.com", "https://push.example.com:8443", "null", "ftp://x"] {
            assert_eq!(verdict(&cors, Method::GET, foreign), Verdict::Refused, "{foreign}");
        }
    }

    #[test]
    fn a_pattern_must_match_the_whole_origin_or_the_whole_host() {
        let cors = allowing(&[r"https://app\.example\.com", r".+\.example\.org", "localhost:3000"]);
        for origin in [
            "https://app.example.com",
            "HTTPS://App.Example.com",
            "http://a.example.org:81",
            "http://localhost:3000",
        ] {
            assert!(allows(&cors, origin), "{origin}");
        }
        for origin in [
            "http://app.example.com",
            "https://app.example.com.attacker.net",
            "https://attacker.net/https://app.example.com",
            "https://example.org.attacker.net",
            "https://attacker.net/a.example.org",
            "https://attacker.net?.example.org",
            "https://a@b.example.org",
            "http://localhost:3001",
            "http://localhost",
        ] {
            assert!(!allows(&cors, origin), "{origin}");
        }
    }

    #[test]
    fn an_announced_origin_is_the_one_that_may() {
        let announced = |origin: &'static str, config: &CorsConfig| {
            let headers =
                HeaderMap::from_iter([(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static(origin))]);
            Cors::new(config, &headers).unwrap()
        };
        let none = CorsConfig::default();
        assert!(allows(&announced("*", &none), "https://anywhere"));
        assert!(allows(&announced("https://App.example.com", &none), "https://app.example.com"));
        assert!(!allows(&announced("https://app.example.com", &none), "https://app.example.com.evil"));
        let some = CorsConfig { allow_origins: vec!["https://a".to_owned()], ..CorsConfig::default() };
        assert!(!allows(&announced("*", &some), "https://b"));
    }

    #[test]
    fn a_preflight_is_told_what_is_configured() {
        let config = CorsConfig {
            allow_origins: vec!["https://a".to_owned()],
            allow_methods: vec![Method::GET, Method::POST, Method::GET],
            allow_headers: vec![HeaderName::from_static("x-gotify-key"), ORIGIN],
        };
        let cors = Cors::new(&config, &HeaderMap::new()).unwrap();
        let mut headers = HeaderMap::new();
        cors.add_headers(verdict(&cors, Method::OPTIONS, "https://A"), &mut headers);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://A");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_HEADERS], "X-Gotify-Key,Origin");
        assert_eq!(headers[ACCESS_CONTROL_MAX_AGE], "43200");
        assert_eq!(headers[VARY], VARY_BY_PREFLIGHT);
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error() {
        let config = CorsConfig { allow_origins: vec!["(".to_owned()], ..CorsConfig::default() };
        assert!(Cors::new(&config, &HeaderMap::new()).is_err());
    }
}
