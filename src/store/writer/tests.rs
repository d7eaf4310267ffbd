//! The writer over a database that the test holds up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::*;
use crate::model::{ApplicationId, MessageId, UserId};
use crate::store::queue::{PATIENCE, QUEUE_BYTES, QUEUE_MESSAGES, Queue};

mod returning;

type Answer = oneshot::Receiver<Result<Arc<Message>, PublishError>>;

/// A database that commits when it is let, and notes how large the batches were.
#[derive(Clone)]
struct Gated(Arc<GatedInner>);

struct GatedInner {
    begun: Semaphore,
    gate: Semaphore,
    last_id: AtomicU64,
    batches: Mutex<Vec<usize>>,
}

impl Gated {
    fn new(permits: usize) -> Self {
        Self(Arc::new(GatedInner {
            begun: Semaphore::new(0),
            gate: Semaphore::new(permits),
            last_id: AtomicU64::new(0),
            batches: Mutex::default(),
        }))
    }

    fn batches(&self) -> Vec<usize> {
        self.0.batches.lock().clone()
    }
}

impl InsertMessages for Gated {
    fn long_transaction(&self) -> Duration {
        Duration::MAX
    }

    /// Fails for a message `fail`, panics for a message `panic`, loses the outcome of a message `lose`, refuses a
    /// message `refuse`, and lacks the application of a message `orphan`.
    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        let any = |text: &str| messages.iter().any(|new| new.message == text);
        assert!(!any("panic"), "as asked");
        Box::pin(async move {
            self.0.batches.lock().push(messages.len());
            self.0.begun.add_permits(1);
            self.0.gate.acquire().await.unwrap().forget();
            if any("fail") {
                return Err(StoreError::Unavailable { operation: "insert messages", source: "full".into() });
            }
            let mut inserted = Inserted::default();
            let last = self.0.last_id.load(Ordering::Relaxed);
            for new in messages {
                inserted.outcomes.push(match new.message.as_str() {
                    "lose" => continue,
                    "orphan" => InsertOutcome::NoSuchApplication,
                    "refuse" => InsertOutcome::Refused(StoreError::Conflict { what: "value" }),
                    _ => InsertOutcome::Stored(MessageId(self.0.last_id.fetch_add(1, Ordering::Relaxed) + 1)),
                });
                inserted.previous = vec![(UserId(7), MessageId(last))];
            }
            Ok(inserted)
        })
    }
}

fn message(text: &str) -> NewMessage {
    NewMessage {
        user_id: UserId(7),
        application_id: ApplicationId(1),
        message: text.to_owned(),
        title: String::new(),
        priority: 0,
        extras: None,
        date: chrono::DateTime::UNIX_EPOCH.fixed_offset(),
    }
}

/// Queues messages without waiting.
fn queue(sender: &mpsc::Sender<Job>, texts: &[&str]) -> Vec<Answer> {
    let enqueue = |text: &&str| {
        let (reply, answer) = oneshot::channel();
        sender.try_send(Job::new(message(text), reply, Instant::now())).unwrap();
        answer
    };
    texts.iter().map(enqueue).collect()
}

/// Tells only this of commits.
fn observers_with(on_commit: impl Fn(&Commit) + Send + Sync + 'static) -> WriterObservers {
    WriterObservers { on_commit: Box::new(on_commit), observer: Arc::new(()) }
}

/// Runs the writer on what is queued, to its end, and returns what the observer was seen.
async fn run_to_end(database: Gated, receiver: mpsc::Receiver<Job>) -> Vec<Commit> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let observer = Arc::clone(&seen);
    run(database, receiver, observers_with(move |commit| observer.lock().push(commit.clone()))).await;
    Arc::try_unwrap(seen).unwrap().into_inner()
}

