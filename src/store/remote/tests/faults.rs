//! Connections that are cut.

use std::time::Duration;

use sqlx::ConnectOptions as _;
use tokio::time::Instant;

use super::Place;
use crate::model::MessageId;
use crate::store::conformance::early::ALL;
use crate::store::conformance::keyed::keyed;
use crate::store::conformance::{application, new_message, user};
use crate::store::remote::insertion::is_committed;
use crate::store::remote::{OPERATION, READERS, RemoteDialect, WRITERS};
use crate::store::sql::{Connections as _, Lease as _, Session, query};
use crate::store::{Database as _, InsertOutcome, Inserted, Messages as _, Users as _};

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

pub(crate) async fn a_batch_is_found_although_others_have_replaced_its_messages<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let message = |key| keyed(&bob, &sender, key, "text");
    let is_found = async |messages: &[_], inserted: &Inserted| {
        let newest = inserted.ids().into_iter().max().unwrap();
        let mut lease = database.messages.lease_until("look", Instant::now() + OPERATION).await.unwrap();
        let batch = (messages, &[(bob.id, newest)][..]);
        let found = is_committed(&mut lease.session(), batch, inserted).await;
        lease.end(found).await.unwrap()
    };
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
