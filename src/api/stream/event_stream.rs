//! Messages as Server-Sent Events, from the same hub as on a WebSocket.

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};

use super::body_socket;
use super::format::Agreed;
use crate::api::ApiError;
use crate::api::body::shortened;
use crate::hub::{Format, Framing, MessageId, Registration};

const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks nginx, and proxies that do as it does, not to collect the answer before they send it on.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

static FRAMING: Framing = Framing::EVENT_STREAM;

/// Answers whether the client asks for events by name, as `EventSource` does.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(EVENT_STREAM))
    })
}

/// Reads from where the client goes on: the id of the last event that it has got, which a browser sends when it comes
/// back, goes before the `since` of its address.
pub(super) fn since(uri: &Uri, headers: &HeaderMap) -> Result<Option<MessageId>, ApiError> {
    match headers.get(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        None => super::Since::read(uri),
        Some(id) => {
            let read = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            read.map(MessageId).map(Some).ok_or_else(|| {
                ApiError::BadRequest(format!(
                    "Header 'Last-Event-ID' must be the id of a message, or 0 for all messages, not {:?}",
                    shortened(&String::from_utf8_lossy(id.as_bytes()))
                ))
            })
        }
    }
}

/// Says in which format the hub's frames are for this stream.
pub(super) fn format(agreed: &Agreed) -> Result<Format, ApiError> {
    match agreed.format {
        Format::Text | Format::Event => Ok(Format::Event),
        Format::Binary => Err(ApiError::BadRequest(
            "Field 'format' must be json for 'Accept: text/event-stream'".to_owned(),
        )),
    }
}

/// Answers with a body that is the stream. Its task is owned by the registration's hub: it ends with
/// [`Hub::close_all`](crate::hub::Hub::close_all), and at the latest when the hub is dropped.
pub(super) fn run(registration: Registration) -> Response {
    let (socket, body) = body_socket::pair();
    let mut stream = registration.attach_framed(Box::new(socket), &FRAMING);
    tokio::spawn(async move {
        let reason = stream.serve(|_, _| {}).await;
        tracing::debug!(conn.id = %stream.id(), reason = reason.name(), "a stream ended");
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    (headers, Body::new(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Hub, HubConfig, UserId};

    #[tokio::test]
    async fn a_stream_is_no_connection_beside_that_of_its_answer() {
        let hub = Hub::new(HubConfig::default());
        let answer = run(hub.register(UserId(1), "token", None).unwrap());
        assert_eq!((hub.stream_count(), hub.attached_count()), (1, 0));
        drop(answer);
        while hub.stream_count() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hub.attached_count(), 0);
    }

    #[test]
    fn events_are_asked_for_by_name() {
        for (accept, expected) in [
            ("text/event-stream", true),
            ("Text/Event-Stream; q=0.9", true),
            ("text/html, text/event-stream", true),
            ("*/*", false),
            ("text/*", false),
            ("text/event-streams", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(is_asked_for(&headers), expected, "{accept}");
        }
        assert!(!is_asked_for(&HeaderMap::new()));
    }

    #[test]
    fn an_id_that_is_none_is_named_with_what_would_be_right() {
        let said = |uri, last| {
            let headers = HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static(last))]);
            since(&Uri::from_static(uri), &headers).unwrap_err().to_string()
        };
        let expected = "must be the id of a message, or 0 for all messages, not \"abc\"";
        assert_eq!(said("/stream?since=abc", ""), format!("Field 'since' {expected}"));
        assert_eq!(said("/stream", "abc"), format!("Header 'Last-Event-ID' {expected}"));
    }

    #[test]
    fn the_last_event_goes_before_the_address() {
        for (uri, last, expected) in [
            ("/stream", "", Some(None)),
            ("/stream?since=5", "", Some(Some(MessageId(5)))),
            ("/stream?since=5", "7", Some(Some(MessageId(7)))),
            ("/stream?since=5", "0", Some(Some(MessageId(0)))),
            ("/stream?since=5", "x", None),
            ("/stream?since=x", "", None),
            ("/stream?since=x", "7", Some(Some(MessageId(7)))),
        ] {
            let headers = HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_static(last))]);
            assert_eq!(since(&Uri::from_static(uri), &headers).ok(), expected, "{uri} {last}");
        }
    }
}
