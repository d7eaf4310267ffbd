//! What nodes say to each other: Protocol Buffers, so that a newer version can add fields that an older one passes over.

use bytes::Bytes;
use prost::Message as _;

/// The version of the format. A node ignores and counts what has another one.
pub(super) const VERSION: u32 = 1;

/// One message between nodes.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Envelope {
    /// [`VERSION`].
    #[prost(uint32, tag = "1")]
    pub(super) version: u32,
    /// The node that sent it: a random number, which is another one after each start.
    #[prost(fixed64, tag = "2")]
    pub(super) sender: u64,
    #[prost(oneof = "Body", tags = "3, 4, 5, 6, 7")]
    pub(super) body: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Body {
    /// Messages of one user were stored.
    #[prost(message, tag = "3")]
    Announcement(Announcement),
    /// A node is there. Its own heartbeats tell it that what it sends comes back.
    #[prost(message, tag = "4")]
    Heartbeat(Heartbeat),
    /// Something was revoked: the log is to be read.
    #[prost(message, tag = "5")]
    Revoked(Revoked),
    /// The sender may have stored messages without announcing them: heads are to be compared.
    #[prost(message, tag = "6")]
    Compare(Compare),
    /// Something happened to a user's messages or applications. A version that does not know it passes it over.
    #[prost(message, tag = "7")]
    Event(Event),
}

/// What one transaction has stored for one user.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Announcement {
    #[prost(uint64, tag = "1")]
    pub(super) user: u64,
    /// The user's newest message before; 0 if there was none.
    #[prost(uint64, tag = "2")]
    pub(super) previous: u64,
    /// The last of the messages that were stored.
    #[prost(uint64, tag = "3")]
    pub(super) last: u64,
    /// The messages, in the order of ids; none if they are to be read from the database.
    #[prost(message, repeated, tag = "4")]
    pub(super) messages: Vec<StoredMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StoredMessage {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) application: u64,
    #[prost(sint64, tag = "3")]
    pub(super) priority: i64,
    /// The message as streams get it, in JSON.
    #[prost(bytes = "bytes", tag = "4")]
    pub(super) json: Bytes,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Heartbeat {
    /// The name of the node.
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Revoked {}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Compare {}

/// Something for a user's streams that is no message, and that no node looks for in the database if it is lost.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Event {
    #[prost(uint64, tag = "1")]
    pub(super) user: u64,
    /// What kind of event it is; empty if it was too large to be sent.
    #[prost(string, tag = "2")]
    pub(super) kind: String,
    /// The event as streams get it, in JSON.
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) json: Bytes,
}

/// Encodes what a node says.
pub(super) fn encode(sender: u64, body: Body) -> Bytes {
    Envelope { version: VERSION, sender, body: Some(body) }.encode_to_vec().into()
}

/// Decodes what was heard; `None` if it is of another version, or damaged.
pub(super) fn decode(payload: Bytes) -> Option<Envelope> {
    Envelope::decode(payload).ok().filter(|envelope| envelope.version == VERSION && envelope.body.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Body {
        let json = Bytes::from_static(b"{\"id\":9}");
        let messages = vec![StoredMessage { id: 9, application: 2, priority: -1, json }];
        Body::Announcement(Announcement { user: 7, previous: 3, last: 9, messages })
    }

    #[test]
    fn what_is_said_is_heard() {
        let heard = decode(encode(5, announcement())).unwrap();
        assert_eq!((heard.sender, heard.body), (5, Some(announcement())));
    }

    #[test]
    fn what_is_not_understood_is_ignored() {
        let newer = Envelope { version: VERSION + 1, sender: 5, body: Some(announcement()) };
        let of_no_known_kind = Envelope { version: VERSION, sender: 5, body: None };
        let whole = encode(5, announcement());
        for payload in [
            Bytes::from_static(b"hello"),
            Bytes::new(),
            newer.encode_to_vec().into(),
            of_no_known_kind.encode_to_vec().into(),
            whole.slice(..whole.len() - 1),
        ] {
            assert_eq!(decode(payload.clone()), None, "{payload:?}");
        }
    }

    #[test]
    fn a_field_that_a_newer_version_has_added_is_passed_over() {
        let mut newer = encode(5, announcement()).to_vec();
        // Field 100, a text of two bytes.
        newer.extend([0xa2, 0x06, 2, b'h', b'i']);
        assert_eq!(decode(newer.into()).and_then(|heard| heard.body), Some(announcement()));
    }
}
