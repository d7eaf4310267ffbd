//! A file that is locked, gone or read-only, and a disk that is full.

use futures_util::FutureExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Executor as _};

use super::{in_new_folder, open, path};
use crate::model::{Application, MessageId, UserId};
use crate::store::conformance::{application, new_application, new_message, user};
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::connection::{Readers, Writer, writing};
use crate::store::{Applications as _, Database as _, Messages as _, NewMessage, StoreError, Users as _};

/// Another process, as it were.
async fn other_connection(folder: &tempfile::TempDir) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path(folder)).connect().await.unwrap()
}

async fn sender(database: &Sqlite) -> Application {
    let alice = user(database, "alice").await;
    application(database, &alice, "A1").await
}

fn batch(application: &Application, rows: usize, bytes: usize) -> Vec<NewMessage> {
    vec![new_message(UserId(1), application.id, &"x".repeat(bytes)); rows]
}

async fn stored(database: &Sqlite) -> usize {
    database.count_messages_after(UserId(1), MessageId(0), 10_000).await.unwrap()
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn while_another_process_holds_the_lock_writes_are_unavailable_and_reads_go_on() {
    let (database, folder) = in_new_folder().await;
    let application = sender(&database).await;
    let mut other = other_connection(&folder).await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert_unavailable(database.insert_messages(&batch(&application, 3, 10)).await);
    assert_unavailable(database.create_application(new_application(UserId(1), "A2")).await);
    assert_eq!(database.applications(UserId(1)).await.unwrap(), std::slice::from_ref(&application));
    other.execute("ROLLBACK").await.unwrap();
    database.insert_messages(&batch(&application, 3, 10)).await.unwrap();
    assert_eq!(stored(&database).await, 3);
}

#[tokio::test]
async fn on_a_full_disk_nothing_of_a_batch_is_stored_and_reads_go_on() {
    let (database, _folder) = in_new_folder().await;
    let application = sender(&database).await;
    database.insert_messages(&batch(&application, 2, 10)).await.unwrap();
    // SQLite answers SQLITE_FULL both when the disk is full and when the file may not grow.
    let mut lease = database.writer.lease("fill the disk").await.unwrap();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *lease).await.unwrap();
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    lease.execute(limit(pages + 4)).await.unwrap();
    drop(lease);
    for _ in 0..3 {
        assert_unavailable(database.insert_messages(&batch(&application, 64, 4096)).await);
        assert_unavailable(
            database.create_application(new_application(UserId(1), &"A".repeat(100_000))).await,
        );
    }
    assert_eq!(stored(&database).await, 2);
    assert_eq!(database.applications(UserId(1)).await.unwrap().len(), 1);
    database.insert_messages(&batch(&application, 1, 10)).await.expect("what fits is still taken");
    let mut lease = database.writer.lease("make room").await.unwrap();
    lease.execute(limit(1_000_000)).await.unwrap();
    drop(lease);
    database.insert_messages(&batch(&application, 64, 4096)).await.unwrap();
    assert_eq!(stored(&database).await, 67);
}

#[tokio::test]
async fn a_file_that_can_only_be_read_is_unavailable_for_writes() {
    let (database, folder) = in_new_folder().await;
    let application = sender(&database).await;
    database.close().await;
    let (file, patience) = (path(&folder), std::time::Duration::ZERO);
    let keeps_the_log = other_connection(&folder).await;
    let read_only = Sqlite {
        writer: Writer::new(writing(file.as_ref(), patience).read_only(true)),
        readers: Readers::new(file.as_ref(), patience),
    };
    assert_unavailable(read_only.insert_messages(&batch(&application, 1, 10)).await);
    assert_unavailable(read_only.create_application(new_application(UserId(1), "A2")).await);
    assert_eq!(read_only.applications(UserId(1)).await.unwrap(), [application]);
    drop(keeps_the_log);
}

#[tokio::test]
async fn a_connection_that_can_no_longer_write_is_opened_anew() {
    let (database, _folder) = in_new_folder().await;
    let application = sender(&database).await;
    let mut lease = database.writer.lease("forbid writing").await.unwrap();
    lease.execute("PRAGMA query_only = ON").await.unwrap();
    drop(lease);
    assert_unavailable(database.insert_messages(&batch(&application, 1, 10)).await);
    database.insert_messages(&batch(&application, 1, 10)).await.unwrap();
    assert_eq!(stored(&database).await, 1);
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_rolled_back() {
    let (database, _folder) = in_new_folder().await;
    let application = sender(&database).await;
    let mut lease = database.writer.lease("be dropped").await.unwrap();
    lease.execute("BEGIN IMMEDIATE; DELETE FROM applications").await.unwrap();
    drop(lease);
    database.insert_messages(&batch(&application, 1, 10)).await.unwrap();
    let mut lease = database.writer.lease("fail").await.unwrap();
    lease.execute("BEGIN IMMEDIATE; DELETE FROM applications").await.unwrap();
    lease.end::<()>(Err(sqlx::Error::RowNotFound)).await.unwrap_err();
    assert!(database.delete_message(UserId(1), MessageId(1)).await.unwrap());
    assert_eq!(database.applications(UserId(1)).await.unwrap(), [application]);
}

#[tokio::test]
async fn a_write_whose_future_is_dropped_happens_or_not() {
    let (database, _folder) = in_new_folder().await;
    let kept = sender(&database).await;
    let mut outcomes = std::collections::BTreeSet::new();
    // Dropped ever later: before they begin, between their statements, after they ended.
    for polls in 0..40 {
        let victim =
            database.create_application(new_application(UserId(1), &format!("B{polls}"))).await.unwrap();
        database.insert_messages(&batch(&victim, 3, 10)).await.unwrap();
        let before = stored(&database).await;
        let rows = batch(&kept, 5, 10);
        let mut deletion = database.delete_application(victim.id);
        let mut insertion = database.insert_messages(&rows);
        for _ in 0..polls {
            let ended = (&mut deletion).now_or_never().is_some() || (&mut insertion).now_or_never().is_some();
            if ended {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop((deletion, insertion));
        // The next write runs after whatever the dropped ones left.
        database.set_password_hash(UserId(1), "x").await.unwrap();
        let deleted = database.application(victim.id).await.unwrap().is_none();
        let change = stored(&database).await + 5 * usize::from(deleted) - before;
        assert!(if deleted { [2, 7] } else { [0, 5] }.contains(&change), "deleted {deleted}, {change}");
        outcomes.insert(deleted);
    }
    assert!(outcomes.contains(&false), "a deletion that was never polled does not happen");
}

#[tokio::test]
async fn a_closed_database_is_unavailable() {
    let (database, folder) = in_new_folder().await;
    let application = sender(&database).await;
    database.close().await;
    database.close().await;
    assert_unavailable(database.ping().await);
    assert_unavailable(database.applications(UserId(1)).await);
    assert_unavailable(database.insert_messages(&batch(&application, 1, 10)).await);
    assert_eq!(stored(&open(&folder).await).await, 0);
}

#[tokio::test]
async fn what_cannot_be_opened_says_whether_it_may_be_later() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "this is no database, but long enough to look at: ".repeat(100)).unwrap();
    let below = plain.join("gotify.db");
    assert_unavailable(Sqlite::open(below.to_str().unwrap()).await);
    for connection in [plain.to_str().unwrap(), ":memory:", ""] {
        let error = Sqlite::open(connection).await.unwrap_err();
        assert!(matches!(error, StoreError::Failed { .. }), "{connection}: {error:?}");
    }
}
