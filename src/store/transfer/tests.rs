//! Copies, backups and restores between databases of all kinds.

use chrono::{DateTime, TimeDelta};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::bulk::{Access, BulkConnection, BulkDialect};
use super::record::{Cell, Record};
use super::source;
use super::table::TABLES;
use crate::model::zero_time;
use crate::store::conformance::{application, at, new_message, user};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::store::sql::query;
use crate::store::sqlite::SqliteDialect;
use crate::store::{
    self, DatabaseConfig, Dialect, InsertOutcome, KeepMessages, MessagePage, NewClient, NewLinkedUser,
    NewMessage, PushSubscription, SubscribeOutcome,
};

mod backups;
mod continued;
mod copies;

/// Makes a test of a case for each kind of database that a copy goes to or a backup is restored into. `$case` is an
/// async function that takes an empty database.
macro_rules! into_each_kind {
    ($($case:ident)*) => {
        $(mod $case {
            #[tokio::test]
            async fn sqlite() {
                let folder = tempfile::tempdir().unwrap();
                super::$case($crate::store::transfer::tests::sqlite(&folder)).await;
            }

            #[cfg(feature = "postgres")]
            #[tokio::test]
            #[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
            async fn postgres() {
                super::$case($crate::store::transfer::tests::postgres().await).await;
            }

            #[cfg(feature = "mysql")]
            #[tokio::test]
            #[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
            async fn mysql() {
                super::$case($crate::store::transfer::tests::mysql().await).await;
            }
        })*
    };
}
use into_each_kind;

/// A file that is not there yet.
fn sqlite(folder: &TempDir) -> DatabaseConfig {
    let file = folder.path().join("gotify.db").to_str().unwrap().to_owned();
    DatabaseConfig::new(Dialect::Sqlite, file)
}

/// A new database, which stays until the server ends.
#[cfg(feature = "postgres")]
async fn postgres() -> DatabaseConfig {
    use crate::store::postgres::PostgresDialect;

    let server = std::env::var("SHARDCAST_TEST_POSTGRES").unwrap();
    let name = make_database::<PostgresDialect>(&server).await;
    DatabaseConfig::new(Dialect::Postgres, format!("{server} dbname={name}"))
}

#[cfg(feature = "mysql")]
async fn mysql() -> DatabaseConfig {
    use crate::store::mysql::MysqlDialect;

    let server = std::env::var("SHARDCAST_TEST_MYSQL").unwrap();
    let name = make_database::<MysqlDialect>(&server).await;
    let (place, _) = server.rsplit_once('/').unwrap();
    // A zone with a rule for summer: a date that is read in another one is wrong.
    let connection = format!("{place}/{name}?parseTime=true&loc=America%2FNew_York");
    DatabaseConfig::new(Dialect::Mysql, connection)
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn make_database<D: BulkDialect>(server: &str) -> String {
    let name = format!("test_{:016x}", rand::random::<u64>());
    let mut connection = D::connect(server, Access::Write).await.unwrap().unwrap();
    connection.session().run(query(&format!("CREATE DATABASE {name}"))).await.unwrap();
    connection.close().await;
    name
}

/// Opens a file for statements of the test.
async fn statements(config: &DatabaseConfig) -> BulkConnection<SqliteDialect> {
    SqliteDialect::connect(config.connection.expose_secret(), Access::Write).await.unwrap().unwrap()
}

/// Fills a database with what any may hold, and returns the highest id of a message that it has given.
async fn fill(config: &DatabaseConfig) -> u64 {
    let database = store::open(config).await.unwrap();
    let alice = user(&*database, "älice 🦀 '\"\\ \t\n").await;
    let oidc = NewLinkedUser { name: "bob".into(), oidc_id: "https://id#7".into(), created_at: zero_time() };
    let bob = database.create_linked_user(oidc).await.unwrap();
    let first = application(&*database, &alice, "A1").await;
    let second = application(&*database, &bob, "A2").await;
    database.set_application_image(first.id, "picture.png").await.unwrap();
    let mut client = NewClient::new(bob.id, "C1", "phone", at(5));
    client.expires_after_inactivity_seconds = 3600;
    let client = database.create_client(client).await.unwrap();
    let subscription = PushSubscription {
        endpoint: "https://push.example/é?a=1".to_owned(),
        p256dh: vec![4, 0, 255],
        auth: vec![0, 1],
        min_priority: 7,
    };
    let saved = database.save_push_subscription(client.id, &subscription).await.unwrap();
    assert_eq!(saved, SubscribeOutcome::Saved);
    assert_eq!(database.push_key(b"\0key").await.unwrap(), b"\0key");
    let mut messages = vec![new_message(alice.id, first.id, "line 1\nline 2\r\n\ttab \\N \\. ü 🦀 '\"")];
    messages.push(NewMessage { title: String::new(), priority: i64::MIN, ..messages[0].clone() });
    let extras = json!({ "client::display": { "contentType": "text/markdown" }, "n": [1, null, "\u{1}"],
        "shardcast::replace": { "key": "bäckup" } });
    messages.push(NewMessage { extras: extras.as_object().cloned(), ..messages[0].clone() });
    messages.push(NewMessage { date: zero_time(), message: "ü".repeat(32_000), ..messages[0].clone() });
    // In summer, with more digits than any server keeps.
    let summer = DateTime::parse_from_rfc3339("2026-07-01T23:30:00.123456789+05:45").unwrap();
    messages.push(NewMessage { date: summer, ..messages[0].clone() });
    messages.push(new_message(bob.id, second.id, ""));
    messages.push(new_message(bob.id, second.id, "deleted, so that the highest id has no row"));
    let stored = database.insert_messages(&messages).await.unwrap();
    let Some(InsertOutcome::Stored(last)) = stored.outcomes.last() else { panic!() };
    assert!(database.delete_message(bob.id, *last).await.unwrap());
    database.mark_read(alice.id, None, stored.ids()[1]).await.unwrap().unwrap();
    database.keep_messages(first.id, KeepMessages { days: 30, newest: 1000 }).await.unwrap();
    database.close().await;
    last.0
}

/// All rows of all tables, with dates as every database keeps them.
async fn rows(config: &DatabaseConfig) -> Vec<Vec<Record>> {
    let mut source = source::open(config).await.unwrap();
    let mut all = Vec::new();
    for table in &TABLES {
        let (sender, mut batches) = mpsc::channel(1000);
        source.read(table, 1..=u64::MAX, sender).await.unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = batches.recv().await {
            rows.extend(batch.into_iter().map(rounded));
        }
        all.push(rows);
    }
    source.close().await;
    all
}

/// A row whose dates have milliseconds and no zone.
fn rounded(mut record: Record) -> Record {
    for cell in &mut record.cells {
        if let Cell::Time(time) = cell {
            let below = TimeDelta::nanoseconds(i64::from(time.timestamp_subsec_nanos() % 1_000_000));
            *time = (*time - below).to_utc().fixed_offset();
        }
    }
    record
}

/// Publishes a message of the first user's first application, as a server does, and returns its id.
async fn publish(config: &DatabaseConfig) -> u64 {
    let database = store::open(config).await.unwrap();
    let users = database.users().await.unwrap();
    let applications = database.applications(users[0].id).await.unwrap();
    let message = new_message(users[0].id, applications[0].id, "next");
    let stored = database.insert_messages(&[message]).await.unwrap();
    let page = MessagePage { before: None, limit: 1 };
    let newest = database.messages(users[0].id, page).await.unwrap();
    assert_eq!(newest[0].message, "next");
    database.close().await;
    stored.ids()[0].0
}
