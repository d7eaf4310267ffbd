//! Connections that are cut.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::ConnectOptions as _;
use tokio::time::Instant;

use super::Place;
use crate::model::{MessageId, UserId};
use crate::store::conformance::early::ALL;
use crate::store::conformance::keyed::keyed;
use crate::store::conformance::{application, new_message, user};
use crate::store::remote::insertion::is_committed;
use crate::store::remote::pool::Pool;
use crate::store::remote::{OPERATION, READERS, Remote, RemoteDialect, WRITERS};
use crate::store::sql::{Connections as _, Lease as _, Session, query};
use crate::store::{
    Database as _, InsertOutcome, Inserted, Messages as _, NewMessage, StoreError, Unstorable, Users as _,
};

impl<D: RemoteDialect + Copy> Place<D> {
    /// Ends all other connections to the database.
    pub(super) async fn cut(&self) {
        let mut connection = self.options.connect().await.unwrap();
        let mut session = Session::new(&self.dialect, &mut connection, None);
        for found in session.all(query(self.list_connections)).await.unwrap() {
            let end = self.end_connection.replace("{}", &found.unsigned(0).unwrap().to_string());
            session.all(query(&end)).await.unwrap();
        }
    }
}

pub(crate) async fn a_message_is_stored_although_its_connection_was_cut<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let mut stored = Vec::new();
    for text in ["one", "two", "three"] {
        let inserted = database.insert_messages(&[new_message(bob.id, sender.id, text)]).await;
        stored.extend(inserted.unwrap().ids());
        place.cut().await;
    }
    let newest_first: Vec<_> = stored.into_iter().rev().collect();
    let listed = database.messages(bob.id, ALL).await.unwrap();
    assert_eq!(listed.iter().map(|message| message.id).collect::<Vec<_>>(), newest_first);
    database.close().await;
}

pub(crate) async fn reads_are_answered_although_all_connections_were_cut<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    for _ in 0..3 {
        // All of them are used a moment before they are cut.
        let mut leases = Vec::new();
        for _ in 0..READERS {
            leases.push(database.readers.lease("be busy").await.unwrap());
        }
        for mut lease in leases {
            let result = lease.session().all(query("SELECT 1")).await.map(drop);
            lease.end(result).await.unwrap();
        }
        place.cut().await;
        for _ in 0..2 * READERS {
            database.messages(bob.id, ALL).await.unwrap();
            assert_eq!(database.user_count().await.unwrap(), 1);
        }
    }
    database.close().await;
}

pub(crate) async fn the_connection_that_stores_is_replaced_when_it_is_old<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let send = async || database.insert_messages(&[new_message(bob.id, sender.id, "x")]).await.unwrap();
    // A table that the connection alone has, for as long as it is open.
    let kept = async || database.messages.lease_until("test", Instant::now() + OPERATION).await.unwrap();
    let run = async |statement: &'static str| {
        let mut lease = kept().await;
        let result = lease.session().batch(statement).await;
        lease.end(result).await
    };
    send().await;
    run("CREATE TEMPORARY TABLE mark (id INT)").await.unwrap();
    send().await;
    run("DELETE FROM mark").await.unwrap();
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(31)).await;
    tokio::time::resume();
    send().await;
    run("DELETE FROM mark").await.unwrap_err();
    assert_eq!(database.messages(bob.id, ALL).await.unwrap().len(), 3);
    database.close().await;
}

pub(crate) async fn the_health_is_good_while_all_other_connections_are_busy<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let mut busy = Vec::new();
    for _ in 0..WRITERS {
        busy.push(database.writers.lease("be busy").await.unwrap());
    }
    database.check().await.unwrap();
    drop(busy);
    database.close().await;
}

/// Looks whether a batch was committed as those do whose connection was lost.
async fn is_found<D: RemoteDialect>(
    database: &Remote<D>,
    bob: UserId,
    messages: &[NewMessage],
    inserted: &Inserted,
) -> bool {
    let newest = inserted.ids().into_iter().max().unwrap();
    let mut lease = database.messages.lease_until("look", Instant::now() + OPERATION).await.unwrap();
    let found = is_committed(&mut lease.session(), (messages, &[(bob, newest)]), inserted).await;
    lease.end(found).await.unwrap()
}

