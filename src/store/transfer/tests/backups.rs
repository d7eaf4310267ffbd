//! Backups, and what is restored of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{fill, publish, rows, sqlite};
use crate::store::conformance::user;
use crate::store::transfer::{Moved, RESTORE_GAP, RestoreOptions, TransferError, backup, copy, restore};
use crate::store::{self, DatabaseConfig, ImageName};

super::into_each_kind! {
    a_backup_is_restored_into_every_kind_of_database
    a_restore_replaces_rows_only_if_it_is_told_to
    pictures_that_the_database_keeps_move_with_it
}

/// A filled database with a picture, and where its backup goes.
struct Original {
    folder: TempDir,
    database: DatabaseConfig,
    /// The highest id that a message got.
    last: u64,
}

impl Original {
    async fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = sqlite(&folder);
        let last = fill(&database).await;
        fs::create_dir(folder.path().join("images")).unwrap();
        fs::write(folder.path().join("images/picture.png"), [0, 1, 2, 0xff]).unwrap();
        Self { folder, database, last }
    }

    fn images(&self) -> PathBuf {
        self.folder.path().join("images")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("backup.jsonl")
    }

    async fn back_up(&self) -> Result<Moved, TransferError> {
        backup(&self.database, Some(&self.images()), &self.file(), &|_| ()).await
    }
}

const REPLACE: RestoreOptions = RestoreOptions { replace: true, leave_out: false };

async fn restore_into(target: &DatabaseConfig, file: &Path, images: &Path) -> Result<Moved, TransferError> {
    restore(file, target, Some(images), RestoreOptions::default(), &|_| ()).await
}

async fn a_backup_is_restored_into_every_kind_of_database(target: DatabaseConfig) {
    let original = Original::make().await;
    original.back_up().await.unwrap();
    let images = tempfile::tempdir().unwrap();
    let images = images.path().join("new/images");
    let moved = restore_into(&target, &original.file(), &images).await.unwrap();
    assert_eq!((moved.tables.last(), moved.pictures), (Some(&("messages", 6)), 1));
    assert!(rows(&target).await == rows(&original.database).await);
    assert_eq!(fs::read(images.join("picture.png")).unwrap(), [0, 1, 2, 0xff]);
    // A client may have seen messages that came after the backup.
    assert_eq!(publish(&target).await, original.last + RESTORE_GAP + 1);
    // A backup of that kind has the same rows.
    let again = images.join("../again");
    backup(&target, Some(&images), &again, &|_| ()).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    restore_into(&sqlite(&other), &again, &other.path().join("images")).await.unwrap();
    assert!(rows(&sqlite(&other)).await == rows(&target).await);
}

async fn a_restore_replaces_rows_only_if_it_is_told_to(target: DatabaseConfig) {
    let original = Original::make().await;
    original.back_up().await.unwrap();
    let database = store::open(&target).await.unwrap();
    user(&*database, "carol").await;
    database.close().await;
    let before = rows(&target).await;
    let images = original.folder.path().join("others");
    let error = restore_into(&target, &original.file(), &images).await.unwrap_err();
    assert!(matches!(error, TransferError::NotEmptyToRestore { table: "users", .. }), "{error}");
    assert!(rows(&target).await == before);
    restore(&original.file(), &target, Some(&images), REPLACE, &|_| ()).await.unwrap();
    assert!(rows(&target).await == rows(&original.database).await);
}

