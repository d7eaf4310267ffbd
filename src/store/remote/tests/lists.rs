//! Lists that are longer than what one statement of MariaDB or MySQL takes, which is 65 535 values.

use sqlx::ConnectOptions as _;

use super::Place;
use crate::model::{ApplicationId, Message};
use crate::store::conformance::early::ALL;
use crate::store::conformance::{application, at, new_message, user};
use crate::store::remote::RemoteDialect;
use crate::store::sql::deletions::Deletion;
use crate::store::sql::{Session, clients, query};
use crate::store::{Applications as _, Database as _, MessagePage, Messages as _};

const MANY: u64 = 70_000;

/// Makes `MANY` clients that expire at a time.
const CLIENTS: &str = "INSERT INTO clients (token, user_id, name, expires_after_inactivity_seconds, expires_at) \
    WITH digit AS (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) \
    SELECT concat('C', a.n, b.n, c.n, d.n, e.n), ?1, 'old', 1, ?2 \
    FROM digit a, digit b, digit c, digit d, digit e WHERE a.n < 7";

/// Makes `MANY` applications of a user.
const APPLICATIONS: &str = "INSERT INTO applications (token, user_id, name, description, internal, image, sort_key) \
    WITH digit AS (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9) \
    SELECT concat('A', a.n, b.n, c.n, d.n, e.n), ?1, 'many', '', ?2, '', NULL \
    FROM digit a, digit b, digit c, digit d, digit e WHERE a.n < 7";

pub(crate) async fn messages_of_more_applications_than_a_statement_takes_are_listed<
    D: RemoteDialect + Copy,
>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let mut connection = place.options.connect().await.unwrap();
    let mut session = Session::new(&place.dialect, &mut connection, None);
    session.run(query(APPLICATIONS).id(bob.id.0).bind(false)).await.unwrap();
    let mut sent = Vec::new();
    for token in ["A00000", "A34567", "A69999", "A34567", "A12345"] {
        let sender = database.application_by_token(token).await.unwrap().unwrap().row;
        sent.extend(database.insert_messages(&[new_message(bob.id, sender.id, token)]).await.unwrap().ids());
    }
    let page = MessagePage { before: None, limit: 3 };
    let ids = |listed: Vec<Message>| listed.into_iter().map(|message| message.id).collect::<Vec<_>>();
    let newest = ids(database.messages(bob.id, page).await.unwrap());
    assert_eq!(newest, [sent[4], sent[3], sent[2]]);
    let page = MessagePage { before: Some(sent[2]), ..page };
    assert_eq!(ids(database.messages(bob.id, page).await.unwrap()), [sent[1], sent[0]]);
    assert_eq!(ids(database.messages_after(bob.id, sent[0], 3).await.unwrap()), sent[1..4]);
    database.close().await;
}

pub(crate) async fn messages_of_more_applications_than_a_statement_takes_are_deleted<
    D: RemoteDialect + Copy,
>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    database.insert_messages(&[new_message(bob.id, sender.id, "text")]).await.unwrap();
    let others = (1..MANY).map(|number| ApplicationId(sender.id.0 + number));
    let deletion = Deletion::whole(others.chain([sender.id]));
    let mut connection = place.options.connect().await.unwrap();
    let mut session = Session::new(&place.dialect, &mut connection, None);
    let deleted = deletion.slice(&mut session).await.unwrap();
    assert!(deleted.last.is_some() && deleted.is_last, "the last application has a message");
    let deleted = deletion.slice(&mut session).await.unwrap();
    assert!(deleted.last.is_none() && deleted.is_last);
    assert_eq!(database.messages(bob.id, ALL).await.unwrap(), []);
    database.close().await;
}

pub(crate) async fn more_expired_clients_than_a_statement_takes_are_deleted<D: RemoteDialect + Copy>(
    place: Place<D>,
) {
    let database = place.open().await.unwrap();
    let bob = user(&database, "bob").await;
    let mut connection = place.options.connect().await.unwrap();
    let mut session = Session::new(&place.dialect, &mut connection, None);
    session.run(query(CLIENTS).id(bob.id.0).bind(at(0))).await.unwrap();
    let deleted = clients::delete_expired(&mut session, at(1)).await.unwrap();
    assert_eq!(deleted.len() as u64, MANY);
    assert_eq!(session.one(query("SELECT count(*) FROM clients")).await.unwrap().unsigned(0).unwrap(), 0);
    database.close().await;
}
