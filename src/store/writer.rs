//! The group-commit writer: whatever messages wait become one transaction.
//!
//! One task takes messages from a bounded queue. While the database commits a batch the next one gathers in
//! the queue, so batches grow with the load by themselves and a lone message waits for nothing. Where commits take
//! long, or the runtime has one thread, a batch also waits a moment for the senders that were answered just now, see
//! [`returning`].

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use self::returning::Returning;
use super::queue::Job;
use super::{
    Commit, Database, InsertOutcome, Inserted, NewMessage, PublishError, PublishObserver, PublishOutcome,
    StoreError, Stored,
};
use crate::model::Message;

mod returning;

/// Most messages in one transaction.
const BATCH_MESSAGES: usize = 256;

/// A batch that has so many bytes takes no further message.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Gets what a commit has stored.
type OnCommit = Box<dyn Fn(&Commit) + Send + Sync>;

/// What the writer calls after a commit, and what it reports its outcomes to.
pub(super) struct WriterObservers {
    pub(super) on_commit: OnCommit,
    pub(super) observer: Arc<dyn PublishObserver>,
}

/// The part of a database that the writer needs.
pub(super) trait InsertMessages: Send + Sync {
    /// As [`Messages::long_transaction`](super::Messages::long_transaction).
    fn long_transaction(&self) -> Duration;

    /// As [`Messages::insert_messages`](super::Messages::insert_messages).
    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Inserted, StoreError>>;
}

impl InsertMessages for Arc<dyn Database> {
    fn long_transaction(&self) -> Duration {
        (**self).long_transaction()
    }

    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        self.insert_messages(messages)
    }
}

/// Writes until every sender of the queue is gone and the queue is empty. If it panics it goes on with the next
/// batch; the messages of the one that it had may be stored or not, and the next commit tells that they may be.
pub(super) async fn run(
    database: impl InsertMessages,
    mut queue: mpsc::Receiver<Job>,
    observers: WriterObservers,
) {
    while AssertUnwindSafe(write_all(&database, &mut queue, &observers)).catch_unwind().await.is_err() {
        report_panic(&*observers.observer, "writer");
    }
}

async fn write_all(
    database: &impl InsertMessages,
    queue: &mut mpsc::Receiver<Job>,
    observers: &WriterObservers,
) {
    let observer = &*observers.observer;
    let mut batch = Batch::default();
    let mut returning = Returning::after(database.long_transaction());
    while batch.gather(queue, &mut returning, observer).await {
        let began_at = Instant::now();
        let inserted = batch.insert(database, observer).await;
        let (messages, took) = (batch.messages.len(), began_at.elapsed());
        notify(observer, || observer.on_commit(messages, took));
        match inserted {
            Ok(inserted) => {
                if let Some(commit) = batch.settle(inserted, observer) {
                    notify(observer, || (observers.on_commit)(&commit));
                }
            }
            Err(error) => batch.refuse(&error, observer),
        }
        returning.answered(messages, took);
        returning.take_turns(queue).await;
    }
}

/// Tells somebody. A panic of theirs is their own defect: the messages are stored, and more will come.
fn notify(observer: &dyn PublishObserver, what: impl FnOnce()) {
    if std::panic::catch_unwind(AssertUnwindSafe(what)).is_err() {
        report_panic(observer, "observer");
    }
}