#[tokio::test]
async fn what_waits_while_a_batch_commits_becomes_the_next_batch() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let database = Gated::new(0);
    let writer = tokio::spawn(run_to_end(database.clone(), receiver));
    let mut answers = queue(&sender, &["first"]);
    database.0.begun.acquire().await.unwrap().forget();
    answers.extend(queue(&sender, &["later"; 64]));
    drop(sender);
    database.0.gate.add_permits(2);
    let seen = writer.await.unwrap();
    assert_eq!(database.batches(), [1, 64]);
    let previous = |commit: &Commit| commit.users().map(|user| user.previous.0).collect::<Vec<_>>();
    assert_eq!(seen.iter().map(previous).collect::<Vec<_>>(), [[0], [1]]);
    assert_eq!(seen.iter().map(|commit| commit.messages().len()).collect::<Vec<_>>(), [1, 64]);
    let seen: Vec<_> = seen.iter().flat_map(Commit::messages).collect();
    assert_eq!(
        seen.iter().map(|stored| stored.message.id.0).collect::<Vec<_>>(),
        (1..=65).collect::<Vec<_>>()
    );
    for (answer, stored) in answers.into_iter().zip(seen) {
        assert!(Arc::ptr_eq(&answer.await.unwrap().unwrap(), &stored.message));
        assert_eq!(stored.user_id, UserId(7));
    }
}

#[tokio::test]
async fn a_batch_has_a_bound_in_messages_and_in_bytes() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let _answers = queue(&sender, &["x"; 300]);
    let large = "x".repeat(BATCH_BYTES / 2);
    let _more = queue(&sender, &[large.as_str(); 5]);
    drop(sender);
    let database = Gated::new(100);
    run_to_end(database.clone(), receiver).await;
    // The first large message still fits behind the 44 that were left, and fills the batch with a second one.
    assert_eq!(database.batches(), [256, 46, 2, 1]);
}

#[test]
fn extras_count_as_bytes() {
    let (reply, _answer) = oneshot::channel();
    let mut message = message("12345");
    let extras = serde_json::json!({ "k": ["x".repeat(1000), { "y": "z".repeat(500) }, 5, null] });
    message.extras = extras.as_object().cloned();
    let bytes = Batch::default().push(Job::new(message, reply, Instant::now()));
    assert!((1500..1600).contains(&bytes), "{bytes}");
}

#[tokio::test]
async fn a_batch_that_fails_answers_every_sender_and_the_writer_goes_on() {
    for (poison, batches, unavailable) in
        [("fail", vec![3, 1], true), ("panic", vec![1], false), ("lose", vec![3, 1], false)]
    {
        let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
        let database = Gated::new(100);
        let answers = queue(&sender, &["a", poison, "b"]);
        let writer = tokio::spawn(run_to_end(database.clone(), receiver));
        for answer in answers {
            let error = answer.await.unwrap().unwrap_err();
            assert_eq!(error.is_unavailable(), unavailable, "{error:?}");
        }
        let after = queue(&sender, &["after"]);
        drop(sender);
        let seen = writer.await.unwrap();
        assert_eq!(database.batches(), batches);
        assert_eq!(seen.len(), 1, "only the batch that was stored is seen");
        for answer in after {
            assert_eq!(answer.await.unwrap().unwrap().message, "after");
        }
    }
}

#[tokio::test]
async fn a_message_that_is_refused_fails_alone() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let answers = queue(&sender, &["a", "refuse", "b", "orphan"]);
    drop(sender);
    let seen = run_to_end(Gated::new(1), receiver).await;
    let answers: Vec<_> = join_all(answers).await.into_iter().map(Result::unwrap).collect();
    let (Ok(a), Ok(b)) = (&answers[0], &answers[2]) else { panic!("{answers:?}") };
    assert!(matches!(&answers[1], Err(PublishError::Store(_))), "{answers:?}");
    assert!(matches!(&answers[3], Err(PublishError::NoSuchApplication)), "{answers:?}");
    let seen: Vec<_> = seen.iter().flat_map(Commit::messages).map(|stored| &stored.message).collect();
    assert_eq!(seen, [a, b]);
}

