//! Files that an older Gotify has left.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::{in_new_folder, open, path};
use crate::model::UserId;
use crate::store::conformance::early::{self, ALL};
use crate::store::conformance::{application, new_message};
use crate::store::sqlite::Sqlite;
use crate::store::{Applications as _, Database as _, Messages as _};

/// The tables of an early Gotify 2, with rows.
pub(super) const EARLY: &str = concat!(
    include_str!("early.sql"),
    r#"
    INSERT INTO users VALUES (1, 'admin', CAST('$2a$10$hash' AS BLOB), 1), (2, 'bob', x'', 0);
    INSERT INTO applications VALUES (3, 'A3', 1, 'backup', 'nightly', 0, 'x.png'), (5, 'A5', 2, 'door', '', 0, ''),
        (7, 'A7', 1, 'cron', '', 1, '');
    INSERT INTO clients VALUES (4, 'C4', 1, 'phone');
    INSERT INTO messages VALUES
        (10, 3, 'done', 'backup', 5, CAST('{"a":{"b":1}}' AS BLOB), '2019-03-04 05:06:07.89+01:00'),
        (11, 7, 'ran', 'cron', 0, NULL, '2019-03-04 05:06:08+00:00');
"#
);

pub(super) async fn connect(folder: &tempfile::TempDir) -> SqliteConnection {
    std::fs::create_dir_all(folder.path().join("data")).unwrap();
    let options = SqliteConnectOptions::new().filename(path(folder)).create_if_missing(true);
    options.connect().await.unwrap()
}

async fn early() -> (Sqlite, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder).await;
    connection.execute(EARLY).await.unwrap();
    connection.close().await.unwrap();
    (open(&folder).await, folder)
}

async fn schema(folder: &tempfile::TempDir) -> Vec<(String, Option<String>)> {
    let mut connection = connect(folder).await;
    let rows = sqlx::query_as("SELECT name, sql FROM sqlite_master ORDER BY name");
    rows.fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
async fn an_early_file_keeps_its_rows() {
    let (database, _folder) = early().await;
    let messages = early::rows_are_kept(&database).await;
    assert_eq!(messages[1].date.to_rfc3339(), "2019-03-04T05:06:07.890+01:00");
    let backup = database.application_by_token("A3").await.unwrap().unwrap();
    assert_eq!(backup.row.default_priority, 0);
}

#[tokio::test]
async fn what_an_early_file_lacks_is_filled() {
    let (database, folder) = early().await;
    early::what_is_missing_is_filled(&database).await;
    database.close().await;
    let before = schema(&folder).await;
    open(&folder).await.close().await;
    assert_eq!(schema(&folder).await, before, "opening again changes nothing");
}

#[tokio::test]
async fn odd_rows_do_not_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder).await;
    connection.execute(EARLY).await.unwrap();
    let made_up = "ALTER TABLE applications ADD COLUMN sort_key blob; \
        UPDATE applications SET sort_key = 'ü' WHERE id = 3; \
        UPDATE applications SET user_id = NULL WHERE id = 5";
    connection.execute(made_up).await.unwrap();
    connection.close().await.unwrap();
    let database = open(&folder).await;
    let listed = database.applications(UserId(1)).await.unwrap();
    let keys: Vec<_> = listed.iter().map(|row| (row.id.0, row.sort_key.as_str())).collect();
    assert_eq!(keys, [(3, "ü"), (7, "üV")]);
}

