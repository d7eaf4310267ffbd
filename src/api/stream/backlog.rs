//! From stored messages to frames: those that were just committed, and those that a stream missed.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use crate::{
    api::{encode_json, protobuf},
    cluster::Cluster,
    hub::{self, Backlog, BacklogError, BacklogFuture, BacklogPage, Format, Formats, Frame, Hub},
    model::{Message, MessageId, UserId},
    store::{Commit, Database, Slice, StoreError, Stored, UserCommit},
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
        announce_here(hub, of_user, None);
    }
}

/// As [`announce`], and tells other nodes. Other nodes get the same JSON as the streams here.
pub(crate) fn announce_everywhere(hub: &Hub, cluster: &Cluster, commit: &Commit) {
    for of_user in commit.users() {
        let is_small = |stored: &Stored| stored.message.text_bytes() <= LIVE_BYTES;
        let is_carried = cluster.carries_messages() && of_user.messages.iter().all(is_small);
        let json = |stored: &Stored| Bytes::from(encode_json(&*stored.message));
        let json: Option<Vec<Bytes>> = is_carried.then(|| of_user.messages.iter().map(json).collect());
        announce_here(hub, of_user, json.as_deref());
        cluster.announce(of_user, json.as_deref().unwrap_or_default());
    }
}

/// Brings messages to the streams on this node. `json` has them in JSON, if that is made already.
fn announce_here(hub: &Hub, of_user: UserCommit<'_>, json: Option<&[Bytes]>) {
    let user = hub::UserId(of_user.user_id.0);
    let formats = hub.formats(user);
    // Who registers after this reads from the store where to begin, and the messages are there.
    if formats.is_empty() {
        return;
    }
    let frames: Vec<Frame> = match json {
        None => of_user.messages.iter().map(|stored| live_frame(stored, formats)).collect(),
        Some(json) => {
            let messages = of_user.messages.iter().zip(json);
            messages.map(|(stored, json)| encoded_frame(stored, json, formats)).collect()
        }
    };
    hub.notify_after(user, hub::MessageId(of_user.previous.0), &frames);
}

fn encoded_frame(stored: &Stored, json: &Bytes, formats: Formats) -> Frame {
    let message = &stored.message;
    let mut frame = with_json(unencoded(message), json.to_vec(), formats);
    if formats.contains(Format::Binary) {
        frame = frame.with_binary(&protobuf::encode(message));
    }
    frame.with_received_at(stored.received_at)
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

/// Adds a message that another node has sent to a frame that says which it is. A format that it can't be made in is left
/// out: streams read the message from the store.
#[cfg(feature = "cluster")]
pub(crate) fn frame_of_another_node(frame: Frame, json: &Bytes, formats: Formats) -> Frame {
    let frame = with_json(frame, json.to_vec(), formats);
    if formats.contains(Format::Binary)
        && let Ok(message) = serde_json::from_slice(json)
    {
        return frame.with_binary(&protobuf::encode(&message));
    }
    frame
}

/// The message in these formats; in binary frames with Protocol Buffers.
fn frame(message: &Message, formats: Formats) -> Frame {
    let mut frame = unencoded(message);
    if formats.contains(Format::Text) || formats.contains(Format::Event) {
        frame = with_json(frame, encode_json(message), formats);
    }
    if formats.contains(Format::Binary) {
        frame = frame.with_binary(&protobuf::encode(message));
    }
    frame
}

/// Adds the formats that have JSON: a text frame with a line feed as Gotify sends it, and an event.
fn with_json(mut frame: Frame, mut json: Vec<u8>, formats: Formats) -> Frame {
    if formats.contains(Format::Event) {
        frame = frame.with_event(&json);
    }
    if formats.contains(Format::Text) {
        json.push(b'\n');
        frame = frame.with_text(&json);
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
