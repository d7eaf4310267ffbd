//! Copies.

use std::fs;

use secrecy::ExposeSecret as _;
use tokio::sync::mpsc;

use super::continued::interrupt;
use super::{fill, publish, rows, sqlite, statements};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::store::NewMessage;
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::query;
use crate::store::sqlite::SqliteDialect;
use crate::store::transfer::bulk::{Access, BulkDialect as _};
use crate::store::transfer::source::Source;
use crate::store::transfer::table::TABLES;
use crate::store::transfer::{TransferError, copy};
use crate::store::{self, DatabaseConfig};

super::into_each_kind! {
    everything_is_copied_there_and_back
    ids_go_on_above_those_of_deleted_rows
    a_target_with_rows_is_refused_and_left_alone
    a_server_does_not_start_on_a_part_of_a_copy
}

async fn everything_is_copied_there_and_back(target: DatabaseConfig) {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, last] = [sqlite(&folders[0]), sqlite(&folders[1])];
    fill(&first).await;
    // NULL and odd values, as a Gotify or a person may have left them.
    let mut connection = statements(&first).await;
    for statement in [
        "UPDATE applications SET internal = NULL, last_used = NULL, description = NULL WHERE id = 1",
        "UPDATE clients SET expires_after_inactivity_seconds = NULL, last_used = 'soon'",
        "INSERT INTO plugin_confs (id, user_id, module_path, token, application_id, enabled, config, storage) \
         VALUES (7, 1, 'github.com/x', 'P1', 2, 1, x'00ff0a5c', NULL)",
    ] {
        connection.session().run(query(statement)).await.unwrap();
    }
    connection.close().await;
    let before = fs::read(folders[0].path().join("gotify.db")).unwrap();

    let moved = copy(&first, &target, false, &|_| ()).await.unwrap();
    let counts = [
        ("users", 2),
        ("applications", 2),
        ("clients", 1),
        ("shardcast_push", 1),
        ("shardcast_push_keys", 1),
        ("plugin_confs", 1),
        ("shardcast_keyed", 1),
        ("messages", 6),
    ];
    assert_eq!(moved.tables, counts);
    assert!(rows(&target).await == rows(&first).await);
    copy(&target, &last, false, &|_| ()).await.unwrap();
    assert!(rows(&last).await == rows(&first).await);
    assert!(fs::read(folders[0].path().join("gotify.db")).unwrap() == before, "the source is as it was");
}

async fn ids_go_on_above_those_of_deleted_rows(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let last = fill(&source).await;
    copy(&source, &target, false, &|_| ()).await.unwrap();
    assert_eq!(publish(&target).await, last + 1);
}

async fn a_target_with_rows_is_refused_and_left_alone(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    fill(&source).await;
    let database = store::open(&target).await.unwrap();
    user(&*database, "carol").await;
    database.close().await;
    let before = rows(&target).await;
    let error = copy(&source, &target, false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::NotEmpty { table: "users", .. }), "{error}");
    assert!(rows(&target).await == before);
    // So is one that a copy has filled.
    let other = tempfile::tempdir().unwrap();
    copy(&target, &sqlite(&other), false, &|_| ()).await.unwrap();
    copy(&target, &sqlite(&other), false, &|_| ()).await.unwrap_err();
}

async fn a_server_does_not_start_on_a_part_of_a_copy(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    fill(&source).await;
    interrupt(&source, &target, false, 0).await;
    let error = store::open(&target).await.unwrap_err().to_string();
    assert!(error.contains("run `shardcast copy` or `shardcast restore` again"), "{error}");
    copy(&source, &target, false, &|_| ()).await.unwrap();
    store::open(&target).await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_of_an_old_gotify_is_copied_and_stays_as_it_is() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [old, new] = [sqlite(&folders[0]), sqlite(&folders[1])];
    fs::write(folders[0].path().join("gotify.db"), "").unwrap();
    let mut connection = statements(&old).await;
    for statement in [
        "PRAGMA journal_mode = DELETE",
        "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name varchar(180), pass blob, admin bool)",
        "CREATE TABLE applications (id integer PRIMARY KEY AUTOINCREMENT, token varchar(180), user_id integer, name text)",
        "CREATE TABLE clients (id integer PRIMARY KEY AUTOINCREMENT, token varchar(180), user_id integer, name text)",
        "CREATE TABLE messages (id integer PRIMARY KEY AUTOINCREMENT, application_id integer, message text, title text, \
         priority integer, date datetime)",
        "INSERT INTO users VALUES (1, 'alice', 'hash', 1)",
        "INSERT INTO applications VALUES (1, 'A1', 1, 'backup')",
        "INSERT INTO messages VALUES (41, 1, 'done', '', 5, '2020-01-02 03:04:05')",
    ] {
        connection.session().run(query(statement)).await.unwrap();
    }
    connection.close().await;
    let file = folders[0].path().join("gotify.db");
    let before = fs::read(&file).unwrap();
    copy(&old, &new, false, &|_| ()).await.unwrap();
    assert!(fs::read(&file).unwrap() == before, "the source is as it was");
    assert_eq!(publish(&new).await, 42);
}

