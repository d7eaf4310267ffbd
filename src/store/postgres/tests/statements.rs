//! What PostgreSQL does for our statements.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::{PostgresDialect, in_new_database};
use crate::model::UserId;
use crate::store::Applications as _;
use crate::store::conformance::{new_application, user};
use crate::store::remote::RemoteDialect as _;
use crate::store::remote::tests::statements::{
    STATEMENTS, a_batch_that_is_given_up_does_not_disturb_the_next, batch_of_64_users,
    batch_on_message_connection, explain, fill, on_message_connection, reads_a_page, statements, store,
};
use crate::store::sql::messages::Pages;
use crate::store::sql::{Dialect as _, query};

/// What the server says that it has done on a connection that asks for that.
#[derive(Clone, Default)]
struct ServerLog(Arc<Mutex<Vec<String>>>);

impl Subscriber for ServerLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for ServerLog {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        self.0.lock().push(format!("{value:?}"));
    }
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_batch_takes_four_round_trips_however_many_users_it_has() {
    let (database, ()) = in_new_database().await;
    let batch = batch_of_64_users(&database).await;
    batch_on_message_connection(&database, "SET log_statement = 'all'; SET client_min_messages = log").await;

    let log = ServerLog::default();
    let listening = tracing::subscriber::set_default(log.clone());
    store(&database, &batch).await;
    drop(listening);

    // What begins and what ends the transaction come with another statement each.
    let round_trips = log.0.lock().clone();
    assert_eq!(round_trips.len(), 4, "{round_trips:#?}");
    let statements: usize = round_trips.iter().map(|sent| sent.matches("; ").count() + 1).sum();
    assert_eq!(statements, STATEMENTS, "{round_trips:#?}");
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn applications_that_wait_for_each_other_share_a_transaction() {
    let (database, ()) = in_new_database().await;
    let ann = user(&database, "ann").await;
    let make = |number| database.create_application(new_application(ann.id, &format!("A{number}")));
    for made in join_all((0..64).map(make)).await {
        made.unwrap();
    }
    let transactions = query("SELECT count(DISTINCT CAST(xmin AS text)) FROM applications");
    let transactions =
        on_message_connection(&database, transactions, |row| row.unsigned(0).unwrap()).await[0];
    assert!(transactions <= 2, "{transactions}");
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_new_user_has_a_head() {
    let (database, ()) = in_new_database().await;
    let ann = user(&database, "ann").await;
    let heads = on_message_connection(&database, query("SELECT user_id FROM shardcast_heads"), |row| {
        UserId(row.unsigned(0).unwrap())
    });
    assert_eq!(heads.await, [ann.id]);
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn no_statement_scans_the_messages_or_sorts_more_than_a_page() {
    let (database, ()) = in_new_database().await;
    let (user, applications) = fill(&database).await;
    batch_on_message_connection(&database, "ANALYZE").await;
    batch_on_message_connection(&database, PostgresDialect::PREPARE_READER).await;
    for statement in statements::<PostgresDialect>(&user, &applications) {
        let plan = explain(&database, &statement, |step| step.text(0).unwrap()).await;
        let has = |what: &str| plan.iter().filter(|step| step.contains(what)).count();
        assert_eq!(has("Seq Scan on messages"), 0, "{statement:?}: {plan:#?}");
        assert_eq!(has("Seq Scan on shardcast_"), 0, "{statement:?}: {plan:#?}");
        assert_eq!(
            has("Bitmap Index Scan on shardcast_messages"),
            0,
            "it goes through all of them: {plan:#?}"
        );
        assert_eq!(has("Filter: (application_id"), 0, "it goes through those of others: {plan:#?}");
        assert!(has("Index") > 0, "{statement:?}: {plan:#?}");
        let sorts = has("Sort Key") - has("Sort Key: a.user_id");
        assert!(sorts == 0 || reads_a_page(&statement), "{statement:?}: {plan:#?}");
    }
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_page_is_read_by_the_indexes_also_if_it_is_planned_once_for_all() {
    let (database, ()) = in_new_database().await;
    fill(&database).await;
    batch_on_message_connection(&database, "ANALYZE").await;
    batch_on_message_connection(&database, PostgresDialect::PREPARE_READER).await;
    let Pages::OneQuery { newest, oldest } = PostgresDialect::PAGES else { panic!("one query") };
    let of_application = [PostgresDialect::OF_APPLICATION, PostgresDialect::OF_APPLICATION_AFTER];
    for (number, page) in [newest, oldest].into_iter().chain(of_application).enumerate() {
        let prepare = format!("PREPARE page{number} AS {}", page.replace('?', "$"));
        on_message_connection(&database, query(&prepare), |_| ()).await;
        let plan = format!("EXPLAIN EXECUTE page{number}(1, 1000, 101, 50000)");
        let plan =
            on_message_connection(&database, query(&plan), |step| step.text(0).unwrap()).await.join("\n");
        assert!(plan.contains("$2"), "it has no values: {plan}");
        assert!(!plan.contains("Seq Scan on messages") && !plan.contains("Hash"), "{plan}");
        assert_eq!(plan.matches("using messages_pkey").count(), 1, "{plan}");
    }
}

#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_batch_that_is_given_up_half_way_does_not_disturb_the_next() {
    let (database, ()) = in_new_database().await;
    a_batch_that_is_given_up_does_not_disturb_the_next(&database).await;
}
