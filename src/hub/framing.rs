//! What goes to a socket besides messages.

use std::borrow::Cow;

use super::{EndReason, MessageId};

mod event_stream;
mod websocket;

pub use websocket::put_header;

/// How a stream begins, is kept alive and ends: a value that comes with its socket, as its [`Format`](super::Format)
/// comes with its registration.
///
/// The hub writes what the value says, and knows no protocol. [`Framing::WEBSOCKET`] and [`Framing::EVENT_STREAM`] are
/// the two that come with the crate; a program may make its own.
///
/// ```
/// use std::borrow::Cow;
/// use shardcast::hub::Framing;
///
/// /// Messages as they are, an empty line now and then, and nothing at the end.
/// static LINES: Framing = Framing {
///     opening: |_| Cow::Borrowed(b""),
///     ping: |_| Cow::Borrowed(b"\n"),
///     has_ids_in_pings: false,
///     expects_pongs: false,
///     end: |_| Cow::Borrowed(b""),
///     expects_answer: |_| false,
///     waits_for_hang_up: true,
/// };
/// assert_eq!(&*(Framing::EVENT_STREAM.ping)(None), b":\n\n");
/// # let _ = &LINES;
/// ```
#[derive(Debug)]
pub struct Framing {
    /// Returns what is written first. The id is that of the last message that the stream will not bring, where that is
    /// known.
    pub opening: fn(Option<MessageId>) -> Cow<'static, [u8]>,
    /// Returns what is written once per [`HubConfig::ping_period`](super::HubConfig::ping_period). The id is that of the
    /// last message before it, for a stream that asks for that, see
    /// [`Registration::ask_for_ids_in_pings`](super::Registration::ask_for_ids_in_pings), and where `has_ids_in_pings`
    /// says so. Messages that a [`Filter`](super::Filter) leaves out are among those before it.
    pub ping: fn(Option<MessageId>) -> Cow<'static, [u8]>,
    /// Whether each ping is given the id where it is known, also if the stream has not asked for that.
    pub has_ids_in_pings: bool,
    /// Whether the peer answers pings: if so, one that does not is closed.
    pub expects_pongs: bool,
    /// Returns what is written last.
    pub end: fn(EndReason) -> Cow<'static, [u8]>,
    /// Whether the peer answers what is written last; if not, it is told that nothing more comes.
    pub expects_answer: fn(EndReason) -> bool,
    /// Whether the stream then stays until the peer hangs up, for at most
    /// [`HubConfig::close_timeout`](super::HubConfig::close_timeout). A socket that is closed while something is unread
    /// loses what it has written last.
    pub waits_for_hang_up: bool,
}
