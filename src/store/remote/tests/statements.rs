//! How many statements a batch takes, and how a database runs each statement.

use std::task::Poll;

use tokio::time::Instant;

use crate::model::{Application, User};
use crate::store::conformance::{application, new_message, user};
use crate::store::remote::kept::KeptLease;
use crate::store::remote::{OPERATION, Remote, RemoteDialect};
use crate::store::sql::application_states::{states, unread};
use crate::store::sql::deletions::{DELETE, OLDEST, SLICE};
use crate::store::sql::keyed::{FIND, STALE};
use crate::store::sql::messages::dates::DATES;
use crate::store::sql::messages::{BY_IDS, DELETE_ONE, Order, Pages, per_application};
use crate::store::sql::search::{COUNT_BETWEEN, DIRECTORIES, ROWS, SEGMENTS};
use crate::store::sql::{Lease as _, Query, Row, Value, query};
use crate::store::{InsertOutcome, Messages as _, NewMessage};

/// How many statements a batch may take, with those that begin and end its transaction.
pub(crate) const STATEMENTS: usize = 6;

/// Returns one message of each of 64 users. Each has a message already.
pub(crate) async fn batch_of_64_users<D: RemoteDialect>(database: &Remote<D>) -> Vec<NewMessage> {
    let mut batch = Vec::new();
    for number in 0..64 {
        let user = user(database, &format!("user {number}")).await;
        let application = application(database, &user, &format!("A{number}")).await;
        batch.push(new_message(user.id, application.id, "text"));
    }
    store(database, &batch).await;
    batch
}

/// A batch that nobody waits for any longer goes on in the server, but the next one is stored.
pub(crate) async fn a_batch_that_is_given_up_does_not_disturb_the_next<D: RemoteDialect>(
    database: &Remote<D>,
) {
    let batch = batch_of_64_users(database).await;
    for _ in 0..8 {
        let mut given_up = Box::pin(database.insert_messages(&batch));
        // It has begun, and waits for the server. On a busy machine the server may have answered already: then there is nothing
        // to give up.
        if let Poll::Ready(stored) = futures_util::poll!(&mut given_up) {
            stored.unwrap();
            continue;
        }
        tokio::task::yield_now().await;
        let _ = futures_util::poll!(&mut given_up);
        drop(given_up);
        store(database, &batch).await;
    }
}

/// Stores messages, all of them.
pub(crate) async fn store<D: RemoteDialect>(database: &Remote<D>, batch: &[NewMessage]) {
    let inserted = database.insert_messages(batch).await.unwrap();
    assert!(
        inserted.outcomes.iter().all(|outcome| matches!(outcome, InsertOutcome::Stored(_))),
        "{inserted:?}"
    );
}

/// Waits for the one connection by which messages are stored.
async fn message_connection<D: RemoteDialect>(database: &Remote<D>) -> KeptLease<'_, D> {
    database.messages.lease_until("look at the connection", Instant::now() + OPERATION).await.unwrap()
}

