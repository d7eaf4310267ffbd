//! Events: what happens to messages and applications, for streams that ask for it by `?events=true`.
//!
//! An event is a hint that something may be asked for again. It is announced once the change is committed, and may be
//! lost: then the streams that should have got it learn that they have missed some.

use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, encode_json, query};
use crate::cluster::Cluster;
use crate::hub::{self, EventFrame, Format, Hub};
use crate::model::{ApplicationId, MessageId, UserId};
use crate::store::DeletedMessages;

/// So many ids are small enough for other nodes.
const IDS_PER_EVENT: usize = 200;

/// Above the ids of all messages, also of those that are stored while an application is deleted. JavaScript has no
/// greater number that is exact.
pub(super) const EVERY_MESSAGE: MessageId = MessageId((1 << 53) - 1);

/// What a stream with `events=true` brings beside messages. The type of a Server-Sent Event is the value of `event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
#[schema(as = StreamEvent)]
pub(crate) enum Event {
    /// These messages were deleted.
    #[serde(rename = "deleted")]
    Deleted {
        /// Their ids.
        #[schema(value_type = Vec<u64>)]
        ids: Vec<MessageId>,
    },
    /// All messages of an application, or of all applications, were deleted up to one.
    #[serde(rename = "deleted")]
    DeletedUpTo {
        /// The application; absent for all.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = u64, required = false)]
        appid: Option<ApplicationId>,
        /// The last message that may have been there.
        #[serde(rename = "upTo")]
        #[schema(value_type = u64)]
        up_to: MessageId,
    },
    /// A message took the place of older ones, which were deleted.
    Replaced {
        /// The message that is kept. It comes as any message does.
        #[schema(value_type = u64)]
        id: MessageId,
        /// Those that were deleted.
        #[schema(value_type = Vec<u64>)]
        ids: Vec<MessageId>,
    },
    /// Messages of an application, or of all applications, were read up to one.
    Read {
        /// The application; absent for all.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = u64, required = false)]
        appid: Option<ApplicationId>,
        /// The last message that was read.
        #[serde(rename = "upTo")]
        #[schema(value_type = u64)]
        up_to: MessageId,
    },
    /// Applications were made, changed, ordered or deleted, or their pictures or settings were changed.
    Applications,
    /// The stream has missed events, or it is not known what has changed.
    Missed,
}

impl Event {
    /// What to announce after messages of an application were deleted.
    pub(crate) fn of_deleted(appid: ApplicationId, deleted: DeletedMessages) -> Vec<Self> {
        match deleted {
            DeletedMessages::UpTo(up_to) => vec![Self::DeletedUpTo { appid: Some(appid), up_to }],
            DeletedMessages::Ids(ids) => {
                ids.chunks(IDS_PER_EVENT).map(|ids| Self::Deleted { ids: ids.to_vec() }).collect()
            }
        }
    }

    /// The value of its field `event`.
    fn kind(&self) -> &'static str {
        match self {
            Self::Deleted { .. } | Self::DeletedUpTo { .. } => "deleted",
            Self::Replaced { .. } => "replaced",
            Self::Read { .. } => "read",
            Self::Applications => "applications",
            Self::Missed => "missed",
        }
    }

    /// Returns what goes to the sockets of streams.
    fn frame(&self) -> EventFrame {
        frame(self.kind(), &encode_json(self))
    }

    /// Brings it to the user's streams that ask for events, on this node and on others. To be called once the change is
    /// committed.
    pub(crate) fn announce(&self, hub: &Hub, cluster: Option<&Cluster>, user: UserId) {
        let here = hub::UserId(user.0);
        if !matches!(self, Self::Read { .. }) {
            hub.forget_backlog(here);
        }
        let is_wanted = hub.wants_events(here);
        if !is_wanted && cluster.is_none() {
            return;
        }
        let json = encode_json(self);
        if is_wanted {
            hub.notify_event(here, &frame(self.kind(), &json));
        }
        if let Some(cluster) = cluster {
            cluster.announce_event(user, self.kind(), &json);
        }
    }
}

/// Makes the frame of an event, in the formats that have JSON. A text frame has a line feed at its end, as messages do.
pub(crate) fn frame(kind: &str, json: &[u8]) -> EventFrame {
    EventFrame::default().with_text(&[json, b"\n"].concat()).with_event(kind, json)
}

/// Reads whether a stream in this format asks for events. If so, returns what informs its client that it has missed some.
pub(super) fn is_asked_for(uri: &Uri, format: Format) -> Result<Option<EventFrame>, ApiError> {
    let asked = uri.query().and_then(|query| query::first(query, "events"));
    match asked.as_deref() {
        None | Some("false") => Ok(None),
        Some("true") if format == Format::Binary => Err(ApiError::BadRequest(
            "Field 'events' must be false for Protocol Buffers, not \"true\"".to_owned(),
        )),
        Some("true") => Ok(Some(Event::Missed.frame())),
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            Err(ApiError::BadRequest(format!("Field 'events' must be true or false, not {other:?}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_form() {
        let (appid, up_to) = (Some(ApplicationId(3)), MessageId(99));
        for (event, json) in [
            (Event::Deleted { ids: vec![MessageId(7), MessageId(8)] }, r#"{"event":"deleted","ids":[7,8]}"#),
            (Event::DeletedUpTo { appid, up_to }, r#"{"event":"deleted","appid":3,"upTo":99}"#),
            (Event::DeletedUpTo { appid: None, up_to }, r#"{"event":"deleted","upTo":99}"#),
            (
                Event::Replaced { id: MessageId(12), ids: vec![MessageId(7)] },
                r#"{"event":"replaced","id":12,"ids":[7]}"#,
            ),
            (Event::Read { appid, up_to }, r#"{"event":"read","appid":3,"upTo":99}"#),
            (Event::Applications, r#"{"event":"applications"}"#),
            (Event::Missed, r#"{"event":"missed"}"#),
        ] {
            let frame = event.frame();
            let text = frame.bytes(Format::Text).unwrap();
            assert_eq!(&text[2..], format!("{json}\n").as_bytes());
            let sent = frame.bytes(Format::Event).unwrap();
            assert_eq!(sent[..], *format!("event: {}\ndata: {json}\n\n", event.kind()).as_bytes());
            assert!(json.starts_with(&format!("{{\"event\":\"{}\"", event.kind())));
        }
    }

    #[test]
    fn events_are_asked_for_by_true_and_not_in_protocol_buffers() {
        let read = |query: &str, format| {
            let uri: Uri = format!("/stream?{query}").parse().unwrap();
            is_asked_for(&uri, format).map(|asked| asked.is_some()).map_err(|error| error.to_string())
        };
        for (query, expected) in [("", false), ("events=false", false), ("events=true", true)] {
            assert_eq!(read(query, Format::Text), Ok(expected), "{query}");
            assert_eq!(read(query, Format::Event), Ok(expected), "{query}");
        }
        let refused = Err("Field 'events' must be true or false, not \"yes\"".to_owned());
        assert_eq!(read("events=yes", Format::Text), refused);
        assert!(read("events=true", Format::Binary).is_err());
        assert_eq!(read("events=false", Format::Binary), Ok(false));
    }
}
