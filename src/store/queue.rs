//! The way to the writer: a queue that is bounded in messages and in bytes, and how long a message may take.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::{NewMessage, PublishError, PublishObserver, PublishOutcome};
use crate::model::{Message, extras_bytes};

/// Messages that wait for the writer; a sender that comes when the queue is full waits for a place.
pub(super) const QUEUE_MESSAGES: usize = 1024;

/// Bytes of large messages that wait for the writer. A larger message waits until no other large one does.
pub(super) const QUEUE_BYTES: usize = 4 * 1024 * 1024;

/// Up to so many bytes a message is small, and only its place counts: a queue full of them has 4 MiB too.
const SMALL_BYTES: usize = QUEUE_BYTES / QUEUE_MESSAGES;

/// How long a sender waits at most: until its stored bytes are counted where they are limited, for a place in the queue,
/// in the queue, and for the transaction.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Whether a job is in the queue.
type Enqueued = Result<(), PublishError>;

/// A message on its way to the database, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) message: NewMessage,
    /// About how many bytes the message has.
    pub(super) bytes: usize,
    /// A large message's share of the queue's bytes.
    share: Option<OwnedSemaphorePermit>,
    pub(super) reply: oneshot::Sender<Result<Arc<Message>, PublishError>>,
    pub(super) received_at: Instant,
}

impl Job {
    pub(super) fn new(
        message: NewMessage,
        reply: oneshot::Sender<Result<Arc<Message>, PublishError>>,
        received_at: Instant,
    ) -> Self {
        let bytes = message.message.len() + message.title.len() + extras_bytes(message.extras.as_ref());
        Self { message, bytes, share: None, reply, received_at }
    }

    /// Whether its sender has given up by now.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        now >= self.received_at + PATIENCE
    }
}

/// The senders' end of the queue.
pub(super) struct Queue {
    /// Taken out when it is closed, so that the writer sees the end of it.
    sender: Mutex<Option<mpsc::Sender<Job>>>,
    free_bytes: Arc<Semaphore>,
    observer: Arc<dyn PublishObserver>,
}

impl Queue {
    /// Makes a queue, and returns the writer's end of it too.
    pub(super) fn new(observer: Arc<dyn PublishObserver>) -> (Self, mpsc::Receiver<Job>) {
        let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
        let free_bytes = Arc::new(Semaphore::new(QUEUE_BYTES));
        (Self { sender: Mutex::new(Some(sender)), free_bytes, observer }, receiver)
    }

    /// Whether messages are taken, and somebody takes them out.
    pub(super) fn is_open(&self) -> bool {
        self.sender.lock().as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Counts the messages that wait.
    pub(super) fn len(&self) -> usize {
        self.sender.lock().as_ref().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// Gives a message to the writer, which came at that time. The future waits until the message is durable, and does not hold it meanwhile.
    pub(super) fn publish(
        &self,
        message: NewMessage,
        received_at: Instant,
    ) -> impl Future<Output = Result<Arc<Message>, PublishError>> {
        let (reply, answer) = oneshot::channel();
        let enqueued = self.enqueue(Job::new(message, reply, received_at));
        async move {
            enqueued.await.inspect_err(|error| {
                let is_late = matches!(error, PublishError::TimedOut);
                let outcome = if is_late { PublishOutcome::Failed } else { PublishOutcome::Refused };
                self.observer.on_publish(outcome, received_at.elapsed());
            })?;
            // The writer tells the observer what comes of it, whether or not that is in time.
            match timeout_at(received_at + PATIENCE, answer).await {
                Ok(answered) => answered.unwrap_or(Err(PublishError::Interrupted)),
                Err(_) => Err(PublishError::TimedOut),
            }
        }
    }

    /// Takes no more messages; those that are in the queue are written.
    pub(super) fn close(&self) {
        self.sender.lock().take();
    }

    /// Puts a job into the queue. Waiting is in a box: it is rare, and would make the future of every publish four
    /// times as large.
    fn enqueue(&self, job: Job) -> Either<Ready<Enqueued>, BoxFuture<'_, Enqueued>> {
        // Dropped at the end: the writer must see the queue's end as soon as the message is in it.
        let Some(sender) = self.sender.lock().clone() else {
            return Either::Left(ready(Err(PublishError::ShutDown)));
        };
        if job.bytes > SMALL_BYTES {
            return Either::Right(self.enqueue_large(sender, job).boxed());
        }
        match sender.try_send(job) {
            Ok(()) => Either::Left(ready(Ok(()))),
            Err(TrySendError::Full(job)) => Either::Right(self.wait_for_place(sender, job).boxed()),
            Err(TrySendError::Closed(_)) => Either::Left(ready(Err(PublishError::ShutDown))),
        }
    }

    async fn enqueue_large(&self, sender: mpsc::Sender<Job>, mut job: Job) -> Enqueued {
        job.share = Some(self.reserve(&job).await?);
        match sender.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(job)) => self.wait_for_place(sender, job).await,
            Err(TrySendError::Closed(_)) => Err(PublishError::ShutDown),
        }
    }

    async fn wait_for_place(&self, sender: mpsc::Sender<Job>, job: Job) -> Enqueued {
        self.observer.on_queue_full();
        let deadline = job.received_at + PATIENCE;
        let sent = timeout_at(deadline, sender.send(job)).await.map_err(|_| PublishError::TimedOut)?;
        sent.map_err(|_| PublishError::ShutDown)
    }

    /// Waits until the queue has room for a large message. Those that wait are served in their order.
    async fn reserve(&self, job: &Job) -> Result<OwnedSemaphorePermit, PublishError> {
        let bytes = u32::try_from(job.bytes.min(QUEUE_BYTES)).unwrap_or(u32::MAX);
        if let Ok(share) = Arc::clone(&self.free_bytes).try_acquire_many_owned(bytes) {
            return Ok(share);
        }
        self.observer.on_queue_full();
        let reserved = Arc::clone(&self.free_bytes).acquire_many_owned(bytes);
        let reserved =
            timeout_at(job.received_at + PATIENCE, reserved).await.map_err(|_| PublishError::TimedOut)?;
        Ok(reserved.expect("the semaphore is never closed"))
    }
}
