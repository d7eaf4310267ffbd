//! The task on a database in memory, whose clock goes with the runtime's paused time.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use chrono::DateTime;

use super::*;
use crate::store::{KeepMessages, KeptMessages, NewMessage, Stored};

const USER: UserId = UserId(1);
const BACKUP: ApplicationId = ApplicationId(3);
const DOOR: ApplicationId = ApplicationId(4);
const DAY: Duration = Duration::from_hours(24);

fn start() -> Timestamp {
    DateTime::parse_from_rfc3339("2026-11-23T19:26:10+01:00").unwrap()
}

/// Messages of applications, with the ages that they have at the start.
#[derive(Default)]
struct Memory {
    rules: Mutex<Vec<RetentionRule>>,
    messages: Mutex<BTreeMap<(ApplicationId, u64), Timestamp>>,
    looks_at_rules: AtomicUsize,
    counts: AtomicUsize,
    /// Whose messages were deleted, once per round.
    rounds: Mutex<Vec<UserId>>,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Memory {
    fn keep(&self, application_id: ApplicationId, days: u64, newest: u64) {
        let keep = KeepMessages { days, newest };
        self.rules.lock().push(RetentionRule { user_id: USER, application_id, keep });
    }

    fn store(&self, application: ApplicationId, id: u64, age: Duration) {
        self.messages.lock().insert((application, id), start() - age);
    }

    fn ids(&self) -> Vec<u64> {
        self.messages.lock().keys().map(|(_, id)| *id).collect()
    }

    fn looks(&self) -> usize {
        self.looks_at_rules.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Retention for Memory {
    async fn retention_rules(&self) -> Result<Vec<RetentionRule>, StoreError> {
        self.looks_at_rules.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics.swap(false, Ordering::Relaxed), "it panics once");
        if self.fails.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { operation: "look", source: "it is away".into() });
        }
        Ok(self.rules.lock().clone())
    }

    async fn delete_all_but_newest(
        &self,
        application: ApplicationId,
        keep: u64,
    ) -> Result<Option<MessageId>, StoreError> {
        self.counts.fetch_add(1, Ordering::Relaxed);
        let mut messages = self.messages.lock();
        let ids: Vec<_> = messages.keys().filter(|(of, _)| *of == application).map(|key| key.1).collect();
        let surplus = ids.len().saturating_sub(usize::try_from(keep).unwrap());
        let last = ids[..surplus].last().copied();
        messages.retain(|(of, id), _| *of != application || last.is_none_or(|last| *id > last));
        Ok(last.map(MessageId))
    }

    async fn delete_older(
        &self,
        application: ApplicationId,
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError> {
        let mut messages = self.messages.lock();
        let above = messages.iter().filter(|((of, id), _)| *of == application && *id > after.0);
        let (old, new): (Vec<_>, Vec<_>) = above.take(limit).partition(|(_, date)| **date < before);
        let newest_id = new.last().map(|((_, id), _)| MessageId(*id));
        let oldest = new.iter().map(|(_, date)| **date).min();
        let old: Vec<_> = old.into_iter().map(|(key, _)| *key).collect();
        messages.retain(|key, _| !old.contains(key));
        let deleted: Vec<_> = old.into_iter().map(|(_, id)| MessageId(id)).collect();
        Ok(OldMessages {
            deleted: (!deleted.is_empty()).then_some(DeletedMessages::Ids(deleted)),
            kept: newest_id.map(|newest_id| KeptMessages { newest_id, oldest }),
        })
    }
}

/// What was deleted, as it was announced.
type Announced = Arc<Mutex<Vec<(ApplicationId, DeletedMessages)>>>;

fn spawn(memory: &Arc<Memory>, is_shared: bool) -> (RetentionJob, Announced) {
    let began_at = Instant::now();
    let announced = Announced::default();
    let on_deleted = {
        let announced = Arc::clone(&announced);
        Box::new(move |user, application, deleted| {
            assert_eq!(user, USER);
            announced.lock().push((application, deleted));
        })
    };
    let now = Box::new(move || start() + began_at.elapsed());
    let after_round = {
        let memory = Arc::clone(memory);
        Box::new(move |user| memory.rounds.lock().push(user))
    };
    let parts = RetentionJobParts { now, is_shared, on_deleted, after_round };
    (RetentionJob::spawn(Arc::clone(memory) as Arc<dyn Retention>, parts), announced)
}

/// A commit with a message of this application.
fn commit(application_id: ApplicationId, id: u64) -> Commit {
    let new = NewMessage {
        user_id: USER,
        application_id,
        message: "x".to_owned(),
        title: String::new(),
        priority: 0,
        extras: None,
        date: start(),
    };
    Commit::new(vec![Stored::new(MessageId(id), new, Instant::now())], Vec::new())
}

fn ids(of: &[u64]) -> DeletedMessages {
    DeletedMessages::Ids(of.iter().copied().map(MessageId).collect())
}

#[tokio::test(start_paused = true)]
async fn a_message_is_deleted_when_it_becomes_too_old() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 1, 0);
    for (id, age) in [(1, DAY * 2), (2, Duration::from_mins(24 * 60 - 15)), (3, Duration::ZERO)] {
        memory.store(BACKUP, id, age);
    }
    memory.store(DOOR, 4, DAY * 9);
    let (_job, announced) = spawn(&memory, false);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(memory.ids(), [2, 3, 4]);
    sleep(Duration::from_mins(30)).await;
    assert_eq!(memory.ids(), [3, 4]);
    assert_eq!(*announced.lock(), [(BACKUP, ids(&[1])), (BACKUP, ids(&[2]))]);
}

