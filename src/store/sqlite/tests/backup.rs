//! The copy of a Gotify's file.

use std::fs;
use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

use super::upgrade::{EARLY, connect};
use super::{in_new_folder, open, path};
use crate::store::Database as _;

/// The files of a folder that are copies.
fn copies(folder: &TempDir) -> Vec<String> {
    let files = fs::read_dir(folder.path().join("data")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut copies: Vec<String> = names.filter(|name| name.contains("before-shardcast")).collect();
    copies.sort();
    copies
}

fn copy(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join("data").join(name)
}

async fn gotifys() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder).await;
    connection.execute(EARLY).await.unwrap();
    connection.close().await.unwrap();
    folder
}

#[tokio::test]
async fn a_gotifys_file_is_copied_as_it_was_and_only_once() {
    let folder = gotifys().await;
    for _ in 0..2 {
        open(&folder).await.close().await;
        assert_eq!(copies(&folder), ["gotify.db.before-shardcast"]);
    }
    let copy = copy(&folder, "gotify.db.before-shardcast");
    let mut copied = SqliteConnectOptions::new().filename(&copy).connect().await.unwrap();
    let columns: i64 = sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('clients')")
        .fetch_one(&mut copied)
        .await
        .unwrap();
    assert_eq!(columns, 4, "nothing is added to the copy");
    let messages: Vec<(i64, String)> =
        sqlx::query_as("SELECT id, message FROM messages ORDER BY id").fetch_all(&mut copied).await.unwrap();
    assert_eq!(messages, [(10, "done".to_owned()), (11, "ran".to_owned())]);
    let next: i64 = sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'messages'")
        .fetch_one(&mut copied)
        .await
        .unwrap();
    assert_eq!(next, 11, "ids are not given again there either");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |file: &std::path::Path| fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode(&copy), mode(path(&folder).as_ref()));
    }
}

#[tokio::test]
async fn a_copy_is_never_written_over() {
    let folder = gotifys().await;
    let first = copy(&folder, "gotify.db.before-shardcast");
    fs::write(&first, "of another day").unwrap();
    // As a start leaves it that was interrupted.
    fs::write(copy(&folder, "gotify.db.before-shardcast.unfinished"), "half a copy").unwrap();
    open(&folder).await.close().await;
    assert_eq!(copies(&folder), ["gotify.db.before-shardcast", "gotify.db.before-shardcast-2"]);
    assert_eq!(fs::read_to_string(&first).unwrap(), "of another day");
    assert!(fs::metadata(copy(&folder, "gotify.db.before-shardcast-2")).unwrap().len() > 0);
}

#[tokio::test]
async fn what_an_interrupted_copy_has_left_is_removed_by_the_next_start() {
    let folder = gotifys().await;
    // Killed while it copied: now, and in an earlier version, which took the name first.
    fs::write(copy(&folder, "gotify.db.before-shardcast.unfinished"), "half a copy").unwrap();
    fs::write(copy(&folder, "gotify.db.before-shardcast"), "").unwrap();
    open(&folder).await.close().await;
    assert_eq!(copies(&folder), ["gotify.db.before-shardcast"]);
    assert!(fs::metadata(copy(&folder, "gotify.db.before-shardcast")).unwrap().len() > 0);
    // Killed before the new file was begun: nothing is to be copied, and nothing is left.
    fs::write(copy(&folder, "gotify.db.before-shardcast.unfinished"), "half a copy").unwrap();
    open(&folder).await.close().await;
    assert_eq!(copies(&folder), ["gotify.db.before-shardcast"]);
}

#[tokio::test]
async fn a_copy_that_fails_leaves_nothing() {
    let folder = gotifys().await;
    let mut other = connect(&folder).await;
    // A file whose second half is gone: `VACUUM INTO` begins and fails.
    other.execute("CREATE TABLE large (x); INSERT INTO large VALUES (zeroblob(1000000))").await.unwrap();
    other.close().await.unwrap();
    let file = fs::OpenOptions::new().write(true).open(path(&folder)).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    super::Sqlite::open(&path(&folder)).await.unwrap_err();
    assert_eq!(copies(&folder), [""; 0]);
}

#[tokio::test]
async fn a_file_of_our_own_is_not_copied() {
    let (database, folder) = in_new_folder().await;
    database.close().await;
    // As the first versions left it: without a mark.
    let mut connection = connect(&folder).await;
    connection.execute("PRAGMA application_id = 0").await.unwrap();
    connection.close().await.unwrap();
    open(&folder).await.close().await;
    assert_eq!(copies(&folder), [""; 0]);
    // A Gotify had it in between, and dropped the index.
    let mut connection = connect(&folder).await;
    connection.execute("DROP INDEX shardcast_messages_application_id").await.unwrap();
    connection.close().await.unwrap();
    open(&folder).await.close().await;
    assert_eq!(copies(&folder), [""; 0]);
}

#[tokio::test]
async fn without_its_copy_a_gotifys_file_is_not_touched() {
    let folder = gotifys().await;
    let before = fs::read(path(&folder)).unwrap();
    // Nothing can be removed that is a folder with something in it.
    fs::create_dir_all(copy(&folder, "gotify.db.before-shardcast.unfinished/x")).unwrap();
    let error = super::Sqlite::open(&path(&folder)).await.unwrap_err();
    let expected = format!(
        "failed to copy `{}` before its first use here; its folder must be writable and have room for the copy",
        path(&folder)
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
}
