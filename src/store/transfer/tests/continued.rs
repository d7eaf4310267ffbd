//! Copies that are continued after the source has changed.

use std::sync::atomic::{AtomicU64, Ordering};

use secrecy::ExposeSecret as _;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Notify;

use super::{rows, sqlite, statements};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::store::NewMessage;
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::query;
use crate::store::transfer::table::MESSAGES;
use crate::store::transfer::target::{self, DatabaseTarget, Job, JobKind};
use crate::store::transfer::{TransferError, TransferProgress, copy, source};
use crate::store::{self, DatabaseConfig, NewClient};

super::into_each_kind! {
    an_interrupted_copy_goes_on_where_it_was
    a_continued_copy_has_what_has_changed_at_the_source
    a_continued_copy_has_nothing_of_a_source_that_was_replaced
}

/// Makes more messages than one transaction of a copy has.
async fn fill_with_many(config: &DatabaseConfig) -> u64 {
    let database = store::open(config).await.unwrap();
    let alice = user(&*database, "alice").await;
    let sender = application(&*database, &alice, "A1").await;
    application(&*database, &alice, "A2").await;
    for token in ["C1", "C2"] {
        database.create_client(NewClient::new(alice.id, token, "phone", super::at(5))).await.unwrap();
    }
    // Also more bytes than PostgreSQL is given at once.
    let batch = vec![new_message(alice.id, sender.id, &"x".repeat(1000)); 4096];
    for _ in 0..8 {
        database.insert_messages(&batch).await.unwrap();
    }
    database.close().await;
    8 * 4096
}

/// Copies until so many messages were written, and drops the copy.
pub(super) async fn interrupt(
    source: &DatabaseConfig,
    target: &DatabaseConfig,
    leave_out: bool,
    messages: u64,
) {
    let enough = Notify::new();
    let on_progress = |at: TransferProgress| {
        if at.table == "messages" && at.done >= messages {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => {}
        done = copy(source, target, leave_out, &on_progress) => panic!("it was not interrupted: {done:?}"),
    }
}

/// Copies the rest, and returns how many messages are there then, and how many came after those of the first run.
async fn go_on(source: &DatabaseConfig, target: &DatabaseConfig) -> (u64, u64) {
    let again = AtomicU64::new(0);
    let on_progress = |at: TransferProgress| {
        if at.table == "messages" {
            again.store(at.done, Ordering::Relaxed);
        }
    };
    let moved = copy(source, target, false, &on_progress).await.unwrap();
    (moved.tables[MESSAGES].1, again.into_inner())
}

async fn change(config: &DatabaseConfig, changes: &[&str]) {
    let mut connection = statements(config).await;
    for statement in changes {
        connection.session().run(query(statement)).await.unwrap();
    }
    connection.close().await;
}

async fn an_interrupted_copy_goes_on_where_it_was(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let total = fill_with_many(&source).await;
    interrupt(&source, &target, false, 6 * 4096).await;
    // Nothing but the same copy goes on there.
    let other = tempfile::tempdir().unwrap();
    super::fill(&sqlite(&other)).await;
    let error = copy(&sqlite(&other), &target, false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::OtherCopy { .. }), "{error}");

    let (copied, again) = go_on(&source, &target).await;
    assert_eq!(copied, total);
    assert!(0 < again && again < total, "{again} rows were copied the second time");
    assert!(rows(&target).await == rows(&source).await);
}

async fn a_continued_copy_has_what_has_changed_at_the_source(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let total = fill_with_many(&source).await;
    interrupt(&source, &target, false, 6 * 4096).await;
    let changes = [
        "UPDATE users SET pass = x'6e6577'",
        "UPDATE applications SET token = 'A3', name = 'renamed', read_up_to = 77 WHERE id = 1",
        // Both the number and the sum of ids stay the same.
        "UPDATE clients SET token = 'C3' WHERE id = 2",
        "UPDATE clients SET id = 3 WHERE id = 2",
        "UPDATE clients SET id = 0 WHERE id = 1",
        "DELETE FROM clients WHERE id = 0",
        "INSERT INTO shardcast_keyed (id, application_id, replace_key) VALUES (9, 1, 'new')",
        // The first message, one at the border of two parts, and two that only their contents tell apart.
        "DELETE FROM messages WHERE id IN (1, 8191)",
        "UPDATE messages SET message = 'short' WHERE id = 12345",
        "UPDATE messages SET application_id = 2, priority = priority + 1 WHERE id = 10000",
    ];
    change(&source, &changes).await;
    // It may be interrupted once more.
    interrupt(&source, &target, false, 0).await;
    let (copied, again) = go_on(&source, &target).await;
    assert_eq!(copied, total - 2);
    assert!(again < total, "{again} rows were copied the second time");
    assert!(rows(&target).await == rows(&source).await);
    store::open(&target).await.unwrap().close().await;
}

async fn a_continued_copy_has_nothing_of_a_source_that_was_replaced(target: DatabaseConfig) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    fill_with_many(&source).await;
    interrupt(&source, &target, false, 6 * 4096).await;
    for file in ["gotify.db", "gotify.db-wal", "gotify.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    super::fill(&source).await;
    copy(&source, &target, false, &|_| ()).await.unwrap();
    assert!(rows(&target).await == rows(&source).await);
}