#[tokio::test]
async fn a_source_that_is_not_there_is_not_made() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let error = copy(&sqlite(&folders[0]), &sqlite(&folders[1]), false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::NoSource(_)), "{error}");
    for folder in folders {
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// What only SQLite holds.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn leaves_out(target: DatabaseConfig, text: String, reason: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let database = store::open(&source).await.unwrap();
    let alice = user(&*database, "alice").await;
    let sender = application(&*database, &alice, "A1").await;
    let short = new_message(alice.id, sender.id, "short");
    let odd = NewMessage { message: text, ..short.clone() };
    database.insert_messages(&[short.clone(), odd, short]).await.unwrap();
    database.close().await;

    let error = copy(&source, &target, false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::Unstorable { table: "messages", id: 2, .. }), "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    let moved = copy(&source, &target, true, &|_| ()).await.unwrap();
    assert_eq!((moved.left_out, moved.tables.last()), (1, Some(&("messages", 2))));
    let mut expected = rows(&source).await;
    expected.last_mut().unwrap().remove(1);
    assert!(rows(&target).await == expected);
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_nul_is_named_and_may_be_left_out_on_postgres() {
    let reason = "its `message` has a NUL, which PostgreSQL can't hold";
    leaves_out(super::postgres().await, "before\0after".to_owned(), reason).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_text_that_is_too_long_is_named_and_may_be_left_out_on_mysql() {
    let reason = "its `message` has 65536 bytes, and MariaDB or MySQL holds 65535 at most";
    leaves_out(super::mysql().await, "x".repeat(65_536), reason).await;
}

#[tokio::test]
async fn messages_in_one_value_are_the_same_as_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    fill(&source).await;
    let mut connection = statements(&source).await;
    for statement in [
        // What columns of SQLite may hold besides: other kinds of values, NULL, NUL, and bytes that are no text.
        "INSERT INTO messages (id, application_id, message, title, priority, extras, date) VALUES \
         (100, NULL, NULL, NULL, NULL, NULL, NULL), (101, 1, 12, 1.5, '7', 'text', 1700000000), \
         (102, 1, x'00ff20', 'a' || char(0) || 'b', 2.9, x'', 'soon'), (103, 1, '', ' - 5 ', -1, x'2d20', '')",
        "WITH RECURSIVE n(i) AS (SELECT 200 UNION ALL SELECT i + 1 FROM n WHERE i < 700) \
         INSERT INTO messages (id, application_id, message, title, priority, date) \
         SELECT i * 3, 1, printf('%d ü', i), '', i % 11, '2026-01-02 03:04:05.5+02:00' FROM n",
    ] {
        connection.session().run(query(statement)).await.unwrap();
    }
    connection.close().await;
    let mut read = Vec::new();
    for packed in [0, 1, 7, 256] {
        let connection = SqliteDialect::connect(source.connection.expose_secret(), Access::Read).await;
        let mut connection = connection.unwrap().unwrap();
        assert!(connection.packed_messages > 0, "messages of this size are read in one value");
        connection.packed_messages = packed;
        let (sender, mut batches) = mpsc::channel(64);
        let messages = TABLES.iter().find(|table| table.name == "messages").unwrap();
        Source::read(&mut connection, messages, 3..=u64::MAX, sender).await.unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = batches.recv().await {
            rows.extend(batch);
        }
        read.push(rows);
    }
    assert_eq!(read[0].len(), 509, "all but the first two");
    for rows in &read[1..] {
        assert_eq!(*rows, read[0]);
    }
}
