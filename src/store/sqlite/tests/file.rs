//! The file as such: what is kept in it, and how it is opened.

use sqlx::Executor as _;

use super::{in_new_folder, open, path};
use crate::model::{MessageId, UserId};
use crate::store::conformance::{application, new_message, user};
use crate::store::sql::query;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::dialect::session;
use crate::store::{Applications as _, Database as _, MessagePage, Messages as _, Users as _};

const ALL: MessagePage = MessagePage { before: None, limit: 100 };

#[tokio::test]
async fn reopening_keeps_everything() {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let sender = application(&database, &alice, "A1").await;
    let ids = database.insert_messages(&[new_message(alice.id, sender.id, "kept")]).await.unwrap().ids();
    let messages = database.messages(alice.id, ALL).await.unwrap();
    database.close().await;
    assert!(!folder.path().join("data/gotify.db-wal").exists(), "the log is moved into the file");
    for _ in 0..2 {
        let database = open(&folder).await;
        assert_eq!(database.user_by_name("alice").await.unwrap().unwrap().user, alice);
        assert_eq!(database.applications(alice.id).await.unwrap(), std::slice::from_ref(&sender));
        assert_eq!(database.messages(alice.id, ALL).await.unwrap(), messages);
        database.close().await;
    }
    let database = open(&folder).await;
    database.delete_messages(alice.id).await.unwrap();
    database.close().await;
    let database = open(&folder).await;
    let later = database.insert_messages(&[new_message(alice.id, sender.id, "later")]).await.unwrap().ids();
    assert!(later[0] > ids[0], "ids are not given again after a restart");
}

#[tokio::test]
async fn the_settings_are_in_force() {
    let (database, _folder) = in_new_folder().await;
    let mut writer = database.writer.lease("look").await.unwrap();
    for (pragma, expected) in [
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA synchronous", "2"),
        ("PRAGMA foreign_keys", "0"),
        ("PRAGMA busy_timeout", "20"),
        ("PRAGMA journal_size_limit", "33554432"),
    ] {
        let row = session(&mut writer).one(query(pragma)).await.unwrap();
        assert_eq!(row.text(0).unwrap(), expected, "{pragma}");
    }
    let mut reader = database.readers.lease("look").await.unwrap();
    for (pragma, expected) in [
        ("PRAGMA journal_mode", "wal"),
        ("PRAGMA query_only", "1"),
        ("PRAGMA cache_size", "-512"),
        ("PRAGMA foreign_keys", "0"),
        ("PRAGMA busy_timeout", "20"),
    ] {
        let row = session(&mut reader).one(query(pragma)).await.unwrap();
        assert_eq!(row.text(0).unwrap(), expected, "{pragma}");
    }
    reader.execute("DELETE FROM messages").await.unwrap_err();
}

#[tokio::test]
async fn readers_see_the_last_commit_while_the_writer_is_at_work() {
    let (database, _folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let mut writer = database.writer.lease("hold a transaction").await.unwrap();
    writer.execute("BEGIN IMMEDIATE; DELETE FROM users").await.unwrap();
    assert_eq!(database.user_count().await.unwrap(), 1);
    assert_eq!(database.user(alice.id).await.unwrap().unwrap().user, alice);
    writer.execute("COMMIT").await.unwrap();
    assert_eq!(database.user_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_uri_and_options_name_the_same_file() {
    let (database, folder) = in_new_folder().await;
    user(&database, "alice").await;
    database.close().await;
    for connection in [format!("file:{}?cache=shared", path(&folder)), format!("{}?_fk=1", path(&folder))] {
        let database = Sqlite::open(&connection).await.unwrap();
        assert_eq!(database.user_count().await.unwrap(), 1);
        database.close().await;
    }
}

#[tokio::test]
async fn messages_that_were_damaged_elsewhere_are_still_listed() {
    let (database, _folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let sender = application(&database, &alice, "A1").await;
    let mut writer = database.writer.lease("damage").await.unwrap();
    writer
        .execute(sqlx::AssertSqlSafe(format!(
            "INSERT INTO messages (application_id, message, title, priority, extras, date) VALUES \
             ({0}, CAST(x'61ff62' AS TEXT), NULL, NULL, '{{\"a\":1}}', 'soon'), \
             ({0}, 'm', 't', 1, 'null', NULL), \
             ({0}, x'310033ff', 12.5, 'high', x'7b2261223a327d', CAST(x'323000' AS TEXT)), \
             ({0}, '4 1 0 1 1 0 0 xy', '', -7, '', 1577934245)",
            sender.id
        )))
        .await
        .unwrap();
    drop(writer);
    let read = database.messages_after(UserId(1), MessageId(0), 10).await.unwrap();
    assert_eq!(read[0].message, "a\u{fffd}b");
    assert_eq!((read[0].title.as_str(), read[0].priority), ("", 0));
    assert_eq!(read[0].extras.as_ref().unwrap()["a"], 1);
    assert_eq!(read[0].date.to_rfc3339(), "0001-01-01T00:00:00+00:00");
    assert_eq!(read[1].extras, None);
    assert_eq!((read[2].message.as_str(), read[2].title.as_str()), ("1\u{0}3\u{fffd}", "12.5"));
    assert_eq!((read[2].priority, &read[2].extras.as_ref().unwrap()["a"]), (0, &2.into()));
    assert_eq!((read[3].message.as_str(), read[3].priority), ("4 1 0 1 1 0 0 xy", -7));
    assert_eq!(read[3].date.to_rfc3339(), "2020-01-02T03:04:05+00:00");
    let by_id = database.messages_by_id(&read.iter().map(|read| read.id).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(by_id, read, "row by row");
}

/// Without the flags of `.cargo/config.toml` all works, but slower: `findings/sqlite-bound-limit.sh` shows why. SQLite does
/// not list `HAVE_FDATASYNC`.
#[tokio::test]
async fn sqlite_is_compiled_with_our_flags() {
    let (database, _folder) = in_new_folder().await;
    let mut reader = database.readers.lease("look").await.unwrap();
    let options: Vec<String> =
        sqlx::query_scalar("PRAGMA compile_options").fetch_all(&mut *reader).await.unwrap();
    for (option, is_set) in
        [("ENABLE_QPSG", true), ("DEFAULT_MEMSTATUS=0", true), ("ENABLE_API_ARMOR", false)]
    {
        assert_eq!(options.iter().any(|known| known == option), is_set, "{option} of {options:?}");
    }
}