/// Runs a query on the connection by which messages are stored, and reads the rows.
pub(crate) async fn on_message_connection<D: RemoteDialect, T: Send>(
    database: &Remote<D>,
    query: Query<'_>,
    read: impl Fn(&Row<'_, D>) -> T,
) -> Vec<T> {
    let mut lease = message_connection(database).await;
    let rows = lease.session().all(query).await.unwrap().iter().map(read).collect();
    lease.end(Ok(rows)).await.unwrap()
}

/// Runs statements without values on the connection by which messages are stored.
pub(crate) async fn batch_on_message_connection<D: RemoteDialect>(database: &Remote<D>, text: &'static str) {
    let mut lease = message_connection(database).await;
    let ran = lease.session().batch(text).await;
    lease.end(ran).await.unwrap();
}

/// Fills a database so that a plan which reads a table is worse than one which searches an index: a user with 16
/// applications, one of which has most of the messages, and another user.
pub(crate) async fn fill<D: RemoteDialect>(database: &Remote<D>) -> (User, Vec<Application>) {
    let (ann, bob) = (user(database, "ann").await, user(database, "bob").await);
    let mut applications = Vec::new();
    for number in 0..16 {
        applications.push(application(database, &ann, &format!("A{number}")).await);
    }
    let of_bob = application(database, &bob, "B").await;
    let text = "text ".repeat(40);
    let mut batch = vec![new_message(ann.id, applications[0].id, &text); 800];
    batch.extend(applications.iter().map(|of_ann| new_message(ann.id, of_ann.id, &text)));
    batch.extend(vec![new_message(bob.id, of_bob.id, &text); 184]);
    for _ in 0..20 {
        store(database, &batch).await;
    }
    for statement in [
        "INSERT INTO shardcast_keyed (id, application_id, replace_key) \
            SELECT id, application_id, CAST(id AS char(20)) FROM messages",
        "INSERT INTO shardcast_search_segments (user_id, after_id, last_id, messages, bytes, directory) \
            SELECT 1 + id % 400, id, id, 1, 1, 'x' FROM messages",
        "INSERT INTO shardcast_search_words (id, words) SELECT id, 'x' FROM messages",
    ] {
        batch_on_message_connection(database, statement).await;
    }
    (ann, applications)
}

/// Every statement that goes through messages, or through what is ours about them, as a database runs it.
pub(crate) fn statements<D: RemoteDialect>(
    user: &User,
    applications: &[Application],
) -> Vec<(String, Vec<Value<'static>>)> {
    let number = |number: u64| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let of = user.id;
    let (user, first, last) = (number(user.id.0), number(applications[0].id.0), number(u64::MAX));
    let user_again = user.clone();
    let (limit, small) = (number(101), number(50_000));
    let ids = |count| Value::Ids((1..=count).collect());
    let all = || Value::Ids(applications.iter().map(|application| application.id.0).collect());
    let mut statements: Vec<(String, Vec<Value<'static>>)> = match D::PAGES {
        Pages::OneQuery { newest, oldest } => [(newest, last.clone()), (oldest, number(1000))]
            .map(|(page, bound)| (page.to_owned(), vec![user.clone(), bound, limit.clone(), small.clone()]))
            .into(),
        Pages::PerApplication => {
            let count = i64::try_from(applications.len()).unwrap();
            let mut statements = Vec::new();
            for (order, bound) in
                [(Order::NewestBelow(i64::MAX), last.clone()), (Order::OldestAbove(1000), number(1000))]
            {
                statements.push((per_application::senders(of, order, count), vec![]));
                let mut values = vec![bound, limit.clone()];
                values.extend(applications.iter().map(|application| number(application.id.0)));
                values.push(small.clone());
                statements.push((per_application::page(applications.len(), order), values));
            }
            statements
        }
        #[cfg(feature = "sqlite")]
        Pages::Packed { .. } => unreachable!("a driver that needs no other thread reads row by row"),
    };
    statements.extend(
        [
            (D::OF_APPLICATION, vec![first.clone(), last.clone(), limit.clone(), small.clone()]),
            (D::OF_APPLICATION_AFTER, vec![first, number(1000), limit.clone(), small.clone()]),
            (D::OF_IDS, vec![ids(100), user.clone(), small]),
            (DATES, vec![ids(1000), user.clone()]),
            (FIND, vec![all(), Value::Texts(vec!["1", "2", "3"])]),
            (STALE, vec![number(1000), number(1000)]),
            (COUNT_BETWEEN, vec![number(1000), number(2000), user.clone()]),
            (SEGMENTS, vec![user.clone()]),
            (DIRECTORIES, vec![user.clone()]),
            (ROWS, vec![ids(128)]),
            (D::OF_NOBODY, vec![]),
            (BY_IDS, vec![ids(100)]),
            (D::COUNT_AFTER, vec![user.clone(), number(1000), limit]),
            (D::NEWEST_ID, vec![user.clone(), last.clone()]),
            (DELETE_ONE, vec![number(1), user]),
            (SLICE, vec![Value::Ids(vec![applications[0].id.0]), last.clone(), number(1000)]),
            (SLICE, vec![all(), last, number(1000)]),
            (OLDEST, vec![Value::Ids(vec![applications[0].id.0]), number(1000), number(1000)]),
            (D::NEWEST_BEYOND, vec![number(applications[0].id.0), number(500)]),
            (DELETE, vec![ids(1000)]),
            (D::ORPHANED, vec![]),
            (&states::<D>("a.user_id = ?"), vec![user_again]),
            (&unread::<D>(2), vec![number(1), number(1000), number(2), number(1000)]),
            (D::NEWEST, vec![]),
            (D::NEWEST_OF, vec![ids(2)]),
        ]
        .map(|(statement, values)| (statement.to_owned(), values)),
    );
    statements
}

/// Asks the database how it would run a statement.
pub(crate) async fn explain<D: RemoteDialect, T: Send>(
    database: &Remote<D>,
    (statement, values): &(String, Vec<Value<'static>>),
    read: impl Fn(&Row<'_, D>) -> T,
) -> Vec<T> {
    let explained = format!("EXPLAIN {statement}");
    let explained = values.iter().cloned().fold(query(&explained), Query::bind);
    on_message_connection(database, explained, read).await
}

/// Whether the statement reads a page, whose rows may be sorted, or no more than that: a million messages of a user are in
/// fewer than 80 segments.
pub(crate) fn reads_a_page((statement, _): &(String, Vec<Value<'static>>)) -> bool {
    let is_of_segments = [SEGMENTS, DIRECTORIES].contains(&statement.as_str());
    statement.contains("listed") || statement.contains("AS page") || is_of_segments
}
