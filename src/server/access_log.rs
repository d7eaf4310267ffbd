//! One line a request.
//!
//! Gotify's levels: `error` from 500 on, `warn` from 400 on, `info` for the rest, which here is so only if it was asked
//! for. A line is put together when the answer stands, and only if it is wanted: until then it holds what it needs
//! by reference counts.
//!
//! Tokens never show. Parameters of the query have their names at most, but for a few that are harmless: what a message
//! says is nobody's business either. A part of the path that may be a secret is masked.

use std::net::IpAddr;

use hyper::{Method, Request, StatusCode, Uri};
use tokio::time::Instant;

/// What stands in for what must not be seen.
const MASK: &str = "[masked]";

/// Parameters that are shown with their values.
const HARMLESS: [&str; 6] = ["appid", "base", "id", "limit", "priority", "since"];

/// The longest name of a parameter that is shown.
const LONGEST_NAME: usize = 24;

/// What is logged.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccessLog {
    /// Whether successes are for `info`.
    pub(super) successes: bool,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Line {
    method: Method,
    uri: Uri,
    client: IpAddr,
    successes: bool,
    began: Instant,
}

impl AccessLog {
    /// Begins a line, if there is any log to write it to.
    pub(super) fn begin<B>(self, request: &Request<B>, client: IpAddr) -> Option<Line> {
        if !tracing::enabled!(tracing::Level::ERROR) {
            return None;
        }
        match request.uri().path() {
            // Containers ask for it all day long.
            "/health" if client.is_loopback() => return None,
            // Proxies ask for it every second, and a node that drains would warn of each answer.
            "/health/ready" => return None,
            _ => {}
        }
        Some(Line {
            method: request.method().clone(),
            uri: request.uri().clone(),
            client,
            successes: self.successes,
            began: Instant::now(),
        })
    }
}

macro_rules! log {
    ($level:ident, $line:ident, $status:ident) => {
        tracing::$level!(
            status = $status.as_u16(),
            duration_us = $line.microseconds(),
            address = %$line.client,
            "{} {}", shown_method(&$line.method), shown(&$line.uri)
        )
    };
}

impl Line {
    fn microseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Writes the line. A server that ends `on_purpose` has no error.
    pub(super) fn end(self, status: StatusCode, on_purpose: bool) {
        let line = self;
        match status.as_u16() {
            _ if on_purpose => log!(debug, line, status),
            500.. => log!(error, line, status),
            400.. => log!(warn, line, status),
            _ if line.successes => log!(info, line, status),
            _ => log!(debug, line, status),
        }
    }
}

/// Writes a method that HTTP knows; a broken request may have anything in its place.
fn shown_method(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    if known.contains(method) { method.as_str() } else { MASK }
}

/// Writes a target without its secrets.
fn shown(uri: &Uri) -> String {
    let segments: Vec<&str> = uri.path().split('/').map(shown_segment).collect();
    let mut shown = segments.join("/");
    if let Some(query) = uri.query() {
        let pairs: Vec<String> = query.split('&').map(shown_pair).collect();
        shown.push('?');
        shown += &pairs.join("&");
    }
    shown
}

/// Writes a part of a path if it is a number or plain words, as those of all routes are. What has capitals, or letters
/// and digits, may be a token or a password that somebody put there.
fn shown_segment(segment: &str) -> &str {
    let is_number = segment.bytes().all(|byte| byte.is_ascii_digit());
    let is_words = segment.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_.".contains(&byte));
    if is_number || (is_words && !may_be_token(segment)) { segment } else { MASK }
}

fn shown_pair(pair: &str) -> String {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let is_plain =
        name.len() <= LONGEST_NAME && name.bytes().all(|b| b.is_ascii_alphabetic() || b"_:".contains(&b));
    if !is_plain || may_be_token(name) {
        MASK.to_owned()
    } else if value.is_empty() || (HARMLESS.contains(&name) && !may_be_token(value)) {
        pair.to_owned()
    } else {
        format!("{name}={MASK}")
    }
}

/// Whether this has the form of a token of any kind, whole or in part. What is escaped may be anything.
fn may_be_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    // Gotify's are 15 and 23 long, but something may have been put behind one, as an extension.
    let is_legacy = |text: &str| {
        text.len() >= 15 && text.starts_with(['A', 'C', 'P']) && text.bytes().take(15).all(is_of_token)
    };
    text.contains('%') || text.contains("gtfy") || is_legacy(text)
}

#[cfg(test)]
mod tests {
    fn shown(target: &str) -> String {
        super::shown(&target.parse().unwrap())
    }

    #[test]
    fn tokens_are_masked_wherever_they_stand() {
        for (target, expected) in [
            ("/stream?since=1&token=Cabc", "/stream?since=1&token=[masked]"),
            ("/stream?%74oken=Cabc", "/stream?[masked]"),
            ("/stream?token=Cabc&token=Cdef", "/stream?token=[masked]&token=[masked]"),
            ("/stream?CabcdefghijklmN", "/stream?[masked]"),
            ("/message?since=CabcdefghijklmN", "/message?since=[masked]"),
            ("/message/AabcdefghijklmN", "/message/[masked]"),
            ("/plugin/1/custom/PabcdefghijklmnopqrstuV/hook", "/plugin/1/custom/[masked]/hook"),
            ("/image/AabcdefghijklmN.png", "/image/[masked]"),
            ("/my-Password", "/[masked]"),
            ("/image/8f3a.png", "/image/[masked]"),
            ("/x/gtfya.abc", "/x/[masked]"),
            ("/x/%41abcdefghijklmN", "/x/[masked]"),
            ("/auth/oidc/callback?code=1&state=2", "/auth/oidc/callback?code=[masked]&state=[masked]"),
        ] {
            assert_eq!(shown(target), expected, "{target}");
        }
    }

    #[test]
    fn a_method_that_is_none_is_masked() {
        for (method, expected) in [("GET", "GET"), ("XCabcdefghijklmN", "[masked]")] {
            assert_eq!(super::shown_method(&method.parse().unwrap()), expected);
        }
    }

    #[test]
    fn messages_are_nobodys_business() {
        assert_eq!(shown("/message?message=hi&priority=5"), "/message?message=[masked]&priority=5");
    }

    #[test]
    fn what_is_harmless_is_shown() {
        for target in
            ["/", "/message", "/message?limit=1", "/application/12/message", "/current/user?", "/client?a"]
        {
            assert_eq!(shown(target), target);
        }
    }
}