#[tokio::test]
async fn a_transaction_that_stores_nothing_is_not_announced() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let _answers = queue(&sender, &["orphan", "refuse"]);
    drop(sender);
    assert!(run_to_end(Gated::new(1), receiver).await.is_empty());
}

#[tokio::test]
async fn senders_are_answered_before_the_observer_is_informed() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let answers = Mutex::new(queue(&sender, &["a", "b", "c"]));
    drop(sender);
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let observer = move |commit: &Commit| {
        for (answer, stored) in answers.lock().iter_mut().zip(commit.messages()) {
            assert_eq!(answer.try_recv().unwrap().unwrap(), stored.message);
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    run(Gated::new(1), receiver, observers_with(observer)).await;
    assert_eq!(seen.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_panic_of_the_observer_does_not_end_the_writer() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let writer = tokio::spawn(run(Gated::new(2), receiver, observers_with(|_| panic!("as asked"))));
    for text in ["a", "b"] {
        for answer in queue(&sender, &[text]) {
            assert_eq!(answer.await.unwrap().unwrap().message, text);
        }
    }
    drop(sender);
    writer.await.unwrap();
}

#[tokio::test]
async fn a_sender_that_went_away_does_not_matter() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    drop(queue(&sender, &["a", "b"]));
    drop(sender);
    let seen = run_to_end(Gated::new(1), receiver).await;
    assert_eq!(seen.iter().map(|commit| commit.messages().len()).sum::<usize>(), 2);
}

/// Notes what it is seen.
#[derive(Default)]
struct Notes {
    commits: Mutex<Vec<usize>>,
    outcomes: Mutex<Vec<PublishOutcome>>,
    panics: Mutex<Vec<&'static str>>,
    waits: AtomicU64,
}

impl PublishObserver for Notes {
    fn on_publish(&self, outcome: PublishOutcome, _: std::time::Duration) {
        self.outcomes.lock().push(outcome);
    }

    fn on_commit(&self, messages: usize, _: std::time::Duration) {
        self.commits.lock().push(messages);
    }

    fn on_queue_full(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    fn on_panic(&self, part: &'static str) {
        self.panics.lock().push(part);
    }
}

#[tokio::test]
async fn the_observer_is_informed_of_each_commit_and_each_message() {
    let notes = Arc::new(Notes::default());
    for texts in [["a", "b"], ["fail", "c"]] {
        let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
        let _answers = queue(&sender, &texts);
        drop(sender);
        let observer = Arc::clone(&notes) as Arc<dyn PublishObserver>;
        run(Gated::new(1), receiver, WriterObservers { on_commit: Box::new(|_| {}), observer }).await;
    }
    assert_eq!(*notes.commits.lock(), [2, 2]);
    let (stored, failed) = (PublishOutcome::Stored, PublishOutcome::Failed);
    assert_eq!(*notes.outcomes.lock(), [stored, stored, failed, failed]);
}

/// A writer over that database, and who is seen.
fn watched(
    database: &Gated,
    on_commit: impl Fn(&Commit) + Send + Sync + 'static,
) -> (Arc<Queue>, Arc<Notes>) {
    let notes = Arc::new(Notes::default());
    let observer = Arc::clone(&notes) as Arc<dyn PublishObserver>;
    let (queue, jobs) = Queue::new(Arc::clone(&observer));
    tokio::spawn(run(database.clone(), jobs, WriterObservers { on_commit: Box::new(on_commit), observer }));
    (Arc::new(queue), notes)
}

#[tokio::test(start_paused = true)]
async fn senders_wait_for_a_database_that_does_not_answer_together_not_one_after_the_other() {
    let database = Gated::new(0);
    let seen = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let count = move |commit: &Commit| {
        counter.fetch_add(commit.messages().len() as u64, Ordering::Relaxed);
    };
    let (queue, notes) = watched(&database, count);
    let first = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.publish(message("first"), Instant::now()).await }
    });
    database.0.begun.acquire().await.unwrap().forget();
    // More than the queue has places for.
    let senders =
        join_all((0..QUEUE_MESSAGES + 100).map(|_| queue.publish(message("later"), Instant::now())));
    let answers = tokio::time::timeout(PATIENCE * 2, senders).await.expect("all of them are answered");
    assert!(answers.iter().all(|answer| matches!(answer, Err(PublishError::TimedOut))), "{answers:?}");
    assert!(matches!(first.await.unwrap(), Err(PublishError::TimedOut)));

    // The transaction that was under way is stored and announced; what had only waited is not.
    database.0.gate.add_permits(10);
    assert_eq!(queue.publish(message("after"), Instant::now()).await.unwrap().message, "after");
    assert_eq!(database.batches(), [1, 1]);
    queue.close();
    yield_now().await;
    assert_eq!(seen.load(Ordering::Relaxed), 2);
    let failed = notes.outcomes.lock().iter().filter(|&&outcome| outcome == PublishOutcome::Failed).count();
    assert_eq!(failed, QUEUE_MESSAGES + 100);
}

