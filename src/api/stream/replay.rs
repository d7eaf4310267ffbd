//! Streams of clients that do not know `since`, and get again what they have not acknowledged.
//!
//! Their pings carry the id of the last message before them, and any WebSocket library answers with the same id: then
//! the client has everything up to that message. It may get a message again that it had, and misses none.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::{ClientFrame, Inbox};
use crate::auth::TokenClient;
use crate::hub::{self, EndReason, Hub, Registration, Stream};
use crate::model::{ClientId, MessageId, UserId};
use crate::store::{Database, MessageChoice, StoreError};
use crate::task;

/// How long acknowledgments gather before they are written in one transaction, and after a failure.
const GATHER: Duration = Duration::from_secs(2);

/// What clients have acknowledged, and the task that writes it down. Dropping the last handle ends the task.
#[derive(Clone)]
pub(crate) struct Replays {
    database: Arc<dyn Database>,
    unwritten: Arc<Unwritten>,
    /// Whether a client replays whose own setting says nothing.
    by_default: bool,
    _task: Arc<AbortOnDropHandle<()>>,
}

/// What the database does not know of yet: one entry per client that has a stream with replay, or had one just now.
#[derive(Default)]
struct Unwritten {
    acknowledged: Mutex<HashMap<ClientId, MessageId>>,
    added: Notify,
}

/// A client with replay, whose stream is about to begin.
pub(super) struct ReplayingClient {
    id: ClientId,
    /// What it had acknowledged before.
    acknowledged: Option<MessageId>,
}

impl Replays {
    pub(crate) fn spawn(database: Arc<dyn Database>, hub: Hub, by_default: bool) -> Self {
        let unwritten = Arc::<Unwritten>::default();
        let task = task::spawn(write_on(Arc::clone(&database), Arc::clone(&unwritten), hub));
        Self { database, unwritten, by_default, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// Returns what is known of this client if it is one with replay.
    pub(super) async fn client(
        &self,
        client: Option<&TokenClient>,
    ) -> Result<Option<ReplayingClient>, StoreError> {
        let replaying = client.filter(|client| client.replay.unwrap_or(self.by_default));
        let Some(id) = replaying.and_then(|client| client.id) else { return Ok(None) };
        let stored = self.database.acknowledged(id).await?;
        let unwritten = self.unwritten.acknowledged.lock().get(&id).copied();
        Ok(Some(ReplayingClient { id, acknowledged: stored.max(unwritten) }))
    }

    /// Returns the message after which such a client's stream begins: what it has acknowledged. One that has missed more
    /// than `limit` messages of those that it asks for can't page for them as others do, so it gets none of them; `None` is the newest message.
    pub(super) async fn begin(
        &self,
        client: &ReplayingClient,
        user: UserId,
        choice: &MessageChoice,
        limit: usize,
    ) -> Result<Option<MessageId>, StoreError> {
        let Some(acknowledged) = client.acknowledged else { return Ok(None) };
        let newest = self.database.head(user).await?.unwrap_or(MessageId(0));
        let count = async || {
            let most = limit.saturating_add(1);
            self.database.count_chosen_messages_after(user, acknowledged, choice, most).await
        };
        if newest.0.saturating_sub(acknowledged.0) > limit as u64 && count().await? > limit {
            tracing::warn!(
                client.id = client.id.0,
                limit,
                "a client with replay has missed more messages than `cluster.resume.maxmessages`: its stream brings new \
                 ones alone"
            );
            return Ok(None);
        }
        Ok(Some(acknowledged))
    }

    /// Lets a stream's pings carry ids; returns what takes its client's answers. Where a client's first stream begins is
    /// as good as acknowledged: it is owed what follows.
    pub(super) fn attend(
        &self,
        client: &ReplayingClient,
        registration: &mut Registration,
    ) -> Acknowledgments {
        registration.ask_for_ids_in_pings();
        let acknowledgments = Acknowledgments { client: client.id, unwritten: Arc::clone(&self.unwritten) };
        if client.acknowledged.is_none() {
            acknowledgments.note(registration.begins_after());
        }
        acknowledgments
    }
}

impl std::fmt::Debug for Replays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replays").field("by_default", &self.by_default).finish_non_exhaustive()
    }
}

/// Takes what the client of one stream acknowledges; what it sends besides is ignored.
pub(super) struct Acknowledgments {
    client: ClientId,
    unwritten: Arc<Unwritten>,
}

impl Acknowledgments {
    fn note(&self, id: hub::MessageId) {
        let id = MessageId(id.0);
        let mut acknowledged = self.unwritten.acknowledged.lock();
        let noted = acknowledged.entry(self.client).or_insert(id);
        *noted = id.max(*noted);
        drop(acknowledged);
        self.unwritten.added.notify_one();
    }
}

impl Inbox for Acknowledgments {
    fn on_data(&mut self, _: ClientFrame, _: &mut Stream) -> Result<(), EndReason> {
        Ok(())
    }

    fn on_acknowledged(&mut self, id: hub::MessageId) {
        self.note(id);
    }
}

/// Writes what is acknowledged, and goes on after a panic.
async fn write_on(database: Arc<dyn Database>, unwritten: Arc<Unwritten>, hub: Hub) {
    while AssertUnwindSafe(write(&*database, &unwritten)).catch_unwind().await.is_err() {
        hub.report_panic("replay");
        // What it had is still to be written.
        unwritten.added.notify_one();
    }
}

async fn write(database: &dyn Database, unwritten: &Unwritten) {
    loop {
        unwritten.added.notified().await;
        sleep(GATHER).await;
        let batch: Vec<_> = unwritten.acknowledged.lock().iter().map(|(&client, &id)| (client, id)).collect();
        if let Err(error) = database.acknowledge(&batch).await {
            tracing::debug!(%error, "failed to note what clients have acknowledged");
            unwritten.added.notify_one();
            continue;
        }
        // But not what was acknowledged since.
        let mut acknowledged = unwritten.acknowledged.lock();
        for (client, id) in batch {
            if acknowledged.get(&client) == Some(&id) {
                acknowledged.remove(&client);
            }
        }
    }
}