pub(crate) async fn a_batch_is_found_although_others_have_replaced_its_messages<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let message = |key| keyed(&bob, &sender, key, "text");
    let is_found =
        async |messages: &[_], inserted: &Inserted| is_found(&database, bob.id, messages, inserted).await;
    let never_stored = |ids: &[u64]| {
        let stored = ids.iter().map(|id| InsertOutcome::Stored(MessageId(*id)));
        Inserted { outcomes: stored.collect(), ..Inserted::default() }
    };
    let batch = [message("a"), message("b"), message("a")];
    let inserted = database.insert_messages(&batch).await.unwrap();
    assert!(is_found(&batch, &inserted).await);
    for id in inserted.ids() {
        database.delete_message(bob.id, id).await.unwrap();
    }
    assert!(is_found(&batch, &inserted).await, "nobody has raised the head further");
    let inserted = database.insert_messages(&batch).await.unwrap();
    for key in ["a", "b"] {
        database.insert_messages(&[message(key)]).await.unwrap();
        assert!(is_found(&batch, &inserted).await, "{key} was replaced");
    }
    let newest = database.newest_message(bob.id).await.unwrap().unwrap().0;
    let (above, below) = (never_stored(&[newest + 1, newest + 2]), never_stored(&[1000, 1001]));
    assert!(!is_found(&[message("a"), message("b")], &above).await);
    assert!(!is_found(&[message("a"), new_message(bob.id, sender.id, "text")], &above).await);
    assert!(!is_found(&[message("c"), message("a")], &below).await, "nobody has this key");
    database.close().await;
}

/// After a crash of the server its ids are given again, and another node may be the first to come back.
pub(crate) async fn a_batch_is_not_taken_for_another_one_with_the_same_ids<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let (first, second) =
        (application(&database, &bob, "A1").await, application(&database, &bob, "A2").await);
    let stored = [new_message(bob.id, first.id, "one"), new_message(bob.id, first.id, "two")];
    let inserted = database.insert_messages(&stored).await.unwrap();
    assert!(is_found(&database, bob.id, &stored, &inserted).await);
    let [one, two] = stored;
    let others = [
        [two.clone(), one.clone()],
        [new_message(bob.id, second.id, "one"), new_message(bob.id, second.id, "two")],
        [
            NewMessage { date: one.date + Duration::from_millis(1), ..one.clone() },
            NewMessage { date: two.date + Duration::from_millis(1), ..two.clone() },
        ],
    ];
    for other in others {
        assert!(!is_found(&database, bob.id, &other, &inserted).await, "{other:?}");
    }
    database.close().await;
}

impl<D: RemoteDialect + Copy> Place<D> {
    /// Connections that nothing else uses.
    fn pool(&self) -> Pool<D> {
        Pool::new(&Arc::new(self.dialect), &self.options, 2, D::PREPARE_READER)
    }
}

/// Nothing is asked of the server first: an answer that never comes would keep the place.
pub(crate) async fn what_comes_back_is_there_at_once<D: RemoteDialect + Copy>(place: Place<D>) {
    let pool = place.pool();
    let mut lease = pool.lease("look").await.unwrap();
    assert_eq!(pool.counts(), (0, 1));
    let found = lease.session().one(query("SELECT 1")).await.map(drop);
    lease.end(found).now_or_never().unwrap().unwrap();
    assert_eq!(pool.counts(), (1, 2));
    pool.close().await;
    assert_eq!(pool.counts(), (0, 2));
    pool.lease("look").await.unwrap_err();
}

pub(crate) async fn a_dropped_operation_gives_its_place_back_without_its_connection<
    D: RemoteDialect + Copy,
>(
    place: Place<D>,
) {
    let pool = place.pool();
    drop(pool.lease("look").await.unwrap());
    assert_eq!(pool.counts(), (0, 2));
    pool.close().await;
}

pub(crate) async fn what_is_larger_than_a_statement_may_be_is_refused_alone<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let message = |length| new_message(bob.id, sender.id, &"x".repeat(length));
    database.insert_messages(&[message(1)]).await.unwrap();
    assert_eq!(database.messages.most_bytes() < usize::MAX, D::MOST_BYTES.is_some());
    database.messages.set_most_bytes(5000);
    let extras = serde_json::from_value(serde_json::json!({ "a": "x".repeat(6000) })).unwrap();
    let with_extras = NewMessage { extras: Some(extras), ..message(1) };
    let batch = [message(3000), message(6000), with_extras, message(3000)];
    let outcomes = database.insert_messages(&batch).await.unwrap().outcomes;
    let too_large =
        |outcome: &_| matches!(outcome, InsertOutcome::Refused(StoreError::Unstorable(Unstorable::TooLarge)));
    assert_eq!(outcomes.iter().map(too_large).collect::<Vec<_>>(), [false, true, true, false]);
    let listed = database.messages(bob.id, ALL).await.unwrap();
    assert_eq!(listed.iter().map(|message| message.message.len()).collect::<Vec<_>>(), [3000, 3000, 1]);
    database.close().await;
}