#[tokio::test(start_paused = true)]
async fn large_messages_wait_outside_the_queue_once_its_bytes_are_taken() {
    let database = Gated::new(0);
    let (queue, notes) = watched(&database, |_| {});
    let publish = |text: String| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.publish(message(&text), Instant::now()).await })
    };
    let mut senders = vec![publish("first".to_owned())];
    database.0.begun.acquire().await.unwrap().forget();
    // Two halves fill the queue, and what is larger than the queue is still let in, alone.
    for bytes in [QUEUE_BYTES / 2, QUEUE_BYTES / 2, QUEUE_BYTES * 2, QUEUE_BYTES / 2] {
        senders.push(publish("x".repeat(bytes)));
        yield_now().await;
    }
    assert_eq!(notes.waits.load(Ordering::Relaxed), 2, "two found the queue full");
    senders.push(publish("small messages do not wait for bytes".to_owned()));
    yield_now().await;
    assert_eq!(notes.waits.load(Ordering::Relaxed), 2);
    database.0.gate.add_permits(10);
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    assert_eq!(database.batches().iter().sum::<usize>(), 6);

    // Once nothing moves, who waits for bytes is refused with the others, and gives up its turn.
    database.0.gate.forget_permits(10);
    let stuck: Vec<_> = (0..9).map(|_| publish("x".repeat(QUEUE_BYTES))).collect();
    let answers =
        tokio::time::timeout(PATIENCE * 2, join_all(stuck)).await.expect("all of them are answered");
    assert!(answers.into_iter().all(|answer| matches!(answer.unwrap(), Err(PublishError::TimedOut))));
    database.0.gate.add_permits(10);
    assert_eq!(queue.publish(message("after"), Instant::now()).await.unwrap().message, "after");
}

/// Panics where it is woken.
struct Bomb;

impl std::task::Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("as asked");
    }
}

#[tokio::test]
async fn a_writer_that_panics_is_reported_and_goes_on() {
    let database = Gated::new(0);
    let (queue, notes) = watched(&database, |_| panic!("as asked"));
    let mut doomed = Box::pin(queue.publish(message("doomed"), Instant::now()));
    let waker = Arc::new(Bomb).into();
    let pending = doomed.as_mut().poll(&mut std::task::Context::from_waker(&waker));
    assert!(pending.is_pending());
    database.0.begun.acquire().await.unwrap().forget();
    database.0.gate.add_permits(10);
    for text in ["a", "b"] {
        assert_eq!(queue.publish(message(text), Instant::now()).await.unwrap().message, text);
    }
    assert_eq!(notes.panics.lock()[..2], ["writer", "observer"]);
    assert_eq!(doomed.await.unwrap().message, "doomed", "it was answered before its sender's waker panicked");
}
