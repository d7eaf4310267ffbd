//! From stored messages to frames: those that were just committed, and those that a stream missed.

use std::{fmt, sync::Arc};

use crate::{
    api::{encode_json, protobuf},
    hub::{self, Backlog, BacklogError, BacklogFuture, BacklogPage, Format, Formats, Frame, Hub},
    model::{Message, MessageId, UserId},
    store::{Commit, Database, Slice, StoreError, Stored},
};

/// A message with more bytes of text than this is read from the store by each user's streams, whose memory has a limit
/// in all. A socket does not take so much at once in any case.
const LIVE_BYTES: usize = 256 * 1024;

/// The stored messages, as the hub's backlog.
#[derive(Clone)]
pub struct StoredBacklog {
    database: Arc<dyn Database>,
}

impl StoredBacklog {
    /// Reads from this database.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self { database }
    }
}

impl StoredBacklog {
    /// Reads the small ones of the next messages together with the list, and larger ones as far as there is room for
    /// them. Moves `after` to the last of them.
    async fn read_slice(
        &self,
        user: UserId,
        after: &mut MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> Result<BacklogPage, StoreError> {
        let Slice { rows, left_out } =
            self.database.list_messages_after(user, *after, limit, max_bytes).await?;
        let mut page =
            BacklogPage { complete: rows.len() + left_out.len() < limit, ..BacklogPage::default() };
        let mut room = max_bytes;
        for message in rows {
            *after = message.id;
            let frame = frame(&message, format.into());
            room = room.saturating_sub(frame.size());
            page.frames.push(frame);
        }
        let mut larger = Vec::new();
        for row in &left_out {
            if row.bytes > room {
                page.complete = false;
                break;
            }
            room -= row.bytes;
            larger.push(row.id);
        }
        if let Some(&last) = larger.last() {
            *after = last;
            let messages = self.database.messages_by_id(&larger).await?;
            page.frames.extend(messages.into_iter().map(|message| frame(&message, format.into())));
        } else if page.frames.is_empty() {
            page.needed_bytes = left_out.first().map_or(0, |row| row.bytes);
        }
        Ok(page)
    }
}

impl Backlog for StoredBacklog {
    fn read(
        &self,
        user: hub::UserId,
        after: hub::MessageId,
        format: Format,
        limit: usize,
        max_bytes: usize,
    ) -> BacklogFuture<'_> {
        Box::pin(async move {
            let mut after = MessageId(after.0);
            loop {
                let read = self.read_slice(UserId(user.0), &mut after, format, limit, max_bytes).await;
                let page = read.map_err(|error| BacklogError(error.into()))?;
                // All that were found may have been deleted before they were read.
                if page.complete || page.needed_bytes > 0 || !page.frames.is_empty() {
                    return Ok(page);
                }
            }
        })
    }
}

/// Brings what one transaction has stored to the streams of each of its users. A message is encoded once for each
/// format that somebody listens in: not at all if nobody does, or if it is large, so that streams read it from the store.
pub fn announce(hub: &Hub, commit: &Commit) {
    for of_user in commit.users() {
        let user = hub::UserId(of_user.user_id.0);
        let formats = hub.formats(user);
        // Who registers after this reads from the store where to begin, and the messages are there.
        if !formats.is_empty() {
            let messages = of_user.messages.iter();
            let frames: Vec<Frame> = messages.map(|stored| live_frame(stored, formats)).collect();
            hub.notify_after(user, hub::MessageId(of_user.previous.0), &frames);
        }
    }
}

fn live_frame(stored: &Stored, formats: Formats) -> Frame {
    let message = &stored.message;
    let is_large = message.text_bytes() > LIVE_BYTES;
    let frame = if is_large { unencoded(message) } else { frame(message, formats) };
    frame.with_received_at(stored.received_at)
}

/// The message in no format.
fn unencoded(message: &Message) -> Frame {
    Frame::unencoded(hub::MessageId(message.id.0))
        .with_subject(hub::ApplicationId(message.application_id.0), message.priority)
}

/// How messages go from node to node: as JSON, which streams mostly get as it is.
#[cfg(feature = "cluster")]
#[derive(Debug)]
pub(crate) struct JsonCodec;

#[cfg(feature = "cluster")]
impl crate::cluster::MessageCodec for JsonCodec {
    fn encode(&self, message: &Message) -> Vec<u8> {
        encode_json(message)
    }

    fn decode(&self, mut frame: Frame, encoded: &bytes::Bytes, formats: Formats) -> Frame {
        if formats.contains(Format::Event) {
            frame = frame.with_event(encoded);
        }
        if formats.contains(Format::Text) {
            frame = frame.with_text(&[encoded, &b"\n"[..]].concat());
        }
        if formats.contains(Format::Binary)
            && let Ok(message) = serde_json::from_slice(encoded)
        {
            frame = frame.with_binary(&protobuf::encode(&message));
        }
        frame
    }
}

/// A text frame with the message as JSON, and a line feed as Gotify sends it; an event with the message as
/// JSON; a binary frame with Protocol Buffers.
fn frame(message: &Message, formats: Formats) -> Frame {
    let mut frame = unencoded(message);
    if formats.contains(Format::Text) || formats.contains(Format::Event) {
        let mut json = encode_json(message);
        if formats.contains(Format::Event) {
            frame = frame.with_event(&json);
        }
        if formats.contains(Format::Text) {
            json.push(b'\n');
            frame = frame.with_text(&json);
        }
    }
    if formats.contains(Format::Binary) {
        frame = frame.with_binary(&protobuf::encode(message));
    }
    frame
}

impl fmt::Debug for StoredBacklog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredBacklog").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use tokio::time::Instant;

    use super::*;
    use crate::model::ApplicationId;

    fn stored(text: String, extras: Option<serde_json::Value>) -> Stored {
        let message = Message {
            id: MessageId(3),
            application_id: ApplicationId(1),
            message: text,
            title: "t".to_owned(),
            priority: 5,
            extras: extras.and_then(|extras| extras.as_object().cloned()),
            date: DateTime::UNIX_EPOCH.fixed_offset(),
        };
        Stored { user_id: UserId(1), message: Arc::new(message), received_at: Instant::now() }
    }

    #[tokio::test]
    async fn a_large_message_is_left_to_the_store_whatever_makes_it_large() {
        let (small, large) = ("x".repeat(LIVE_BYTES / 2), "x".repeat(LIVE_BYTES));
        let extras = |text: &str| Some(serde_json::json!({ "a::b": { "c": [text] } }));
        for (stored, is_encoded) in [
            (stored(small.clone(), None), true),
            (stored("m".to_owned(), extras(&small)), true),
            (stored(large.clone(), None), false),
            (stored("m".to_owned(), extras(&large)), false),
            (stored(small.clone(), extras(&small)), false),
        ] {
            let frame = live_frame(&stored, Format::Text.into());
            assert_eq!(frame.bytes(Format::Text).is_some(), is_encoded);
            assert_eq!((frame.id.0, frame.priority), (3, 5), "what filters choose by is there");
        }
    }
}
