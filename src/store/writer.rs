//! The group-commit writer: whatever messages wait become one transaction.
//!
//! One task takes messages from a bounded queue. While the database commits a batch the next one gathers in
//! the queue, so batches grow with the load by themselves and a lone message waits for nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Database, NewMessage, PublishError, PublishObserver, PublishOutcome, StoreError, Stored};
use crate::model::{Message, MessageId};

/// Messages that wait for the writer; a sender that comes when the queue is full waits for a place.
pub(super) const QUEUE_MESSAGES: usize = 1024;

/// Most messages in one transaction.
const BATCH_MESSAGES: usize = 256;

/// A batch that has so many bytes takes no further message.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Gets what a commit has stored.
type OnCommit = Box<dyn Fn(&[Stored]) + Send + Sync>;

/// Who is told of what the writer does.
pub(super) struct Told {
    pub(super) on_commit: OnCommit,
    pub(super) observer: Arc<dyn PublishObserver>,
}

/// The part of a database that the writer needs.
pub(super) trait InsertMessages: Send + Sync {
    /// As [`Database::insert_messages`].
    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Vec<MessageId>, StoreError>>;
}

impl InsertMessages for Arc<dyn Database> {
    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Vec<MessageId>, StoreError>> {
        self.insert_messages(messages)
    }
}

/// A message on its way to the database, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) message: NewMessage,
    pub(super) reply: oneshot::Sender<Result<Arc<Message>, PublishError>>,
    pub(super) received_at: Instant,
}

/// Writes until every sender of the queue is gone and the queue is empty.
pub(super) async fn run(database: impl InsertMessages, mut queue: mpsc::Receiver<Job>, told: Told) {
    let mut batch = Batch::default();
    while batch.gather(&mut queue).await {
        let began_at = Instant::now();
        let inserted = batch.insert(&database).await;
        tell(|| batch.report(&*told.observer, began_at, inserted.is_ok()));
        match inserted {
            Ok(ids) => {
                let stored = batch.acknowledge(ids);
                tell(|| (told.on_commit)(&stored));
            }
            Err(error) => batch.refuse(&error),
        }
    }
}

/// Tells somebody. A panic of theirs is their own defect: the messages are stored, and more will come.
fn tell(what: impl FnOnce()) {
    if std::panic::catch_unwind(AssertUnwindSafe(what)).is_err() {
        tracing::error!("an observer of commits panicked");
    }
}

/// The messages of one transaction, each with its reply and its time at the same place.
#[derive(Debug, Default)]
struct Batch {
    messages: Vec<NewMessage>,
    received_at: Vec<Instant>,
    replies: Vec<oneshot::Sender<Result<Arc<Message>, PublishError>>>,
}

impl Batch {
    /// Waits for a message and takes what waits behind it; false when there will be none.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Job>) -> bool {
        let Some(first) = queue.recv().await else { return false };
        let mut bytes = self.push(first);
        while self.messages.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
            match queue.try_recv() {
                Ok(job) => bytes += self.push(job),
                Err(_) => break,
            }
        }
        true
    }

    /// Adds a message and returns about how many bytes it has.
    fn push(&mut self, job: Job) -> usize {
        let Job { message, reply, received_at } = job;
        let extras = message.extras.iter().flatten().map(|(key, value)| key.len() + weight(value));
        let bytes = message.message.len() + message.title.len() + extras.sum::<usize>();
        self.messages.push(message);
        self.received_at.push(received_at);
        self.replies.push(reply);
        bytes
    }

    async fn insert(&self, database: &impl InsertMessages) -> Result<Vec<MessageId>, PublishError> {
        match AssertUnwindSafe(async { database.insert(&self.messages).await }).catch_unwind().await {
            Ok(Ok(ids)) if ids.len() == self.messages.len() => Ok(ids),
            Ok(Ok(ids)) => {
                tracing::error!(messages = self.messages.len(), ids = ids.len(), "ids don't match messages");
                Err(PublishError::Interrupted)
            }
            Ok(Err(error)) => Err(PublishError::Store(Arc::new(error))),
            Err(_) => {
                tracing::error!(messages = self.messages.len(), "the database panicked");
                Err(PublishError::Interrupted)
            }
        }
    }

    /// Tells how the transaction went, and each of its messages.
    fn report(&self, observer: &dyn PublishObserver, began_at: Instant, is_stored: bool) {
        let now = Instant::now();
        let outcome = if is_stored { PublishOutcome::Stored } else { PublishOutcome::Failed };
        observer.on_commit(self.messages.len(), now - began_at);
        for &received_at in &self.received_at {
            observer.on_publish(outcome, now - received_at);
        }
    }

    /// Answers every sender with its message, and returns what was stored in the order of ids.
    fn acknowledge(&mut self, ids: Vec<MessageId>) -> Vec<Stored> {
        let jobs = self.messages.drain(..).zip(self.received_at.drain(..)).zip(self.replies.drain(..));
        let stored = jobs.zip(ids).map(|(((new, received_at), reply), id)| {
            let stored = Stored::new(id, new, received_at);
            // A sender that went away has nobody to tell.
            let _ = reply.send(Ok(Arc::clone(&stored.message)));
            stored
        });
        stored.collect()
    }

    /// Answers every sender with the error.
    fn refuse(&mut self, error: &PublishError) {
        self.messages.clear();
        self.received_at.clear();
        for reply in self.replies.drain(..) {
            let _ = reply.send(Err(error.clone()));
        }
    }
}

/// About how many bytes a value has as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(weight).sum::<usize>() + 2,
        Value::Object(values) => values.iter().map(|(key, value)| key.len() + 4 + weight(value)).sum(),
    }
}

#[cfg(test)]
mod tests;