#[tokio::test]
async fn a_target_that_is_changed_while_a_copy_goes_on_is_noticed() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [from, to] = [sqlite(&folders[0]), sqlite(&folders[1])];
    fill_with_many(&from).await;
    interrupt(&from, &to, false, 6 * 4096).await;
    let mut reading = source::open(&from).await.unwrap();
    let job = Job { source: reading.place(), kind: JobKind::Copy };
    let mut writing: Box<dyn DatabaseTarget> = target::open(&to, &job).await.unwrap();
    let parts = reading.parts(writing.after(MESSAGES)).await.unwrap();
    assert_eq!(writing.outdated(&parts).await.unwrap(), []);
    let file = format!("sqlite://{}", to.connection.expose_secret());
    let options: sqlx::sqlite::SqliteConnectOptions = file.parse().unwrap();
    let mut other = options.connect().await.unwrap();
    let statement = "UPDATE messages SET title = 'another' WHERE id = 5000";
    sqlx::query(statement).execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let error = writing.verify().await.unwrap_err();
    let TransferError::Changed { table: "messages", first: 4096, last: 8191, .. } = error else {
        panic!("{error}")
    };
    drop(writing);
    reading.close().await;
    // As the error says, it is enough to copy once more.
    copy(&from, &to, false, &|_| ()).await.unwrap();
    assert!(rows(&to).await == rows(&from).await);
}

/// Does what the error of a row says that the target can't hold.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn a_row_is_deleted_at_the_source(target: DatabaseConfig, text: String) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let database = store::open(&source).await.unwrap();
    let alice = user(&*database, "alice").await;
    let sender = application(&*database, &alice, "A1").await;
    let short = new_message(alice.id, sender.id, "short");
    let odd = NewMessage { message: text, ..short.clone() };
    database.insert_messages(&[short.clone(), odd.clone(), short.clone()]).await.unwrap();
    let error = copy(&source, &target, false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::Unstorable { table: "messages", id: 2, .. }), "{error}");

    // A server runs on it for that.
    assert!(database.delete_message(alice.id, crate::model::MessageId(2)).await.unwrap());
    assert!(database.delete_message(alice.id, crate::model::MessageId(1)).await.unwrap());
    database.insert_messages(&[short.clone(), odd]).await.unwrap();
    database.close().await;
    change(&source, &["UPDATE users SET pass = x'6e6577'", "UPDATE applications SET token = 'A2'"]).await;
    let moved = copy(&source, &target, true, &|_| ()).await.unwrap();
    assert_eq!((moved.left_out, moved.tables[MESSAGES].1), (1, 2));
    let mut expected = rows(&source).await;
    expected[MESSAGES].pop();
    assert!(rows(&target).await == expected);
}

/// Leaves out a row, which is left out again when the copy goes on, unless the source has a better one by then.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn a_row_is_left_out_twice(targets: [DatabaseConfig; 2], text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let source = sqlite(&folder);
    let total = fill_with_many(&source).await;
    let mut connection = statements(&source).await;
    let spoiling = query("UPDATE messages SET title = ? WHERE id = 5000").bind(text);
    connection.session().run(spoiling).await.unwrap();
    connection.close().await;
    for target in &targets {
        interrupt(&source, target, true, 6 * 4096).await;
    }
    let error = copy(&source, &targets[0], false, &|_| ()).await.unwrap_err();
    assert!(matches!(error, TransferError::Unstorable { table: "messages", id: 5000, .. }), "{error}");
    let moved = copy(&source, &targets[0], true, &|_| ()).await.unwrap();
    assert_eq!((moved.left_out, moved.tables[MESSAGES].1), (1, total - 1));

    change(&source, &["UPDATE messages SET title = 'short' WHERE id = 5000"]).await;
    let moved = copy(&source, &targets[1], false, &|_| ()).await.unwrap();
    assert_eq!((moved.left_out, moved.tables[MESSAGES].1), (0, total));
    assert!(rows(&targets[1]).await == rows(&source).await);
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_row_that_is_deleted_at_the_source_and_other_changes_reach_postgres() {
    a_row_is_deleted_at_the_source(super::postgres().await, "before\0after".to_owned()).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
#[cfg_attr(not(test_postgres), ignore = "`.ci/servers.py` starts a server")]
async fn a_row_that_was_left_out_is_looked_at_again_on_postgres() {
    a_row_is_left_out_twice([super::postgres().await, super::postgres().await], "before\0after").await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_row_that_is_deleted_at_the_source_and_other_changes_reach_mysql() {
    a_row_is_deleted_at_the_source(super::mysql().await, "x".repeat(65_536)).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
#[cfg_attr(not(test_mysql), ignore = "`.ci/servers.py` starts a server")]
async fn a_row_that_was_left_out_is_looked_at_again_on_mysql() {
    a_row_is_left_out_twice([super::mysql().await, super::mysql().await], &"x".repeat(65_536)).await;
}
