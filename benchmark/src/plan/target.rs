//! The section `target` of a plan: where load goes, and what is done there.

use std::{fmt, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, Uri, header, uri::Authority};

use super::{
    PlanError,
    section::{Section, scalar},
    yaml::Content,
};
use crate::client::transport::Tls;

/// Headers that the load itself sends as they must be.
const SET_BY_ITSELF: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];
/// The most streams of one driver.
const STREAMS_MAX: u32 = 1_000_000;
/// The largest text of a message.
const SIZE_MAX: usize = 1 << 20;

/// What streams that were just opened may still do before the first message.
const SETTLE: Duration = Duration::from_secs(1);

/// Where load goes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlanTarget {
    Http(HttpTarget),
    Server(ServerTarget),
}

/// A request over HTTP or HTTPS, and the answer that is right.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HttpTarget {
    pub(crate) url: String,
    pub(crate) method: Method,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: String,
    /// The right status; without it each from 200 to 299.
    pub(crate) expect: Option<u16>,
    /// Whether a connection serves one request alone.
    pub(crate) closes: bool,
    /// Certificates to trust instead of the system's, in PEM.
    pub(crate) ca: Option<String>,
}

/// A notification server, and what is done there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServerTarget {
    pub(crate) server: String,
    pub(crate) action: Action,
}

/// What is done at a notification server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Publish messages with a text of `size` bytes.
    Publish { size: usize },
    /// Open streams, and hold them for a time after the last one.
    Connect { hold: Duration },
    /// Open streams, each of which leaves after a time.
    Churn { hold: Duration },
    /// Publish to streams, and check every delivery.
    Fanout { streams: u32, connect_rate: u32, size: usize },
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Publish { size } => write!(formatter, "publish {size} bytes"),
            Self::Connect { hold } => write!(formatter, "connect, hold {hold:?}"),
            Self::Churn { hold } => write!(formatter, "churn, hold {hold:?}"),
            Self::Fanout { streams, size, .. } => {
                write!(formatter, "publish {size} bytes to {streams} streams")
            }
        }
    }
}

impl PlanTarget {
    /// Returns how long streams are opened before the first request is due.
    pub(crate) fn opening(&self) -> Duration {
        match self {
            Self::Server(ServerTarget { action: Action::Fanout { streams, connect_rate, .. }, .. }) => {
                Duration::from_secs_f64(f64::from(*streams) / f64::from(*connect_rate)) + SETTLE
            }
            _ => Duration::ZERO,
        }
    }

    /// Returns whether there are streams.
    pub(crate) fn has_streams(&self) -> bool {
        self.opens_streams() || self.has_deliveries()
    }

    /// Returns whether messages are delivered on streams.
    pub(crate) fn has_deliveries(&self) -> bool {
        matches!(self, Self::Server(ServerTarget { action: Action::Fanout { .. }, .. }))
    }

    /// Returns whether what is due is a stream, not a request.
    pub(crate) fn opens_streams(&self) -> bool {
        let Self::Server(server) = self else { return false };
        matches!(server.action, Action::Connect { .. } | Action::Churn { .. })
    }
}

