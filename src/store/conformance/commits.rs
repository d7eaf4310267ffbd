//! What every database says of the messages that it was given.

use super::{application, new_message, user};
use crate::model::{ApplicationId, MessageId, UserId};
use crate::store::{Database, InsertOutcome, Inserted};

/// The ids of what was stored, `None` where the application was missed.
fn ids(inserted: &Inserted) -> Vec<Option<u64>> {
    let id = |outcome: &InsertOutcome| match outcome {
        InsertOutcome::Stored(id) => Some(id.0),
        InsertOutcome::NoSuchApplication => None,
        InsertOutcome::Refused(error) => panic!("refused: {error}"),
    };
    inserted.outcomes.iter().map(id).collect()
}

fn previous(inserted: &Inserted, user: UserId) -> Option<u64> {
    inserted.previous.iter().find(|(of, _)| *of == user).map(|(_, id)| id.0)
}

pub(crate) async fn a_message_without_an_application_fails_alone(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let (kept, gone) = (application(database, &alice, "A1").await, application(database, &alice, "A2").await);
    let foreign = application(database, &bob, "B1").await;
    database.delete_application(gone.id).await.unwrap();
    let senders = [kept.id, gone.id, foreign.id, kept.id, ApplicationId(u64::MAX)];
    let inserted =
        database.insert_messages(&senders.map(|sender| new_message(alice.id, sender, "x"))).await.unwrap();
    let [Some(first), None, None, Some(second), None] = ids(&inserted)[..] else { panic!("{inserted:?}") };
    let read = database.messages_after(alice.id, MessageId(0), 10).await.unwrap();
    assert_eq!(read.iter().map(|message| message.id.0).collect::<Vec<_>>(), [first, second]);
    assert_eq!(inserted.previous.len(), 1);
    assert!(database.messages_after(bob.id, MessageId(0), 10).await.unwrap().is_empty());
}

pub(crate) async fn a_batch_without_any_application_stores_nothing(database: &dyn Database) {
    let alice = user(database, "alice").await;
    for count in [1, 3] {
        let new = vec![new_message(alice.id, ApplicationId(77), "x"); count];
        let inserted = database.insert_messages(&new).await.unwrap();
        assert_eq!(ids(&inserted), vec![None; count]);
        assert!(inserted.previous.is_empty());
    }
    let kept = application(database, &alice, "A1").await;
    let inserted = database.insert_messages(&[new_message(alice.id, kept.id, "x")]).await.unwrap();
    assert_eq!(previous(&inserted, alice.id), Some(0));
}

pub(crate) async fn nothing_is_stored_for_an_owner_that_was_deleted(database: &dyn Database) {
    let alice = user(database, "alice").await;
    let backup = application(database, &alice, "A1").await;
    let new = [new_message(alice.id, backup.id, "x")];
    assert!(ids(&database.insert_messages(&new).await.unwrap())[0].is_some());
    database.delete_user(alice.id).await.unwrap();
    assert_eq!(ids(&database.insert_messages(&new).await.unwrap()), [None]);
    assert!(database.application_messages(backup.id, super::messages::ALL).await.unwrap().is_empty());
}

pub(crate) async fn a_commit_names_the_newest_message_of_each_user_before_it(database: &dyn Database) {
    let (alice, bob) = (user(database, "alice").await, user(database, "bob").await);
    let senders = [application(database, &alice, "A1").await, application(database, &alice, "A2").await];
    let foreign = application(database, &bob, "B1").await;
    assert_eq!(database.newest_message(alice.id).await.unwrap(), None);
    let of_alice = |sender: usize| new_message(alice.id, senders[sender].id, "x");
    let of_bob = new_message(bob.id, foreign.id, "x");

    let first = database.insert_messages(&[of_alice(0), of_bob.clone(), of_alice(1)]).await.unwrap();
    assert_eq!((previous(&first, alice.id), previous(&first, bob.id)), (Some(0), Some(0)));
    let first = first.ids();
    assert_eq!(database.newest_message(alice.id).await.unwrap(), Some(first[2]));
    let second = database.insert_messages(&[of_alice(0)]).await.unwrap();
    assert_eq!(previous(&second, alice.id), Some(first[2].0));
    assert_eq!(second.previous.len(), 1);
    let third = database.insert_messages(&[of_bob, of_alice(1)]).await.unwrap();
    assert_eq!(previous(&third, alice.id), Some(second.ids()[0].0));
    assert_eq!(previous(&third, bob.id), Some(first[1].0));

    // What was deleted was there before: it may be named, and no message may be that is newer than what is left.
    database.delete_messages(alice.id).await.unwrap();
    assert_eq!(database.newest_message(alice.id).await.unwrap(), None);
    let fourth = database.insert_messages(&[of_alice(0)]).await.unwrap();
    assert!(previous(&fourth, alice.id) <= Some(third.ids()[1].0));
}
