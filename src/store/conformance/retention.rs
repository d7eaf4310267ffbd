//! What every database does with messages that are not kept.

use super::{application, at, new_message, user};
use crate::model::{ApplicationId, MessageId, UserId};
use crate::store::{
    Database, DeletedMessages, ExcessMessages, KeepMessages, KeptMessages, MessagePage, NewMessage,
    OldMessages, RetentionRule,
};

const ALL: MessagePage = MessagePage { before: None, limit: 100 };

/// Returns a user's messages by their places among `ids`, oldest first.
async fn left(database: &dyn Database, user: UserId, ids: &[MessageId]) -> Vec<usize> {
    let messages = database.messages(user, ALL).await.unwrap();
    let place = |id: MessageId| ids.iter().position(|known| *known == id).unwrap();
    messages.iter().rev().map(|message| place(message.id)).collect()
}

pub(crate) async fn applications_with_a_rule_are_listed(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let (first, second) =
        (application(database, &ann, "A1").await.id, application(database, &bob, "B1").await.id);
    application(database, &ann, "A2").await;
    assert_eq!(database.retention_rules().await.unwrap(), []);
    let rules = [
        (ann.id, first, KeepMessages { days: 30, newest: 0 }),
        (bob.id, second, KeepMessages { days: 0, newest: 5 }),
    ]
    .map(|(user_id, application_id, keep)| RetentionRule { user_id, application_id, keep });
    for rule in &rules {
        database.keep_messages(rule.application_id, rule.keep).await.unwrap();
    }
    let mut found = database.retention_rules().await.unwrap();
    found.sort_unstable_by_key(|rule| rule.application_id.0);
    assert_eq!(found, rules);
    database.keep_messages(first, KeepMessages::default()).await.unwrap();
    assert_eq!(database.retention_rules().await.unwrap(), rules[1..]);
}

pub(crate) async fn all_but_the_newest_are_deleted(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let (many, other) =
        (application(database, &ann, "A1").await.id, application(database, &ann, "A2").await.id);
    let batch: Vec<_> =
        (0..12).map(|place| new_message(ann.id, if place % 3 == 0 { other } else { many }, "x")).collect();
    let ids = database.insert_messages(&batch).await.unwrap().ids();
    let delete = async |newest| {
        let rule = set(database, ann.id, many, KeepMessages { days: 0, newest }).await;
        let ExcessMessages { deleted_up_to, rule_changed } =
            database.delete_all_but_newest(&rule).await.unwrap();
        assert!(!rule_changed);
        deleted_up_to
    };
    assert_eq!(delete(8).await, None, "there are no more");
    assert_eq!(delete(3).await, Some(ids[7]));
    assert_eq!(left(database, ann.id, &ids).await, [0, 3, 6, 8, 9, 10, 11]);
    assert_eq!(delete(3).await, None);
    assert_eq!(delete(0).await, None, "0 keeps all");
    let keep = KeepMessages { days: 0, newest: 3 };
    let of_nobody = RetentionRule { user_id: ann.id, application_id: ApplicationId(99), keep };
    assert_eq!(database.delete_all_but_newest(&of_nobody).await.unwrap().deleted_up_to, None);
}

/// Sets how long messages are kept.
async fn set(
    database: &dyn Database,
    user_id: UserId,
    application_id: ApplicationId,
    keep: KeepMessages,
) -> RetentionRule {
    database.keep_messages(application_id, keep).await.unwrap();
    RetentionRule { user_id, application_id, keep }
}

/// Stores messages of these ages, in seconds, and returns their ids.
async fn store(
    database: &dyn Database,
    user: UserId,
    application: ApplicationId,
    ages: &[i64],
) -> Vec<MessageId> {
    let message = |age: &i64| NewMessage { date: at(-age), ..new_message(user, application, "x") };
    let messages: Vec<_> = ages.iter().map(message).collect();
    database.insert_messages(&messages).await.unwrap().ids()
}

pub(crate) async fn old_messages_are_deleted_by_their_own_dates(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let (app, other) =
        (application(database, &ann, "A1").await.id, application(database, &ann, "A2").await.id);
    store(database, ann.id, other, &[1000]).await;
    let rule = set(database, ann.id, app, KeepMessages { days: 1, newest: 0 }).await;
    let look = async |after, limit| database.delete_older(&rule, after, at(-100), limit).await.unwrap();
    let delete = async |limit| look(MessageId(0), limit).await.deleted;
    assert_eq!(look(MessageId(0), 10).await, OldMessages::default());
    let ids = store(database, ann.id, app, &[300, 101, 100, 99, 0]).await;
    assert_eq!(delete(10).await, Some(DeletedMessages::UpTo(ids[1])));
    assert_eq!(delete(10).await, None, "one is as old as may be");

    // A clock was wrong: each is judged by its own date, and a message that is new by its date stays.
    let wrong = store(database, ann.id, app, &[500, 1, 500]).await;
    let kept = Some(KeptMessages { newest_id: ids[4], oldest: Some(database.kept(at(-100))) });
    let looked = look(MessageId(0), 3).await;
    assert_eq!(
        looked,
        OldMessages { kept, ..OldMessages::default() },
        "it looks at some of the oldest alone"
    );
    let looked = look(ids[4], 1).await;
    assert_eq!(looked.deleted, Some(DeletedMessages::Ids(vec![wrong[0]])), "others are left below");
    assert_eq!((looked.kept, delete(10).await), (None, Some(DeletedMessages::Ids(vec![wrong[2]]))));
    let count = database.count_messages_after(ann.id, MessageId(0), 100).await.unwrap();
    assert_eq!(count, 5, "those of another application stay");
}