/// The panic hook has said where and why.
fn report_panic(observer: &dyn PublishObserver, part: &'static str) {
    tracing::error!(part, "a part of storing messages panicked, and goes on");
    if std::panic::catch_unwind(AssertUnwindSafe(|| observer.on_panic(part))).is_err() {
        tracing::error!("an observer panicked while it was informed of a panic");
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
    /// Waits for a message and takes what waits behind it, and what comes from senders that return; false when there
    /// will be none.
    async fn gather(
        &mut self,
        queue: &mut mpsc::Receiver<Job>,
        returning: &mut Returning,
        observer: &dyn PublishObserver,
    ) -> bool {
        let expected = returning.expected(queue.len());
        while self.messages.is_empty() {
            let Some(first) = queue.recv().await else { return false };
            let now = Instant::now();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(job) = next {
                if job.is_late(now) {
                    Self::withdraw(job, now, observer);
                } else {
                    bytes += self.push(job);
                }
                next = None;
                if self.messages.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
                    next = queue.try_recv().ok();
                    if let (None, Some((messages, until))) = (&next, expected)
                        && self.messages.len() < messages
                    {
                        next = timeout_at(until, queue.recv()).await.ok().flatten();
                        if next.is_none() {
                            returning.missed(self.messages.len(), messages);
                        }
                    }
                }
            }
        }
        true
    }

    /// Leaves out a message whose sender has been informed that it was not stored in time.
    fn withdraw(job: Job, now: Instant, observer: &dyn PublishObserver) {
        let _ = job.reply.send(Err(PublishError::TimedOut));
        notify(observer, || observer.on_publish(PublishOutcome::Failed, now - job.received_at));
    }

    /// Adds a message and returns about how many bytes it has.
    fn push(&mut self, job: Job) -> usize {
        // Its share of the queue is free from here on.
        let Job { message, bytes, reply, received_at, .. } = job;
        self.messages.push(message);
        self.received_at.push(received_at);
        self.replies.push(reply);
        bytes
    }

    async fn insert(
        &self,
        database: &impl InsertMessages,
        observer: &dyn PublishObserver,
    ) -> Result<Inserted, PublishError> {
        match AssertUnwindSafe(async { database.insert(&self.messages).await }).catch_unwind().await {
            Ok(Ok(inserted)) if inserted.outcomes.len() == self.messages.len() => Ok(inserted),
            Ok(Ok(inserted)) => {
                let (messages, outcomes) = (self.messages.len(), inserted.outcomes.len());
                tracing::error!(messages, outcomes, "the database did not say what came of each message");
                Err(PublishError::Interrupted)
            }
            Ok(Err(error)) => Err(PublishError::Store(Arc::new(error))),
            Err(_) => {
                report_panic(observer, "database");
                Err(PublishError::Interrupted)
            }
        }
    }

    /// Answers every sender with what came of its message, and returns what was stored, if anything was.
    fn settle(&mut self, inserted: Inserted, observer: &dyn PublishObserver) -> Option<Commit> {
        let now = Instant::now();
        let mut stored = Vec::with_capacity(self.messages.len());
        let jobs = self.messages.drain(..).zip(self.received_at.drain(..)).zip(self.replies.drain(..));
        for (((new, received_at), reply), outcome) in jobs.zip(inserted.outcomes) {
            let answer = match outcome {
                InsertOutcome::Stored(id) => {
                    let new = Stored::new(id, new, received_at);
                    let message = Arc::clone(&new.message);
                    stored.push(new);
                    Ok(message)
                }
                InsertOutcome::NoSuchApplication => Err(PublishError::NoSuchApplication),
                InsertOutcome::Refused(error) => Err(PublishError::Store(Arc::new(error))),
            };
            let outcome = if answer.is_ok() { PublishOutcome::Stored } else { PublishOutcome::Failed };
            // A sender that went away has nobody to answer.
            let _ = reply.send(answer);
            notify(observer, || observer.on_publish(outcome, now - received_at));
        }
        (!stored.is_empty()).then(|| Commit::new(stored, inserted.previous).with_replaced(inserted.replaced))
    }

    /// Answers every sender with the error.
    fn refuse(&mut self, error: &PublishError, observer: &dyn PublishObserver) {
        let now = Instant::now();
        self.messages.clear();
        for (reply, received_at) in self.replies.drain(..).zip(self.received_at.drain(..)) {
            let _ = reply.send(Err(error.clone()));
            notify(observer, || observer.on_publish(PublishOutcome::Failed, now - received_at));
        }
    }
}

#[cfg(test)]
mod tests;
