//! Server-Sent Events (HTML Standard, section 9.2).

use std::borrow::Cow;

use super::Framing;
use crate::hub::{EndReason, MessageId};

impl Framing {
    /// Server-Sent Events, as a browser's `EventSource` reads them. Messages are events with their id in `id:`.
    ///
    /// The opening names the position from which the client is to go on if the connection is lost before the first
    /// message: an event with nothing but an id is not shown to the page. A ping is a comment, and names the position
    /// too, which moves with messages that a [`Filter`](crate::hub::Filter) leaves out. The end is an event of the type
    /// `end` with the text of its reason; nobody answers it.
    ///
    /// It is for sockets whose peer has nothing to say: the stream ends as soon as its end is out.
    pub const EVENT_STREAM: Self = Self {
        opening,
        ping,
        has_ids_in_pings: true,
        expects_pongs: false,
        end,
        expects_answer: |_| false,
        waits_for_hang_up: false,
    };
}

fn opening(position: Option<MessageId>) -> Cow<'static, [u8]> {
    match position {
        Some(id) => Cow::Owned(format!("id: {id}\n\n").into_bytes()),
        None => Cow::Borrowed(b":\n\n"),
    }
}

/// A comment is what keeps a connection alive. What has no data dispatches no event, but its id is what the client will
/// send as its last one (section 9.2.6).
fn ping(position: Option<MessageId>) -> Cow<'static, [u8]> {
    match position {
        Some(id) => Cow::Owned(format!(":\nid: {id}\n\n").into_bytes()),
        None => Cow::Borrowed(b":\n\n"),
    }
}

fn end(reason: EndReason) -> Cow<'static, [u8]> {
    Cow::Owned(format!("event: end\ndata: {}\n\n", reason.text()).into_bytes())
}
