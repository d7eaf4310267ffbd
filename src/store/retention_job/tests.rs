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
    /// How many days another node sets for `BACKUP` when messages are next to be deleted by their age.
    days_at_deletion: Mutex<Option<u64>>,
    /// Notified when another node has changed a rule.
    changed_elsewhere: Arc<Notify>,
}

impl Memory {
    /// Sets the rule of an application.
    fn keep(&self, application_id: ApplicationId, days: u64, newest: u64) {
        let keep = KeepMessages { days, newest };
        let mut rules = self.rules.lock();
        rules.retain(|rule| rule.application_id != application_id);
        if keep != KeepMessages::default() {
            rules.push(RetentionRule { user_id: USER, application_id, keep });
        }
    }

    fn is_in_force(&self, rule: &RetentionRule) -> bool {
        self.rules.lock().contains(rule)
    }

    /// Lets another node change the rule, if it is to.
    fn before_deletion(&self) {
        let days = self.days_at_deletion.lock().take();
        if let Some(days) = days {
            self.keep(BACKUP, days, 0);
        }
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

    async fn delete_all_but_newest(&self, rule: &RetentionRule) -> Result<ExcessMessages, StoreError> {
        let RetentionRule { application_id: application, keep, .. } = *rule;
        self.counts.fetch_add(1, Ordering::Relaxed);
        let mut messages = self.messages.lock();
        let ids: Vec<_> = messages.keys().filter(|(of, _)| *of == application).map(|key| key.1).collect();
        let surplus = ids.len().saturating_sub(usize::try_from(keep.newest).unwrap());
        let last = ids[..surplus].last().copied();
        if last.is_some() && !self.is_in_force(rule) {
            return Ok(ExcessMessages { deleted_up_to: None, rule_changed: true });
        }
        messages.retain(|(of, id), _| *of != application || last.is_none_or(|last| *id > last));
        Ok(ExcessMessages { deleted_up_to: last.map(MessageId), rule_changed: false })
    }

    async fn delete_older(
        &self,
        rule: &RetentionRule,
        after: MessageId,
        before: Timestamp,
        limit: usize,
    ) -> Result<OldMessages, StoreError> {
        let application = rule.application_id;
        self.before_deletion();
        let mut messages = self.messages.lock();
        let above = messages.iter().filter(|((of, id), _)| *of == application && *id > after.0);
        let (old, new): (Vec<_>, Vec<_>) = above.take(limit).partition(|(_, date)| **date < before);
        let newest_id = new.last().map(|((_, id), _)| MessageId(*id));
        let oldest = new.iter().map(|(_, date)| **date).min();
        let old: Vec<_> = old.into_iter().map(|(key, _)| *key).collect();
        if !old.is_empty() && !self.is_in_force(rule) {
            return Ok(OldMessages { rule_changed: true, ..OldMessages::default() });
        }
        messages.retain(|key, _| !old.contains(key));
        let deleted: Vec<_> = old.into_iter().map(|(_, id)| MessageId(id)).collect();
        Ok(OldMessages {
            deleted: (!deleted.is_empty()).then_some(DeletedMessages::Ids(deleted)),
            kept: newest_id.map(|newest_id| KeptMessages { newest_id, oldest }),
            rule_changed: false,
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
    let changed_elsewhere = Arc::clone(&memory.changed_elsewhere);
    let parts = RetentionJobParts { now, is_shared, changed_elsewhere, on_deleted, after_round };
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

#[tokio::test(start_paused = true)]
async fn rules_are_read_again_when_another_one_is_found() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 0, 2);
    let (job, announced) = spawn(&memory, true);
    sleep(Duration::from_secs(1)).await;
    // Another node does this, and nobody says so.
    memory.keep(BACKUP, 0, 0);
    let publish = async |ids: std::ops::Range<u64>| {
        for id in ids {
            memory.store(BACKUP, id, Duration::ZERO);
            job.stored(&commit(BACKUP, id));
        }
        sleep(Duration::from_secs(5)).await;
    };
    publish(1..11).await;
    assert_eq!((memory.ids().len(), memory.counts.load(Ordering::Relaxed), memory.looks()), (10, 2, 2));
    publish(11..21).await;
    let counted = (memory.counts.load(Ordering::Relaxed), memory.looks());
    assert_eq!((memory.ids().len(), counted), (20, (2, 2)), "it knows that there is no rule any more");
    // It was not switched off, but loosened.
    memory.keep(BACKUP, 0, 9);
    memory.changed_elsewhere.notify_one();
    sleep(Duration::from_secs(5)).await;
    memory.keep(BACKUP, 0, 15);
    publish(21..31).await;
    assert_eq!(memory.ids(), (16..31).collect::<Vec<_>>());
    let up_to = |id| (BACKUP, DeletedMessages::UpTo(MessageId(id)));
    assert_eq!(*announced.lock(), [up_to(11), up_to(15)]);
}

#[tokio::test(start_paused = true)]
async fn what_another_node_has_set_counts_here_soon() {
    let memory = Arc::<Memory>::default();
    let (job, _) = spawn(&memory, true);
    sleep(Duration::from_secs(1)).await;
    memory.keep(BACKUP, 0, 2);
    for id in 1..=5 {
        memory.store(BACKUP, id, Duration::ZERO);
        job.stored(&commit(BACKUP, id));
    }
    memory.changed_elsewhere.notify_one();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(memory.ids(), [4, 5], "these were stored before this node knew");
    memory.store(BACKUP, 6, Duration::ZERO);
    job.stored(&commit(BACKUP, 6));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(memory.ids(), [5, 6]);
    let counts = memory.counts.load(Ordering::Relaxed);
    memory.changed_elsewhere.notify_one();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(memory.counts.load(Ordering::Relaxed), counts, "a rule that is known is not applied again");
}

#[tokio::test(start_paused = true)]
async fn old_messages_stay_if_the_rule_is_loosened_meanwhile() {
    let memory = Arc::<Memory>::default();
    memory.keep(BACKUP, 1, 0);
    for (id, age) in [(1, DAY * 9), (2, DAY * 3), (3, DAY * 2)] {
        memory.store(BACKUP, id, age);
    }
    *memory.days_at_deletion.lock() = Some(5);
    let (_job, announced) = spawn(&memory, true);
    sleep(Duration::from_mins(1)).await;
    assert_eq!((memory.ids(), memory.looks()), (vec![1, 2, 3], 2));
    sleep(Duration::from_mins(15)).await;
    assert_eq!(memory.ids(), [2, 3], "the next look at all rules applies the new one");
    assert_eq!(*announced.lock(), [(BACKUP, ids(&[1]))]);
}
