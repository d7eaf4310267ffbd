//! The lock of the server that has the database.

use std::fs;

use super::{PATIENCE, in_new_folder, open, path};
use crate::store::conformance::user;
use crate::store::sqlite::Sqlite;
use crate::store::{Database as _, OpenDatabaseError, Users as _};

#[tokio::test]
async fn a_second_server_is_refused_and_told_who_has_the_database() {
    let (database, folder) = in_new_folder().await;
    let process = std::process::id();
    for connection in [path(&folder), format!("file:{}", path(&folder))] {
        let error = Sqlite::open(&connection).await.unwrap_err();
        assert!(matches!(error, OpenDatabaseError::InUse { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("it is used by another server, process {process} on `")), "{text}");
        assert!(text.contains("`, since 20"), "{text}");
    }
    user(&database, "alice").await;
    database.close().await;
    assert_eq!(open(&folder).await.user_count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_has_one_lock_under_all_its_names() {
    let (_database, folder) = in_new_folder().await;
    let linked = folder.path().join("linked.db");
    std::os::unix::fs::symlink(path(&folder), &linked).unwrap();
    Sqlite::open_file(&linked, PATIENCE).await.unwrap_err();
}

#[tokio::test]
async fn a_second_server_is_refused_although_the_lock_file_was_deleted() {
    let (database, folder) = in_new_folder().await;
    let lock = path(&folder) + ".lock";
    for _ in 0..2 {
        fs::remove_file(&lock).unwrap();
        let error = Sqlite::open(&path(&folder)).await.unwrap_err();
        assert!(matches!(error, OpenDatabaseError::InUse { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("it is used by another server, whose lock file `"), "{text}");
        assert!(text.contains("gotify.db.lock` was deleted; stop that one first"), "{text}");
    }
    // Commands are let in all the same, and the server goes on.
    let command = Sqlite::open_beside_server(&path(&folder)).await.unwrap();
    user(&command, "alice").await;
    command.close().await;
    user(&database, "bob").await;
    database.close().await;
    assert_eq!(open(&folder).await.user_count().await.unwrap(), 2);
}

#[tokio::test]
async fn a_lock_ends_with_its_database_and_what_it_leaves_is_no_lock() {
    let (database, folder) = in_new_folder().await;
    drop(database);
    // As a server leaves it that was killed.
    fs::write(folder.path().join("data/gotify.db.lock"), "process 1 on `elsewhere`, since yesterday")
        .unwrap();
    open(&folder).await.close().await;
}
