//! What every database does with messages that take the place of older ones.

use serde_json::json;

use super::{application, new_message, user};
use crate::model::{Application, MessageId, User};
use crate::store::{Database, MessagePage, NewMessage, Replacement};

const ALL: MessagePage = MessagePage { before: None, limit: 100 };

/// A message with a key.
pub(crate) fn keyed(user: &User, application: &Application, key: &str, text: &str) -> NewMessage {
    let extras = json!({ "shardcast::replace": { "key": key } });
    NewMessage { extras: extras.as_object().cloned(), ..new_message(user.id, application.id, text) }
}

/// Stores messages, and returns their ids with what was replaced, as the id that is kept and those that are not.
async fn store(database: &dyn Database, messages: &[NewMessage]) -> (Vec<u64>, Vec<(u64, Vec<u64>)>) {
    let inserted = database.insert_messages(messages).await.unwrap();
    let ids = inserted.ids().iter().map(|id| id.0).collect();
    let replaced = |found: &Replacement| (found.id.0, found.replaced.iter().map(|id| id.0).collect());
    (ids, inserted.replaced.iter().map(replaced).collect())
}

/// Returns the texts of a user's messages, oldest first.
async fn texts(database: &dyn Database, user: &User) -> Vec<String> {
    let messages = database.messages(user.id, ALL).await.unwrap();
    messages.into_iter().rev().map(|message| message.message).collect()
}

pub(crate) async fn of_messages_with_one_key_the_newest_is_kept(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let (backup, door) = (application(database, &ann, "A1").await, application(database, &ann, "A2").await);
    let of_bob = application(database, &bob, "B1").await;
    let others = [
        keyed(&ann, &door, "key", "door"),
        keyed(&bob, &of_bob, "key", "bob"),
        keyed(&ann, &backup, "Key", "other case"),
        keyed(&ann, &backup, "key ", "with a space"),
        keyed(&ann, &backup, "kéy", "with an accent"),
        new_message(ann.id, backup.id, "without a key"),
    ];
    let (_, replaced) = store(database, &others).await;
    assert!(replaced.is_empty(), "these keys differ: {replaced:?}");
    let (first, _) = store(database, &[keyed(&ann, &backup, "key", "first")]).await;
    let (second, replaced) = store(database, &[keyed(&ann, &backup, "key", "second")]).await;
    assert_eq!(replaced, [(second[0], first)]);
    let (third, replaced) = store(database, &[keyed(&ann, &backup, "key", "third")]).await;
    assert_eq!(replaced, [(third[0], second)]);
    let kept = ["door", "other case", "with a space", "with an accent", "without a key", "third"];
    assert_eq!(texts(database, &ann).await, kept);
    assert_eq!(texts(database, &bob).await, ["bob"]);
}

pub(crate) async fn of_messages_with_one_key_in_a_batch_the_last_is_kept(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let (backup, door) = (application(database, &ann, "A1").await, application(database, &ann, "A2").await);
    let (before, _) = store(database, &[keyed(&ann, &backup, "a", "before")]).await;
    let batch = [
        keyed(&ann, &backup, "a", "one"),
        new_message(ann.id, backup.id, "two"),
        keyed(&ann, &door, "a", "three"),
        keyed(&ann, &backup, "b", "four"),
        // An application of somebody else.
        keyed(&bob, &backup, "a", "foreign"),
        keyed(&ann, &backup, "a", "five"),
        keyed(&ann, &backup, "a", "six"),
    ];
    let (ids, replaced) = store(database, &batch).await;
    assert_eq!(ids.len(), 6, "each sender gets an id");
    assert_eq!(replaced, [(ids[5], vec![before[0], ids[0], ids[4]])]);
    assert_eq!(texts(database, &ann).await, ["two", "three", "four", "six"]);
    assert_eq!(database.newest_message(ann.id).await.unwrap(), Some(MessageId(ids[5])));
}

pub(crate) async fn a_key_is_free_again_when_its_message_is_deleted(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let backup = application(database, &ann, "A1").await;
    let (first, _) = store(database, &[keyed(&ann, &backup, "a", "first")]).await;
    assert!(database.delete_message(ann.id, MessageId(first[0])).await.unwrap());
    let (_, replaced) = store(database, &[keyed(&ann, &backup, "a", "second")]).await;
    assert!(replaced.is_empty(), "{replaced:?}");
    database.delete_application_messages(backup.id).await.unwrap();
    let (_, replaced) = store(database, &[keyed(&ann, &backup, "a", "third")]).await;
    assert!(replaced.is_empty(), "{replaced:?}");
    assert_eq!(texts(database, &ann).await, ["third"]);
    database.delete_application(backup.id).await.unwrap();
    let again = application(database, &ann, "A2").await;
    let gone = keyed(&ann, &backup, "a", "gone");
    let (ids, replaced) = store(database, &[gone, keyed(&ann, &again, "a", "fourth")]).await;
    assert_eq!((ids.len(), replaced.len()), (1, 0));
    assert_eq!(texts(database, &ann).await, ["fourth"]);
}

pub(crate) async fn many_keys_in_a_batch_replace_each_its_own(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let applications = [application(database, &ann, "A1").await, application(database, &ann, "A2").await];
    let batch = |round: &str| -> Vec<_> {
        (0..256)
            .map(|number| keyed(&ann, &applications[number % 2], &format!("k{}", number / 4), round))
            .collect()
    };
    // Each key comes twice for each application.
    let (first, replaced) = store(database, &batch("first")).await;
    assert_eq!((first.len(), replaced.len()), (256, 128));
    let (second, replaced) = store(database, &batch("second")).await;
    for (number, (kept, gone)) in replaced.iter().enumerate() {
        let place = number / 2 * 4 + number % 2;
        assert_eq!((*kept, gone), (second[place + 2], &vec![first[place + 2], second[place]]));
    }
    assert_eq!(database.count_messages_after(ann.id, MessageId(0), 1000).await.unwrap(), 128);
}
