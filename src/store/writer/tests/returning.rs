//! Batches that wait for the senders that were answered.

use tokio::time::advance;

use super::*;

/// A database whose transactions take long.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Vec<usize>>>);

impl InsertMessages for Slow {
    fn long_transaction(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.0.lock().push(messages.len());
            let outcomes = messages.iter().map(|_| InsertOutcome::Stored(MessageId(1))).collect();
            Ok(Inserted { outcomes, previous: vec![(UserId(7), MessageId(0))], replaced: Vec::new() })
        })
    }
}

/// Sends `count` messages, each when the one before is stored.
async fn send_in_turn(sender: mpsc::Sender<Job>, count: usize) {
    for _ in 0..count {
        for answer in queue(&sender, &["x"]) {
            answer.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn senders_that_send_again_at_once_share_each_transaction() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let database = Slow::default();
    let writer = tokio::spawn(run(database.clone(), receiver, observers_with(|_| {})));
    let mut senders = Vec::new();
    for _ in 0..8 {
        senders.push(tokio::spawn(send_in_turn(sender.clone(), 20)));
        // The first one is stored while the others gather.
        yield_now().await;
    }
    drop(sender);
    for sender in senders {
        sender.await.unwrap();
    }
    writer.await.unwrap();
    let batches = database.0.lock().clone();
    let whole = batches.iter().filter(|messages| **messages == 8).count();
    assert!(whole >= 18, "{batches:?}");
}

/// A database whose transactions take no longer than some turns of the other tasks.
#[derive(Clone, Default)]
struct Quick(Arc<Mutex<Vec<usize>>>);

impl InsertMessages for Quick {
    fn long_transaction(&self) -> Duration {
        Duration::MAX
    }

    fn insert<'a>(&'a self, messages: &'a [NewMessage]) -> BoxFuture<'a, Result<Inserted, StoreError>> {
        Box::pin(async move {
            for _ in 0..3 {
                yield_now().await;
            }
            self.0.lock().push(messages.len());
            let outcomes = messages.iter().map(|_| InsertOutcome::Stored(MessageId(1))).collect();
            Ok(Inserted { outcomes, previous: vec![(UserId(7), MessageId(0))], replaced: Vec::new() })
        })
    }
}

#[tokio::test]
async fn on_one_core_senders_that_send_again_at_once_share_quick_transactions_too() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let database = Quick::default();
    let writer = tokio::spawn(run(database.clone(), receiver, observers_with(|_| {})));
    let mut senders = Vec::new();
    for _ in 0..2 {
        senders.extend((0..4).map(|_| tokio::spawn(send_in_turn(sender.clone(), 20))));
        // The first four are stored while the others gather.
        yield_now().await;
        yield_now().await;
    }
    drop(sender);
    for sender in senders {
        sender.await.unwrap();
    }
    writer.await.unwrap();
    let batches = database.0.lock().clone();
    let whole = batches.iter().filter(|messages| **messages == 8).count();
    assert!(whole >= 18, "{batches:?}");
}

#[tokio::test(start_paused = true)]
async fn on_one_core_turns_take_no_longer_than_a_transaction() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let mut returning = Returning::after(Duration::MAX);
    // In every turn a message comes, and other tasks have a millisecond's work.
    let others = tokio::spawn(async move {
        loop {
            queue(&sender, &["x"]);
            advance(Duration::from_millis(1)).await;
        }
    });
    for (took, turns) in [(3, 3), (1, 1), (100, 8)] {
        let began_at = Instant::now();
        returning.answered(2, Duration::from_millis(took));
        returning.take_turns(&receiver).await;
        assert_eq!(began_at.elapsed(), Duration::from_millis(turns));
    }
    others.abort();
}

#[tokio::test(start_paused = true)]
async fn senders_that_do_not_return_are_not_waited_for_again_and_again() {
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES);
    let database = Slow::default();
    let writer = tokio::spawn(run(database.clone(), receiver, observers_with(|_| {})));
    let began_at = Instant::now();
    let mut answers = queue(&sender, &["x"; 4]);
    // In the middle of each transaction comes somebody else.
    for middle in (10..).step_by(20).take(10) {
        tokio::time::sleep_until(began_at + Duration::from_millis(middle)).await;
        answers.extend(queue(&sender, &["x"]));
    }
    drop(sender);
    join_all(answers).await;
    writer.await.unwrap();
    // Only the second transaction was waited for, and so it has two messages.
    assert_eq!(*database.0.lock(), [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
}
