//! Deletions of more messages than one transaction deletes.

use std::time::Duration;

use sqlx::{Executor as _, Row as _};
use tempfile::TempDir;

use super::faults::other_connection;
use super::{in_new_folder, open};
use crate::model::{Application, MessageId, User};
use crate::store::conformance::keyed::keyed;
use crate::store::conformance::{application, at, new_message, user};
use crate::store::sql::ApplicationChange;
use crate::store::sql::backend::ChangesApplications as _;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::dialect::session;
use crate::store::{
    ApplicationStates as _, Applications as _, Database as _, KeepMessages, MessagePage, Messages as _,
    Retention as _, RetentionRule, Users as _,
};

/// So many that they take several slices.
const MANY: usize = 3500;

async fn send(database: &Sqlite, user: &User, sender: &Application, count: usize, text: &str) {
    for _ in 0..count.div_ceil(500) {
        let batch = vec![new_message(user.id, sender.id, text); count.min(500)];
        database.insert_messages(&batch).await.unwrap();
    }
}

/// A user with an application that has many messages, and one that has three.
async fn with_many() -> (Sqlite, User, [Application; 2], TempDir) {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let (large, small) =
        (application(&database, &alice, "A1").await, application(&database, &alice, "A2").await);
    send(&database, &alice, &large, MANY, "of many").await;
    send(&database, &alice, &small, 3, "of few").await;
    (database, alice, [large, small], folder)
}

async fn seen(database: &Sqlite, user: &User) -> usize {
    database.count_messages_after(user.id, MessageId(0), usize::MAX).await.unwrap()
}

/// Counts the rows, whether or not anybody may see them.
async fn rows(folder: &TempDir) -> i64 {
    let mut other = other_connection(folder).await;
    sqlx::query("SELECT count(*) FROM messages").fetch_one(&mut other).await.unwrap().get(0)
}

/// Waits until only so many rows are left.
async fn wait_for_rows(folder: &TempDir, left: i64) {
    let cleaned = async {
        while rows(folder).await != left {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), cleaned).await.expect("what is deleted goes");
}

#[tokio::test]
async fn a_deleted_application_shows_nothing_at_once_and_its_messages_go_between_other_writes() {
    let (database, alice, [large, small], folder) = with_many().await;
    let ids: Vec<_> = (1..=MANY as u64).map(MessageId).collect();
    // Held until the cleaner waits for it: it has deleted nothing so far.
    database.delete_application(large.id).await.unwrap().unwrap();
    let held = database.writer.lease("hold the connection").await.unwrap();
    assert!(rows(&folder).await > 1000, "most messages are deleted later");
    assert_eq!(seen(&database, &alice).await, 3);
    assert_eq!(database.messages_by_id(&ids).await.unwrap(), []);
    let page = MessagePage { before: None, limit: 9 };
    let listed = database.list_application_messages(large.id, page, usize::MAX).await.unwrap();
    assert_eq!((listed.rows, listed.left_out), (vec![], vec![]));
    held.end(Ok(())).await.unwrap();
    send(&database, &alice, &small, 1, "between").await;
    assert!(rows(&folder).await > 4, "a publish does not wait for the whole deletion");
    wait_for_rows(&folder, 4).await;
    assert_eq!(seen(&database, &alice).await, 4);
}

#[tokio::test]
async fn a_deleted_user_leaves_nothing() {
    let (database, alice, _, folder) = with_many().await;
    database.delete_user(alice.id).await.unwrap();
    assert_eq!(seen(&database, &alice).await, 0);
    wait_for_rows(&folder, 0).await;
}

#[tokio::test]
async fn what_a_crash_has_left_of_a_deletion_is_deleted_by_the_next_start() {
    let (database, alice, [large, _], folder) = with_many().await;
    // The task that deletes the rest is not woken.
    database.change_application(ApplicationChange::Delete(large.id)).await.unwrap();
    drop(database);
    assert!(rows(&folder).await > 1000);
    let reopened = open(&folder).await;
    assert_eq!(seen(&reopened, &alice).await, 3);
    wait_for_rows(&folder, 3).await;
}

#[tokio::test]
async fn a_deletion_that_is_refused_goes_on_later() {
    let (database, alice, [large, _], folder) = with_many().await;
    database.delete_application(large.id).await.unwrap().unwrap();
    let held = database.writer.lease("hold the connection").await.unwrap();
    tokio::time::pause();
    // Longer than the cleaner waits for the connection.
    tokio::time::sleep(Duration::from_secs(20)).await;
    tokio::time::resume();
    drop(held);
    assert!(rows(&folder).await > 1000);
    // The next deletion wakes it before its own time has come.
    database.delete_user(alice.id).await.unwrap();
    wait_for_rows(&folder, 0).await;
}