#[tokio::test(start_paused = true)]
async fn many_old_messages_are_deleted_in_one_round() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 1, 0);
    for id in 1..=5000 {
        memory.store(BACKUP, id, DAY * 2);
    }
    let (_job, _) = spawn(&memory, false);
    sleep(Duration::from_mins(1)).await;
    assert_eq!((memory.ids().len(), memory.looks()), (0, 1));
    assert_eq!(*memory.rounds.lock(), [USER], "the search forgets them in one go");
}

#[tokio::test(start_paused = true)]
async fn old_messages_are_found_behind_any_number_whose_time_has_not_come() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 1, 0);
    let future = start() + DAY * 400;
    memory.messages.lock().extend((1..=2500).map(|id| ((BACKUP, id), future)));
    memory.store(BACKUP, 2501, DAY * 2);
    memory.store(BACKUP, 2502, Duration::ZERO);
    memory.store(BACKUP, 2503, DAY * 2);
    let (_job, announced) = spawn(&memory, false);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(*announced.lock(), [(BACKUP, ids(&[2501, 2503]))]);
    assert_eq!(memory.ids().len(), 2501);
}

#[tokio::test(start_paused = true)]
async fn only_the_newest_messages_are_kept_soon_after_they_were_stored() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 0, 2);
    for id in 1..=4 {
        memory.store(BACKUP, id, Duration::ZERO);
    }
    let (job, announced) = spawn(&memory, false);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(memory.ids(), [3, 4]);
    for id in 5..=9 {
        memory.store(BACKUP, id, Duration::ZERO);
        job.stored(&commit(BACKUP, id));
    }
    // Nobody limits these.
    memory.store(DOOR, 10, Duration::ZERO);
    job.stored(&commit(DOOR, 10));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(memory.ids(), [8, 9, 10]);
    let up_to = |id| (BACKUP, DeletedMessages::UpTo(MessageId(id)));
    assert_eq!(*announced.lock(), [up_to(2), up_to(7)]);
    assert_eq!((memory.counts.load(Ordering::Relaxed), memory.looks()), (2, 1), "commits share a count");
}

#[tokio::test(start_paused = true)]
async fn a_rule_is_applied_as_soon_as_it_is_changed() {
    let memory = Arc::<Memory>::default();
    memory.store(BACKUP, 1, Duration::ZERO);
    memory.store(BACKUP, 2, Duration::ZERO);
    let (job, _) = spawn(&memory, false);
    sleep(DAY).await;
    assert_eq!(memory.looks(), 1, "it sleeps while there is no rule");
    job.stored(&commit(BACKUP, 2));
    memory.keep(BACKUP, 0, 1);
    job.changed();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((memory.ids(), memory.looks()), (vec![2], 2));
    memory.rules.lock().clear();
    job.changed();
    sleep(DAY).await;
    assert_eq!(memory.looks(), 3, "it sleeps again");
}

#[tokio::test(start_paused = true)]
async fn rules_of_other_nodes_are_found() {
    let memory = Arc::<Memory>::default();
    memory.store(BACKUP, 1, DAY * 2);
    let (_job, _) = spawn(&memory, true);
    sleep(Duration::from_mins(1)).await;
    memory.keep(BACKUP, 1, 0);
    sleep(Duration::from_mins(15)).await;
    assert!(memory.ids().is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_after_a_failure_and_after_a_panic() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 1, 0);
    memory.store(BACKUP, 1, DAY * 2);
    memory.panics.store(true, Ordering::Relaxed);
    memory.fails.store(true, Ordering::Relaxed);
    let (_job, _) = spawn(&memory, false);
    sleep(Duration::from_mins(5)).await;
    assert_eq!(memory.ids(), [1]);
    memory.fails.store(false, Ordering::Relaxed);
    sleep(Duration::from_mins(2)).await;
    assert!(memory.ids().is_empty());
}
