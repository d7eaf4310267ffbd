//! Why a request had no result.

use std::io;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderMap, LOCATION, RETRY_AFTER};
use serde::Deserialize;
use tokio_tungstenite::tungstenite;

use super::server_url::ServerUrl;

/// The most characters of an answer that are repeated if it is not Gotify's error object.
const SHOWN_CHARACTERS: usize = 200;

/// A request without a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error("failed to connect to {server}")]
    Connect { server: String, source: io::Error },
    #[error("the connection to {server} was lost before the answer")]
    Exchange { server: String, source: hyper::Error },
    #[error("{server} did not answer within {} seconds", .patience.as_secs())]
    TimedOut { server: String, patience: Duration },
    #[error("{server} answered with more than {limit_bytes} bytes")]
    TooLarge { server: String, limit_bytes: usize },
    #[error("{server} answered with {status}: {text}")]
    Refused { server: String, status: StatusCode, text: String, retry_after: Option<Duration> },
    #[error("{server} does not answer as Gotify does")]
    NotGotify { server: String, source: serde_json::Error },
    // The library's text has its cause in it.
    #[error("{server} does not answer as a WebSocket server: {reason}")]
    NotWebSocket { server: String, reason: Box<tungstenite::Error> },
}

impl RequestError {
    /// The server refused a request, and says why.
    pub(super) fn refused(server: &ServerUrl, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let location = headers.get(LOCATION).filter(|_| status.is_redirection());
        let text = match location {
            Some(location) => sent_on(&String::from_utf8_lossy(location.as_bytes())),
            None => description(body),
        };
        Self::Refused {
            server: server.to_string(),
            status,
            text,
            retry_after: seconds.map(Duration::from_secs),
        }
    }

    /// Whether the server does not accept the token: it makes no sense to ask again.
    pub(super) fn is_about_token(&self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, .. })
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Exchange { .. } | Self::TimedOut { .. } => true,
            Self::Refused { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::TooLarge { .. } | Self::NotGotify { .. } | Self::NotWebSocket { .. } => false,
        }
    }

    /// Returns how long the server wants to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Says where a server sends its clients. They are not followed: another server is not to get the token.
fn sent_on(location: &str) -> String {
    // What follows the path may hold a token.
    let place = location.split(['?', '#']).next().unwrap_or_default();
    let place: String = place.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
    format!("it sends clients on to {place}; use that server's URL, without the path of the request")
}

/// Gotify's error object.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorObject {
    error_description: String,
}

/// Returns what an answer says, on one line. An answer to a handshake has the object on its second line.
fn description(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let object = text.find('{').map(|start| &text[start..]);
    let object: Option<ErrorObject> = object.and_then(|object| serde_json::from_str(object).ok());
    let text = object.map_or_else(|| text.trim().to_owned(), |object| object.error_description);
    if text.is_empty() {
        return "no reason given".to_owned();
    }
    text.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_server_sends_its_clients_is_shown_without_what_may_be_a_token() {
        let server = ServerUrl::parse("http://a").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "https://a:8443/stream?token=hunter2".parse().unwrap());
        let refused = RequestError::refused(&server, StatusCode::FOUND, &headers, b"").to_string();
        let expected = "http://a answered with 302 Found: it sends clients on to https://a:8443/stream; use that server's \
                        URL, without the path of the request";
        assert_eq!(refused, expected);
        let other = RequestError::refused(&server, StatusCode::NOT_FOUND, &headers, b"gone").to_string();
        assert_eq!(other, "http://a answered with 404 Not Found: gone");
    }

    #[test]
    fn the_description_of_an_error_is_shown_on_one_line() {
        let object = r#"{"error":"Bad Request","errorCode":400,"errorDescription":"no \n such"}"#;
        for (body, shown) in [
            (object.to_owned(), r"no \n such".to_owned()),
            (format!("Bad Request\n{object}"), r"no \n such".to_owned()),
            ("<html>\u{1b}[1m".to_owned(), r"<html>\u{1b}[1m".to_owned()),
            (String::new(), "no reason given".to_owned()),
            ("x".repeat(5000), "x".repeat(200)),
        ] {
            assert_eq!(description(body.as_bytes()), shown);
        }
    }
}
