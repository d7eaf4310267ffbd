//! Files that are deleted, moved or replaced while they are open.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{in_new_folder, open, path};
use crate::model::{Application, MessageId, UserId};
use crate::store::conformance::{application, new_message, user};
use crate::store::sqlite::Sqlite;
use crate::store::{Clients as _, Database as _, Messages as _, StoreError, Users as _};

/// A database with an application and one message.
async fn with_a_message() -> (Sqlite, Application, TempDir) {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let sender = application(&database, &alice, "A1").await;
    let sent = database.insert_messages(&[new_message(alice.id, sender.id, "before")]).await;
    sent.unwrap();
    (database, sender, folder)
}

async fn send(database: &Sqlite, sender: &Application) -> Result<(), StoreError> {
    database.insert_messages(&[new_message(UserId(1), sender.id, "x")]).await.map(drop)
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>, because: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(because), "{cause}");
}

/// Nothing is stored, read or changed.
async fn assert_all_is_refused(database: &Sqlite, sender: &Application, because: &str) {
    for _ in 0..2 {
        assert_unavailable(send(database, sender).await, because);
        assert_unavailable(database.delete_client(crate::model::ClientId(1)).await, because);
    }
    database.check().await.unwrap_err();
}

async fn stored(database: &Sqlite) -> usize {
    database.count_messages_after(UserId(1), MessageId(0), 100).await.unwrap()
}

fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    fs::rename(from, to).unwrap();
}

#[tokio::test]
async fn what_is_written_into_a_file_that_was_moved_is_not_acknowledged_until_it_is_back() {
    let (database, sender, folder) = with_a_message().await;
    let (file, aside) = (path(&folder), folder.path().join("aside.db"));
    rename(&file, &aside);
    assert_all_is_refused(&database, &sender, "was deleted or moved while it was open").await;
    assert_unavailable(database.user_count().await, "was deleted or moved while it was open");
    assert!(!Path::new(&file).exists(), "no empty database is made in its place");
    rename(&aside, &file);
    database.check().await.unwrap();
    send(&database, &sender).await.unwrap();
    assert_eq!(stored(&database).await, 2);
}

#[tokio::test]
async fn a_folder_that_was_moved_is_noticed() {
    let (database, sender, folder) = with_a_message().await;
    let (data, aside) = (folder.path().join("data"), folder.path().join("aside"));
    rename(&data, &aside);
    assert_all_is_refused(&database, &sender, "was deleted or moved while it was open").await;
    rename(&aside, &data);
    send(&database, &sender).await.unwrap();
    assert_eq!(stored(&database).await, 2);
}

#[tokio::test]
async fn a_file_that_was_deleted_is_noticed_and_a_restart_begins_with_a_new_one() {
    let (database, sender, folder) = with_a_message().await;
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(path(&folder) + suffix).unwrap();
    }
    assert_all_is_refused(&database, &sender, "was deleted or moved while it was open").await;
    database.close().await;
    assert_eq!(open(&folder).await.user_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_that_was_replaced_is_not_used_before_a_restart() {
    let (database, sender, folder) = with_a_message().await;
    let (other, _keep) = {
        let (other, keep) = in_new_folder().await;
        user(&other, "bob").await;
        other.close().await;
        (PathBuf::from(path(&keep)), keep)
    };
    fs::copy(&other, folder.path().join("restored")).unwrap();
    rename(folder.path().join("restored"), path(&folder));
    assert_all_is_refused(&database, &sender, "is not the file that was opened, but another one").await;
    assert_unavailable(database.user_by_name("bob").await, "another one");
}

#[tokio::test]
async fn a_log_that_was_deleted_is_noticed_by_the_next_write() {
    let (database, sender, folder) = with_a_message().await;
    fs::remove_file(path(&folder) + "-wal").unwrap();
    assert_unavailable(send(&database, &sender).await, "gotify.db-wal` was deleted or moved");
}

#[tokio::test]
async fn a_log_or_an_index_that_was_deleted_is_noticed_and_nothing_is_lost_by_a_clean_end() {
    for suffix in ["-wal", "-shm"] {
        let (database, sender, folder) = with_a_message().await;
        fs::remove_file(path(&folder) + suffix).unwrap();
        database.check().await.unwrap_err();
        assert_all_is_refused(&database, &sender, "was deleted or moved while it was open").await;
        database.close().await;
        let reopened = open(&folder).await;
        assert_eq!(stored(&reopened).await, 1, "{suffix}");
        send(&reopened, &sender).await.unwrap();
    }
}

#[tokio::test]
async fn a_file_is_found_through_a_link() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("real.db"), "").unwrap();
    std::os::unix::fs::symlink(folder.path().join("real.db"), path(&folder)).unwrap();
    let database = open(&folder).await;
    let alice = user(&database, "alice").await;
    let sender = application(&database, &alice, "A1").await;
    send(&database, &sender).await.unwrap();
    assert!(folder.path().join("real.db-wal").exists());
    fs::remove_file(folder.path().join("real.db-wal")).unwrap();
    assert_unavailable(send(&database, &sender).await, "real.db-wal");
}
