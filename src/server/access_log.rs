//! One line a request.
//!
//! Gotify's levels: `error` from 500 on, `warn` from 400 on, `info` for the rest, which here is so only if it was asked
//! for. A line is put together when the answer stands, and only if it is wanted: until then it holds what it needs
//! by reference counts.
//!
//! Tokens never show. Parameters of the query have their names at most, but for a few that are harmless: what a message
//! says is nobody's business either. A part of the path that looks like a token is masked.

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
        // Containers ask for it all day long.
        if client.is_loopback() && request.uri().path() == "/health" {
            return None;
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
            duration = ?$line.began.elapsed(),
            address = %$line.client,
            "{} {}", $line.method, shown(&$line.uri)
        )
    };
}

impl Line {
    /// Writes the line.
    pub(super) fn end(self, status: StatusCode) {
        let line = self;
        match status.as_u16() {
            500.. => log!(error, line, status),
            400.. => log!(warn, line, status),
            _ if line.successes => log!(info, line, status),
            _ => log!(debug, line, status),
        }
    }
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

fn shown_segment(segment: &str) -> &str {
    if may_be_token(segment) { MASK } else { segment }
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
    let is_legacy = |text: &str| {
        (text.len() == 15 || text.len() == 23)
            && text.starts_with(['A', 'C', 'P'])
            && text.bytes().all(is_of_token)
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
            ("/x/gtfya.abc", "/x/[masked]"),
            ("/x/%41abcdefghijklmN", "/x/[masked]"),
            ("/auth/oidc/callback?code=1&state=2", "/auth/oidc/callback?code=[masked]&state=[masked]"),
        ] {
            assert_eq!(shown(target), expected, "{target}");
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