#[tokio::test]
async fn a_gotify_may_have_the_file_in_between() {
    let (database, folder) = in_new_folder().await;
    let bob = crate::store::conformance::user(&database, "bob").await;
    let first = application(&database, &bob, "A1").await;
    let complete = schema(&folder).await;
    database.close().await;
    // It writes the columns that it knows, and may rebuild a table, which drops the indexes of others.
    let mut gotify = connect(&folder).await;
    gotify
        .execute(
            "INSERT INTO applications (token, user_id, name, description, internal, image, default_priority, \
             last_used) VALUES ('A2', 1, 'two', '', 0, '', 4, '2026-01-02 03:04:05.6+00:00');
             INSERT INTO messages (application_id, message, title, priority, date) \
             VALUES (2, 'hi', 't', 1, '2026-01-02 03:04:05.6+00:00');
             DROP INDEX shardcast_messages_application_id",
        )
        .await
        .unwrap();
    gotify.close().await.unwrap();
    let database = open(&folder).await;
    let applications = database.applications(bob.id).await.unwrap();
    assert_eq!(applications[0], first);
    assert_eq!((applications[1].sort_key.as_str(), applications[1].default_priority), ("a1", 4));
    assert!(applications[1].last_used.is_some());
    assert_eq!(database.messages(bob.id, ALL).await.unwrap()[0].message, "hi");
    assert_eq!(schema(&folder).await, complete);
}

#[tokio::test]
async fn values_have_the_types_that_gotify_writes() {
    let (database, folder) = in_new_folder().await;
    let bob = crate::store::conformance::user(&database, "bob").await;
    let sender = application(&database, &bob, "A1").await;
    let mut message = new_message(bob.id, sender.id, "x");
    message.extras = serde_json::json!({ "a": 1 }).as_object().cloned();
    database.insert_messages(&[message]).await.unwrap();
    let mut connection = connect(&folder).await;
    for (query, expected) in [
        (
            "SELECT typeof(pass) || ' ' || typeof(admin) || ' ' || created_at FROM users",
            "blob integer 2026-11-23 19:26:10.123+01:00",
        ),
        (
            "SELECT typeof(sort_key) || ' ' || typeof(internal) || ' ' || typeof(image) FROM applications",
            "text integer text",
        ),
        (
            "SELECT typeof(extras) || ' ' || CAST(extras AS TEXT) || ' ' || date FROM messages",
            "blob {\"a\":1} 2026-11-23 19:26:10.123+01:00",
        ),
    ] {
        let found: String = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn a_plan_names_what_is_missing_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = async || Sqlite::plan(&path(&folder)).await.unwrap();
    assert!(plan().await[0].to_string().starts_with("make the table `users`"));
    assert!(!std::path::Path::new(&path(&folder)).exists(), "no file is made");
    let mut connection = connect(&folder).await;
    connection.execute(EARLY).await.unwrap();
    connection.close().await.unwrap();
    let before = schema(&folder).await;
    let steps: Vec<_> = plan().await.iter().map(ToString::to_string).collect();
    assert_eq!(steps[0], format!("copy `{}`, beside it", path(&folder)));
    for expected in [
        "add the column `applications.sort_key`",
        "fill `applications.created_at` in 3 rows",
        "fill `applications.sort_key` in 3 rows",
        "make the index `shardcast_messages_application_id` of the table `messages`, which has 2 rows",
    ] {
        assert!(steps.iter().any(|step| step == expected), "{expected}: {steps:#?}");
    }
    assert_eq!(schema(&folder).await, before);
    open(&folder).await.close().await;
    assert_eq!(plan().await, []);
}

#[tokio::test]
async fn a_newer_schema_is_refused_untouched() {
    for (change, reason) in [
        ("PRAGMA user_version = 99", "has the schema 99 of a newer shardcast"),
        (
            "ALTER TABLE users ADD COLUMN plan_id integer NOT NULL DEFAULT 0; PRAGMA writable_schema = ON; \
             UPDATE sqlite_master SET sql = replace(sql, ' DEFAULT 0', '') WHERE name = 'users'",
            "is the database of a newer Gotify: its column `users.plan_id` needs a value",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = connect(&folder).await;
        connection.execute(EARLY).await.unwrap();
        connection.execute(change).await.unwrap();
        connection.close().await.unwrap();
        let before = schema(&folder).await;
        let refused = Sqlite::open(&path(&folder)).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{refused}");
        assert_eq!(schema(&folder).await, before);
        let backup = format!("{}.before-shardcast", path(&folder));
        assert!(!std::path::Path::new(&backup).exists(), "no copy is made");
    }
}
