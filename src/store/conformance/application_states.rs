//! What every database does with the states of applications.

use super::{application, new_message, user};
use crate::model::{ApplicationId, ApplicationState, MessageId, UserId};
use crate::store::{Database, KeepMessages};

/// Stores so many messages of an application, and returns the id of the last one.
async fn store(database: &dyn Database, user: UserId, application: ApplicationId, count: usize) -> MessageId {
    let messages = vec![new_message(user, application, "x"); count];
    *database.insert_messages(&messages).await.unwrap().ids().last().unwrap()
}

/// Returns of each application how many messages are unread, up to which they are read, and the newest one.
async fn marks(database: &dyn Database, user: UserId) -> Vec<(u64, u64, u64)> {
    let states = database.application_states(user).await.unwrap();
    assert!(states.is_sorted_by_key(|state| state.id.0));
    states.iter().map(|state| (state.unread, state.read_up_to.0, state.newest.0)).collect()
}

pub(crate) async fn unread_messages_are_counted_up_to_a_limit(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let (few, none, many) = (
        application(database, &ann, "A1").await.id,
        application(database, &ann, "A2").await.id,
        application(database, &ann, "A3").await.id,
    );
    let of_bob = application(database, &bob, "B1").await.id;
    store(database, bob.id, of_bob, 5).await;
    let first = store(database, ann.id, few, 1).await;
    let last = store(database, ann.id, few, 2).await;
    let newest = store(database, ann.id, many, 1000).await;
    let expected = [(3, 0, last.0), (0, 0, 0), (1000, 0, newest.0)];
    assert_eq!(marks(database, ann.id).await, expected);
    store(database, ann.id, many, 1).await;
    assert_eq!(marks(database, ann.id).await[2].0, 1000, "it is counted no further");
    assert_eq!(database.application_state(none).await.unwrap().unwrap().unread, 0);

    assert_eq!(database.mark_read(ann.id, Some(few), first).await.unwrap(), Some(first));
    assert_eq!(marks(database, ann.id).await[0], (2, first.0, last.0));
    assert!(database.delete_message(ann.id, last).await.unwrap());
    let expected = ApplicationState {
        id: few,
        unread: 1,
        read_up_to: first,
        newest: MessageId(last.0 - 1),
        keep_days: 0,
        keep_newest: 0,
    };
    assert_eq!(database.application_state(few).await.unwrap(), Some(expected));
    assert_eq!(database.application_state(ApplicationId(99)).await.unwrap(), None);
    assert_eq!(marks(database, bob.id).await[0].0, 5);
}

pub(crate) async fn marks_of_read_messages_only_go_up(database: &dyn Database) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let first = application(database, &ann, "A1").await.id;
    let second = application(database, &ann, "A2").await.id;
    let of_bob = application(database, &bob, "B1").await.id;
    assert_eq!(database.mark_read(ann.id, None, MessageId(9)).await.unwrap(), None, "there is none yet");
    let one = store(database, ann.id, first, 1).await;
    let two = store(database, ann.id, second, 1).await;
    let three = store(database, ann.id, first, 1).await;
    let foreign = store(database, bob.id, of_bob, 1).await;

    assert_eq!(database.mark_read(ann.id, None, two).await.unwrap(), Some(two));
    assert_eq!(marks(database, ann.id).await, [(1, two.0, three.0), (0, two.0, two.0)]);
    assert_eq!(database.mark_read(ann.id, None, one).await.unwrap(), None);
    assert_eq!(database.mark_read(ann.id, Some(of_bob), three).await.unwrap(), None, "it is not hers");
    // What she does not have yet can't be read.
    assert_eq!(database.mark_read(ann.id, Some(second), MessageId(u64::MAX)).await.unwrap(), Some(three));
    assert_eq!(marks(database, ann.id).await, [(1, two.0, three.0), (0, three.0, two.0)]);
    assert_eq!(database.mark_read(ann.id, None, foreign).await.unwrap(), Some(three));
    let next = store(database, ann.id, second, 1).await;
    assert_eq!(marks(database, ann.id).await, [(0, three.0, three.0), (1, three.0, next.0)]);
    assert_eq!(marks(database, bob.id).await, [(1, 0, foreign.0)]);
}

pub(crate) async fn marks_that_are_set_at_once_end_at_the_highest(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let ids = [application(database, &ann, "A1").await.id, application(database, &ann, "A2").await.id];
    for id in ids {
        store(database, ann.id, id, 20).await;
    }
    let newest = database.newest_message(ann.id).await.unwrap().unwrap();
    let mark = |id, up_to: u64| database.mark_read(ann.id, id, MessageId(up_to));
    for up_to in 1..=newest.0 {
        let (all, first, second) =
            tokio::join!(mark(None, up_to), mark(Some(ids[0]), up_to), mark(Some(ids[1]), up_to - 1));
        all.unwrap();
        first.unwrap();
        second.unwrap();
    }
    assert!(marks(database, ann.id).await.iter().all(|mark| mark.1 == newest.0));
}

pub(crate) async fn how_long_messages_are_kept_is_set(database: &dyn Database) {
    let ann = user(database, "ann").await;
    let id = application(database, &ann, "A1").await.id;
    application(database, &ann, "A2").await;
    for keep in [KeepMessages { days: 30, newest: 1_000_000_000 }, KeepMessages::default()] {
        database.keep_messages(id, keep).await.unwrap();
        let states = database.application_states(ann.id).await.unwrap();
        assert_eq!((states[0].keep_days, states[0].keep_newest), (keep.days, keep.newest));
        assert_eq!((states[1].keep_days, states[1].keep_newest), (0, 0));
    }
    database.keep_messages(ApplicationId(99), KeepMessages::default()).await.unwrap();
}