/// From a folder into the target, from there into a file, and into a folder again.
async fn pictures_that_the_database_keeps_move_with_it(target: DatabaseConfig) {
    let original = Original::make().await;
    original.back_up().await.unwrap();
    let moved = restore(&original.file(), &target, None, REPLACE, &|_| ()).await.unwrap();
    assert_eq!(moved.pictures, 1);
    // It was put there by nobody, and is not of the next backup.
    let database = store::open(&target).await.unwrap();
    database.save_picture(&ImageName::parse("old.png").unwrap(), b"old").await.unwrap();
    database.close().await;
    restore(&original.file(), &target, None, REPLACE, &|_| ()).await.unwrap();

    let [folder, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    assert_eq!(copy(&target, &sqlite(&folder), false, &|_| ()).await.unwrap().pictures, 1);
    let (file, images) = (folder.path().join("backup.jsonl"), other.path().join("images"));
    assert_eq!(backup(&sqlite(&folder), None, &file, &|_| ()).await.unwrap().pictures, 1);
    let moved = restore_into(&sqlite(&other), &file, &images).await.unwrap();
    assert_eq!(moved.pictures, 1);
    assert_eq!(fs::read(images.join("picture.png")).unwrap(), [0, 1, 2, 0xff]);
}

#[tokio::test]
async fn a_backup_is_made_while_the_database_is_used_and_only_its_owner_can_read_it() {
    let original = Original::make().await;
    let server = store::open(&original.database).await.unwrap();
    original.back_up().await.unwrap();
    server.close().await;
    assert_eq!(fs::metadata(original.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_backup_never_replaces_a_file() {
    let original = Original::make().await;
    fs::write(original.file(), "yesterday's").unwrap();
    let error = original.back_up().await.unwrap_err();
    assert!(matches!(error, TransferError::Exists(_)), "{error}");
    assert_eq!(fs::read_to_string(original.file()).unwrap(), "yesterday's");
}

#[tokio::test]
async fn a_backup_that_fails_leaves_nothing() {
    let original = Original::make().await;
    // No picture can be read of this.
    fs::remove_dir_all(original.images()).unwrap();
    fs::write(original.images(), "").unwrap();
    original.back_up().await.unwrap_err();
    let left = fs::read_dir(original.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_str().unwrap().contains("backup")));
}

#[tokio::test]
async fn a_damaged_backup_is_refused_and_nothing_is_made() {
    let original = Original::make().await;
    original.back_up().await.unwrap();
    let whole = fs::read(original.file()).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let without = |number: usize| {
        let lines = text.lines().enumerate().filter(|(at, _)| *at != number);
        lines.flat_map(|(_, line)| [line.as_bytes(), b"\n"].concat()).collect::<Vec<u8>>()
    };
    let mut damaged = vec![
        (whole[..whole.len() - 1].to_vec(), "ends too early"),
        (whole[..whole.len() / 2].to_vec(), "ends too early"),
        (Vec::new(), "ends too early"),
        ([&whole[..], b"{}"].concat(), "something follows its end"),
        ([&whole[..], b"\n"].concat(), "something follows its end"),
        ([&whole[..], &whole[..]].concat(), "something follows its end"),
        (b"no backup\n".to_vec(), "no backup that `shardcast backup` has made"),
        (without(0), "no backup that `shardcast backup` has made"),
        (text.replacen("\"version\":1", "\"version\":2", 1).into_bytes(), "it has version 2 of the format"),
        (text.replacen("line 1", "line 2", 1).into_bytes(), "its checksum is another one"),
        (text.replacen("\"pass\"", "\"word\"", 1).into_bytes(), "has other columns than are known here"),
        (text.replacen("\"messages\"", "\"letters\"", 1).into_bytes(), "the table `letters` is not known"),
        (
            text.replacen("picture.png\",\"c", "../picture.png\",\"c", 1).into_bytes(),
            "is no name of a picture",
        ),
    ];
    damaged.extend((1..text.lines().count()).map(|number| (without(number), "")));
    let file = original.folder.path().join("damaged");
    for (content, problem) in damaged {
        fs::write(&file, &content).unwrap();
        let target = tempfile::tempdir().unwrap();
        let error = restore_into(&sqlite(&target), &file, &target.path().join("images")).await.unwrap_err();
        assert!(matches!(error, TransferError::NoBackup { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}, not {problem}");
        assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0, "{error}");
    }
}

#[tokio::test]
async fn pictures_that_are_there_are_replaced_only_if_it_is_told_to() {
    let original = Original::make().await;
    original.back_up().await.unwrap();
    let target = tempfile::tempdir().unwrap();
    let images = target.path().join("images");
    fs::create_dir(&images).unwrap();
    fs::write(images.join("other.png"), "").unwrap();
    let error = restore_into(&sqlite(&target), &original.file(), &images).await.unwrap_err();
    assert!(matches!(error, TransferError::PicturesThere(_)), "{error}");
    assert!(!target.path().join("gotify.db").exists());
    restore(&original.file(), &sqlite(&target), Some(&images), REPLACE, &|_| ()).await.unwrap();
    assert!(images.join("other.png").exists() && images.join("picture.png").exists());
}