pub(crate) async fn many_old_messages_are_deleted_in_slices(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let app = application(database, &ann, "A1").await.id;
    let rule = set(database, ann.id, app, KeepMessages { days: 1, newest: 0 }).await;
    let ids = store(database, ann.id, app, &[500; 25]).await;
    let mut deleted = Vec::new();
    let delete =
        async |limit| database.delete_older(&rule, MessageId(0), at(0), limit).await.unwrap().deleted;
    while let Some(some) = delete(10).await {
        deleted.push(some);
    }
    let expected = [ids[9], ids[19], ids[24]].map(DeletedMessages::UpTo);
    assert_eq!(deleted, expected);
    // A few large ones are enough for one slice.
    let large = NewMessage { date: at(-500), ..new_message(ann.id, app, &"x".repeat(60_000)) };
    let ids = database.insert_messages(&vec![large; 100]).await.unwrap().ids();
    let some = delete(1000).await;
    let Some(DeletedMessages::UpTo(last)) = some else { panic!("{some:?}") };
    assert!(last < ids[99] && last > ids[50], "4 MiB of them");
}

pub(crate) async fn nothing_is_deleted_by_a_rule_that_was_changed(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let (app, gone) =
        (application(database, &ann, "A1").await.id, application(database, &ann, "A2").await.id);
    store(database, ann.id, app, &[500; 5]).await;
    let count = async || database.count_messages_after(ann.id, MessageId(0), 100).await.unwrap();
    let keep = KeepMessages { days: 1, newest: 2 };
    let found_changed = async |rule: &RetentionRule| {
        let excess = database.delete_all_but_newest(rule).await.unwrap();
        assert_eq!(excess, ExcessMessages { deleted_up_to: None, rule_changed: true });
        let old = database.delete_older(rule, MessageId(0), at(0), 10).await.unwrap();
        assert_eq!(old, OldMessages { rule_changed: true, ..OldMessages::default() });
    };
    for other in [(0, 0), (1, 0), (0, 2), (1, 3), (2, 2), (1, 1)] {
        let rule = set(database, ann.id, app, keep).await;
        set(database, ann.id, app, KeepMessages { days: other.0, newest: other.1 }).await;
        found_changed(&rule).await;
        assert_eq!(count().await, 5, "{other:?}");
    }

    // What is left of an application that was deleted is not announced.
    let rule = set(database, ann.id, gone, keep).await;
    store(database, ann.id, gone, &[500; 5]).await;
    database.delete_application(gone).await.unwrap().unwrap();
    let excess = database.delete_all_but_newest(&rule).await.unwrap();
    assert_eq!(excess.deleted_up_to, None);
    assert_eq!(database.delete_older(&rule, MessageId(0), at(0), 10).await.unwrap().deleted, None);

    let rule = set(database, ann.id, app, keep).await;
    let excess = database.delete_all_but_newest(&rule).await.unwrap();
    assert!(excess.deleted_up_to.is_some() && !excess.rule_changed, "the one that is set deletes");
    assert_eq!(count().await, 2);
}

pub(crate) async fn a_deletion_ends_when_its_rule_is_switched_off(database: &dyn Database) {
    const MANY: usize = 4500;
    let ann = user(database, "ann").await;
    let app = application(database, &ann, "A1").await.id;
    for _ in 0..9 {
        database.insert_messages(&vec![new_message(ann.id, app, "x"); MANY / 9]).await.unwrap();
    }
    let rule = set(database, ann.id, app, KeepMessages { days: 0, newest: 2 }).await;
    let count = async |after| database.count_messages_after(ann.id, after, MANY).await.unwrap();
    let change = async {
        database.keep_messages(app, KeepMessages::default()).await.unwrap();
        count(MessageId(0)).await
    };
    let (deleted, left) = tokio::join!(database.delete_all_but_newest(&rule), change);
    let ExcessMessages { deleted_up_to, rule_changed } = deleted.unwrap();
    assert_eq!(count(MessageId(0)).await, left, "nothing goes after the change");
    assert!(rule_changed || left == 2, "some are left because the rule was changed");
    let deleted_up_to = deleted_up_to.unwrap_or(MessageId(0));
    assert_eq!(count(deleted_up_to).await, left, "what went is reported, and nothing else");
}
