//! A file that is locked, gone or read-only, and a disk that is full.

use std::sync::Arc;

use futures_util::FutureExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::{PATIENCE, in_new_folder, open, path};
use crate::model::{Application, MessageId, UserId};
use crate::store::conformance::{application, new_application, new_message, user};
use crate::store::last_check::LastCheck;
use crate::store::sql::cleaner::Cleaner;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::connection::writing;
use crate::store::sqlite::files::OpenedFiles;
use crate::store::sqlite::readers::Readers;
use crate::store::sqlite::writer::Writer;
use crate::store::{
    Applications as _, Database as _, Messages as _, NewMessage, OpenDatabaseError, StoreError, Users as _,
};

/// Another process, as it were.
pub(super) async fn other_connection(folder: &tempfile::TempDir) -> SqliteConnection {
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
pub(super) fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>) {
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
    let file = path(&folder);
    let keeps_the_log = other_connection(&folder).await;
    let options = writing(file.as_ref(), PATIENCE.lock).read_only(true);
    let connection = options.connect().await.unwrap();
    let files = Arc::new(OpenedFiles::of(file.as_ref()).unwrap());
    let writer = Arc::new(Writer::new(connection, options, PATIENCE, Arc::clone(&files)));
    let readers = Arc::new(Readers::new(file.as_ref(), PATIENCE, Arc::clone(&files)));
    let read_only = Sqlite {
        cleaner: Cleaner::spawn(Arc::clone(&readers), Arc::clone(&writer)),
        readers,
        writer,
        files,
        last_check: LastCheck::default(),
        lock: parking_lot::Mutex::default(),
        ..database
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
    assert_unavailable(database.check().await);
    assert_unavailable(database.applications(UserId(1)).await);
    assert_unavailable(database.insert_messages(&batch(&application, 1, 10)).await);
    assert_eq!(stored(&open(&folder).await).await, 0);
}

#[tokio::test]
async fn what_cannot_be_opened_is_named_with_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "this is no database, but long enough to look at: ".repeat(100)).unwrap();
    let (plain, folder) = (plain.to_str().unwrap(), folder.path().to_str().unwrap());
    for (connection, expected) in [
        ("", "it names no file; name one, such as `data/gotify.db`".to_owned()),
        (
            ":memory:",
            "a database in memory would lose what was acknowledged; name a file, such as `data/gotify.db`"
                .to_owned(),
        ),
        (folder, format!("`{folder}` is a folder; name a file in it, such as `{folder}/gotify.db`")),
        (
            plain,
            format!(
                "`{plain}` is not a SQLite database; name another file, or move this one away and a new database is made"
            ),
        ),
        (
            &format!("{plain}/gotify.db"),
            format!(
                "the folder `{plain}` must exist and be writable for this process (user {}), because SQLite keeps \
                 files beside the database",
                rustix::process::geteuid().as_raw()
            ),
        ),
    ] {
        let error = Sqlite::open(connection).await.unwrap_err();
        assert!(matches!(error, OpenDatabaseError::Unusable(_)), "{connection}: {error:?}");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    for (tables, missing) in [
        ("CREATE TABLE places (url TEXT)", "it has no table `users`"),
        ("CREATE TABLE users (id INTEGER, email TEXT)", "its table `users` has no column `name`"),
        (
            "CREATE TABLE users (id, name, pass, admin); CREATE TABLE messages (id, text)",
            "its table `messages` has no column `application_id`",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("theirs.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut theirs = options.connect().await.unwrap();
        theirs.execute(tables).await.unwrap();
        theirs.close().await.unwrap();
        let before = std::fs::read(&file).unwrap();

        let file = file.to_str().unwrap();
        let error = Sqlite::open(file).await.unwrap_err();
        let expected = format!(
            "`{file}` is the database of another program: {missing}; name another file, or move this one away and a \
             new database is made"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(std::fs::read(file).unwrap(), before, "{tables}");
        assert!(!folder.path().join("theirs.db.before-shardcast").exists(), "{tables}");
    }
}

#[tokio::test]
async fn a_cause_is_said_once() {
    let (database, folder) = in_new_folder().await;
    let application = sender(&database).await;
    let mut other = other_connection(&folder).await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    let error = database.insert_messages(&batch(&application, 1, 10)).await.unwrap_err();
    let texts: Vec<_> = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
        .map(ToString::to_string)
        .collect();
    assert_eq!(texts, ["the database can't insert messages now", "(code: 5) database is locked"]);
}
