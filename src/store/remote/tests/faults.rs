//! Connections that are cut.

use sqlx::ConnectOptions as _;

use super::Place;
use crate::store::conformance::early::ALL;
use crate::store::conformance::{application, new_message, user};
use crate::store::remote::{RemoteDialect, WRITERS};
use crate::store::sql::{Connections as _, Session, query};
use crate::store::{Database as _, Messages as _};

impl<D: RemoteDialect + Copy> Place<D> {
    /// Ends all other connections to the database.
    async fn cut(&self) {
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
    let listed = loop {
        // The connections that read are cut too.
        if let Ok(listed) = database.messages(bob.id, ALL).await {
            break listed;
        }
    };
    assert_eq!(listed.iter().map(|message| message.id).collect::<Vec<_>>(), newest_first);
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