pub(super) fn read(mut section: Section) -> Result<PlanTarget, PlanError> {
    if section.has("server") {
        return server(section).map(PlanTarget::Server);
    }
    let right = "`url: 'http://127.0.0.1:8080/health'`, or `server` for a notification server";
    let (line, url) = scalar("url", section.need("url", right)?)?;
    let uri = parse_url(&url).map_err(|reason| PlanError::new(line, reason))?;
    let is_method = |method: &Method| {
        method.as_str().bytes().all(|byte| byte.is_ascii_uppercase()) && *method != Method::CONNECT
    };
    let method = section.value("method", "an HTTP method, such as `GET`", is_method)?;
    let mut headers = Vec::new();
    if let Some(node) = section.take("headers") {
        let line = node.line;
        let Content::Map(entries) = node.content else {
            let reason = "`headers` must have a key per header, such as `accept: text/plain`";
            return Err(PlanError::new(line, reason));
        };
        for (name, node) in entries {
            let (line, value) = scalar(&name, node)?;
            let wrong =
                |why: &str| PlanError::new(line, format!("the header `{}` {why}", name.escape_debug()));
            let parsed: HeaderName =
                name.parse().map_err(|_| wrong("is no name: it must have letters, digits and `-`"))?;
            if SET_BY_ITSELF.contains(&parsed) {
                return Err(wrong("is set by itself; `keep_alive` says whether connections are kept"));
            }
            if headers.iter().any(|(known, _)| *known == parsed) {
                return Err(wrong("is there twice"));
            }
            let value = HeaderValue::from_str(&value)
                .map_err(|_| wrong("has a value that can't be sent: it must have no line ends"))?;
            headers.push((parsed, value));
        }
    }
    let body = section.text("body")?.map(|(_, body)| body).unwrap_or_default();
    let expect = section.value("expect", "a status, 200 to 599", |status| (200..600).contains(status))?;
    let keep_alive = section.value("keep_alive", "`true` or `false`", |_| true)?.unwrap_or(true);
    let ca = match section.text("ca")? {
        Some((line, _)) if uri.scheme_str() != Some("https") => {
            return Err(PlanError::new(line, "`ca` is for an `https://` target"));
        }
        Some((line, ca)) => {
            Tls::new("localhost", Some(&ca))
                .map_err(|reason| PlanError::new(line, format!("`ca`: {reason}")))?;
            Some(ca)
        }
        None => None,
    };
    section.end()?;
    let method = method.unwrap_or_default();
    Ok(PlanTarget::Http(HttpTarget { url, method, headers, body, expect, closes: !keep_alive, ca }))
}

fn server(mut section: Section) -> Result<ServerTarget, PlanError> {
    const ACTIONS: &str = "`publish`, `connect`, `churn` or `fanout`";
    let (line, server) = scalar("server", section.need("server", "`server: 'http://127.0.0.1:8080'`")?)?;
    let uri = parse_url(&server).map_err(|reason| PlanError::new(line, reason))?;
    if uri.scheme_str() != Some("http") || uri.query().is_some() {
        let reason =
            format!("the server `{server}` must be `http://HOST[:PORT][/PREFIX]`: it is loaded without TLS");
        return Err(PlanError::new(line, reason));
    }
    let (line, action) = scalar("do", section.need("do", ACTIONS)?)?;
    let action = match action.as_str() {
        "publish" => Action::Publish { size: size(&mut section)? },
        "connect" => Action::Connect { hold: section.time("hold")?.unwrap_or_default() },
        "churn" => Action::Churn { hold: section.time("hold")?.unwrap_or(Duration::from_secs(1)) },
        "fanout" => {
            let right = format!("1 to {STREAMS_MAX}");
            let is_good = |count: &u32| (1..=STREAMS_MAX).contains(count);
            let streams = section.value("streams", &right, is_good)?;
            let lacks = || PlanError::new(line, "`target` lacks `streams`, such as `streams: 1000`");
            let connect_rate = section.value("connect_rate", &right, is_good)?.unwrap_or(1000);
            Action::Fanout { streams: streams.ok_or_else(lacks)?, connect_rate, size: size(&mut section)? }
        }
        _ => return Err(PlanError::new(line, format!("`do` is `{action}`: it must be {ACTIONS}"))),
    };
    section.end()?;
    Ok(ServerTarget { server, action })
}

/// Reads the URL of a target.
///
/// # Errors
///
/// Says what is wrong with it.
pub(crate) fn parse_url(url: &str) -> Result<Uri, String> {
    let wrong = |why: &str| {
        format!("the target `{}` {why}; an example is `http://127.0.0.1:8080/health`", url.escape_debug())
    };
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong("has characters that must be written as `%20` and the like"));
    }
    let uri: Uri = url.parse().map_err(|error| wrong(&format!("is no URL: {error}")))?;
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    if authority.contains('@') {
        // It is not repeated, because it is a secret.
        return Err("the target's URL holds a user or password, which a test does not send".to_owned());
    }
    let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    if !has_scheme || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("does not begin with `http://` or `https://` and a host"));
    }
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    if port
        .is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port == 0) || port.parse::<u16>().is_err())
    {
        return Err(wrong("has a port that is not 1 to 65535"));
    }
    Ok(uri)
}

fn size(section: &mut Section) -> Result<usize, PlanError> {
    let right = format!("bytes of text, 0 to {SIZE_MAX}");
    Ok(section.value("size", &right, |size| *size <= SIZE_MAX)?.unwrap_or(64))
}
