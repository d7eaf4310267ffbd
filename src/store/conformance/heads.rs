//! What every database says of the newest message of each user.

use super::{application, new_message, user};
use crate::model::{MessageId, UserId};
use crate::store::{Database, DatabaseTime};

pub(crate) async fn a_head_is_the_highest_id_that_a_user_has_had(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let (of_alice, of_bob) =
        (application(database, &alice, "A1").await, application(database, &bob, "B1").await);
    let new = [
        new_message(alice.id, of_alice.id, "x"),
        new_message(bob.id, of_bob.id, "x"),
        new_message(alice.id, of_alice.id, "x"),
    ];
    let [_, second, third] = database.insert_messages(&new).await.unwrap().ids()[..] else { panic!() };
    let mut heads = database.heads(&[bob.id, UserId(77), alice.id]).await.unwrap();
    heads.sort_unstable();
    assert_eq!(heads, [(alice.id, third), (bob.id, second)]);
    assert_eq!(database.heads(&[]).await.unwrap(), []);

    database.delete_message(alice.id, third).await.unwrap();
    let newest = if database.can_be_shared() { third } else { MessageId(third.0 - 2) };
    assert_eq!(database.heads(&[alice.id]).await.unwrap(), [(alice.id, newest)]);
}

/// The heads of users who have had messages, of those that have moved.
async fn moved_since(database: &dyn Database, since: DatabaseTime) -> Vec<(UserId, MessageId)> {
    let moved = database.heads_moved_since(since).await.unwrap();
    moved.into_iter().filter(|(_, newest)| *newest > MessageId(0)).collect()
}

pub(crate) async fn heads_that_have_moved_are_found(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let start = database.now().await.unwrap();
    let year_2026 = 1_767_225_600_000;
    assert!(start.0 > year_2026, "milliseconds since 1970: {start:?}");
    assert_eq!(moved_since(database, start).await, []);
    let stored = database.insert_messages(&[new_message(alice.id, backup.id, "x")]).await.unwrap().ids();
    let expected = if database.can_be_shared() { vec![(alice.id, stored[0])] } else { vec![] };
    assert_eq!(moved_since(database, start).await, expected);
    // A transaction that had begun before may have become visible only now.
    let soon = DatabaseTime(database.now().await.unwrap().0 + 1000);
    assert_eq!(moved_since(database, soon).await, expected);
    let hour = 3_600_000;
    assert_eq!(moved_since(database, DatabaseTime(start.0 + hour)).await, []);
}
