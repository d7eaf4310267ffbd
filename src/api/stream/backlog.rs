//! From stored messages to frames: those that were just committed, and those that a stream missed.

use std::{fmt, sync::Arc};

use crate::{
    api::{encode_json, protobuf},
    hub::{self, Backlog, BacklogError, BacklogFuture, BacklogPage, Format, Formats, Frame, Hub},
    model::{Message, MessageId, UserId},
    store::{Database, Stored},
};

/// Messages that one query asks for, so that very large ones don't come all at once.
const MESSAGES_A_QUERY: usize = 32;

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
            let mut page = BacklogPage::default();
            let (mut after, mut bytes) = (MessageId(after.0), 0);
            while page.frames.len() < limit && bytes < max_bytes {
                let count = MESSAGES_A_QUERY.min(limit - page.frames.len());
                let messages = self
                    .database
                    .messages_after(UserId(user.0), after, count)
                    .await
                    .map_err(|error| BacklogError(error.into()))?;
                page.complete = messages.len() < count;
                for message in &messages {
                    let frame = frame(message, format.into());
                    bytes += frame.size();
                    page.frames.push(frame);
                    after = message.id;
                }
                if page.complete {
                    break;
                }
            }
            Ok(page)
        })
    }
}

/// Brings the messages of one commit to their users' streams, in the order of their ids. A message is encoded once for
/// each format that somebody listens in: not at all if nobody does.
pub fn announce(hub: &Hub, stored: &[Stored]) {
    let mut users: Vec<UserId> = stored.iter().map(|stored| stored.user_id).collect();
    users.sort_unstable();
    users.dedup();
    for user_id in users {
        let user = hub::UserId(user_id.0);
        let formats = hub.formats(user);
        if !formats.is_empty() {
            let of_user = stored.iter().filter(|stored| stored.user_id == user_id);
            let frames: Vec<Frame> = of_user
                .map(|stored| frame(&stored.message, formats).with_received_at(stored.received_at))
                .collect();
            hub.notify(user, &frames);
        }
    }
}

/// A text frame with the message as JSON, and a line feed as Gotify sends it; a binary frame with Protocol Buffers.
fn frame(message: &Message, formats: Formats) -> Frame {
    let mut frame = Frame::unencoded(hub::MessageId(message.id.0));
    if formats.contains(Format::Text) {
        let mut json = encode_json(message);
        json.push(b'\n');
        frame = frame.with_text(&json);
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