#[tokio::test]
async fn all_messages_of_a_user_are_deleted_and_none_that_comes_meanwhile() {
    let (database, alice, [large, small], folder) = with_many().await;
    let bob = user(&database, "bob").await;
    let other = application(&database, &bob, "B1").await;
    send(&database, &bob, &other, 2, "of bob").await;
    let deletion = database.delete_messages(alice.id);
    let publishing = async {
        // Polled once the deletion has found out what there is.
        tokio::task::yield_now().await;
        while seen(&database, &alice).await == MANY + 3 {
            tokio::task::yield_now().await;
        }
        send(&database, &alice, &large, 1, "meanwhile").await;
    };
    let (deleted, ()) = tokio::join!(deletion, publishing);
    deleted.unwrap();
    assert_eq!((seen(&database, &alice).await, seen(&database, &bob).await), (1, 2));
    send(&database, &alice, &small, 1, "later").await;
    database.delete_application_messages(large.id).await.unwrap();
    assert_eq!(rows(&folder).await, 3);
}

#[tokio::test]
async fn a_slice_is_bounded_in_bytes_too() {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let sender = application(&database, &alice, "A1").await;
    send(&database, &alice, &sender, 10, &"x".repeat(3 << 20)).await;
    let mut lease = database.writer.lease("delete a slice").await.unwrap();
    let deletion = crate::store::sql::deletions::Deletion::whole([sender.id]);
    let deleted = deletion.slice(&mut session(&mut lease)).await.unwrap();
    assert!(deleted.last.is_some() && !deleted.is_last);
    lease.end(Ok(())).await.unwrap();
    assert_eq!(rows(&folder).await, 8, "a message that begins within 4 MiB is deleted");
}

#[tokio::test]
async fn a_message_whose_key_can_not_be_forgotten_stays() {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let a = application(&database, &alice, "A1").await;
    let ids = database.insert_messages(&[keyed(&alice, &a, "key", "text")]).await.unwrap().ids();
    let mut other = other_connection(&folder).await;
    let fails =
        "CREATE TRIGGER fails BEFORE DELETE ON shardcast_keyed BEGIN SELECT RAISE(ABORT, 'it fails'); END";
    other.execute(fails).await.unwrap();
    database.delete_message(alice.id, ids[0]).await.unwrap_err();
    database.delete_messages(alice.id).await.unwrap_err();
    let keep = KeepMessages { days: 1, newest: 1 };
    let rule = RetentionRule { user_id: alice.id, application_id: a.id, keep };
    database.keep_messages(a.id, keep).await.unwrap();
    database.insert_messages(&[new_message(alice.id, a.id, "newer")]).await.unwrap();
    database.delete_all_but_newest(&rule).await.unwrap_err();
    database.delete_older(&rule, MessageId(0), at(9_999_999_999), 10).await.unwrap_err();
    assert_eq!(seen(&database, &alice).await, 2, "nobody was told that it is gone");
    other.execute("DROP TRIGGER fails").await.unwrap();
    assert!(database.delete_message(alice.id, ids[0]).await.unwrap());
    assert_eq!(seen(&database, &alice).await, 1);
}

#[tokio::test]
async fn the_keys_of_messages_that_are_gone_go_with_the_next_start_however_many_they_are() {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let a = application(&database, &alice, "A1").await;
    send(&database, &alice, &a, 4500, "text").await;
    database.close().await;
    let mut other = other_connection(&folder).await;
    for statement in [
        "INSERT INTO shardcast_keyed SELECT id, application_id, 'key ' || id FROM messages",
        "DELETE FROM messages WHERE id > 1500 AND id % 3 <> 0",
    ] {
        other.execute(statement).await.unwrap();
    }
    let _database = open(&folder).await;
    let stale = "SELECT count(*) FROM shardcast_keyed WHERE id NOT IN (SELECT id FROM messages)";
    let is_cleaned = async {
        while sqlx::query_scalar::<_, i64>(stale).fetch_one(&mut other).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), is_cleaned).await.expect("they go");
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM shardcast_keyed").fetch_one(&mut other).await.unwrap();
    assert_eq!(kept, 2500, "those of messages that are there stay");
}
