//! The store over a real database.

use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

use super::conformance::{application, new_message, user};
use super::{Commit, MessagePage, Messages as _, NewMessage, PublishError, Sqlite, Store, Stored};
use crate::model::{ApplicationId, MessageId, UserId};

type SeenCommits = Arc<Mutex<Vec<Commit>>>;

/// All messages that the observer saw, in its order.
fn messages(seen: &SeenCommits) -> Vec<Stored> {
    seen.lock().iter().flat_map(|commit| commit.messages().to_vec()).collect()
}

/// A store with one application, and what its observer saw.
async fn store() -> (Store, SeenCommits, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(folder.path().join("gotify.db").to_str().unwrap()).await.unwrap();
    let alice = user(&database, "alice").await;
    application(&database, &alice, "A1").await;
    let seen = SeenCommits::default();
    let observer = Arc::clone(&seen);
    let store = Store::new(Arc::new(database), move |commit| observer.lock().push(commit.clone()));
    (store, seen, folder)
}

fn message(text: &str) -> NewMessage {
    new_message(UserId(1), ApplicationId(1), text)
}

#[tokio::test]
async fn sixty_four_senders_share_transactions_and_get_their_own_messages() {
    let (store, seen, _folder) = store().await;
    let publish = |sender: usize| {
        let store = store.clone();
        async move {
            let text = format!("from {sender}");
            let stored = store.publish(message(&text)).await.unwrap();
            assert_eq!(stored.message, text);
            stored
        }
    };
    let mut published = join_all((0..64).map(|sender| tokio::spawn(publish(sender)))).await;
    published.sort_by_key(|stored| stored.as_ref().unwrap().id);
    let published: Vec<_> = published.into_iter().map(|stored| stored.unwrap().as_ref().clone()).collect();
    store.shutdown().await;
    let transactions = seen.lock().len();
    assert!(transactions <= 8, "64 messages took {transactions} transactions");
    let seen: Vec<_> = messages(&seen).into_iter().map(|stored| stored.message.as_ref().clone()).collect();
    assert_eq!(seen, published, "the observer sees every message once, in the order of ids");
}

#[tokio::test]
async fn the_writer_runs_until_the_store_is_shut_down() {
    let (store, _seen, _folder) = store().await;
    assert!(store.writer_runs());
    store.shutdown().await;
    assert!(!store.writer_runs());
}

#[tokio::test]
async fn what_a_sender_gets_is_what_is_read() {
    let (store, _seen, _folder) = store().await;
    let mut new = message("x");
    new.extras = Some(serde_json::Map::new());
    let stored = store.publish(new).await.unwrap();
    let read = store.database().messages(UserId(1), MessagePage { before: None, limit: 9 }).await.unwrap();
    assert_eq!(read, [stored.as_ref().clone()]);
}

#[tokio::test]
async fn shutdown_writes_what_was_accepted_and_refuses_the_rest() {
    let (store, seen, folder) = store().await;
    // Polled in this order, every message is queued by the time the shutdown begins.
    let queued = join_all((0..25).map(|_| store.publish(message("x"))));
    let (published, (), ()) = tokio::join!(queued, store.shutdown(), store.shutdown());
    assert!(published.iter().all(Result::is_ok), "{published:?}");
    assert_eq!(messages(&seen).len(), 25);
    let error = store.publish(message("late")).await.unwrap_err();
    assert!(matches!(error, PublishError::ShutDown) && error.is_unavailable());
    let reopened = Sqlite::open(folder.path().join("gotify.db").to_str().unwrap()).await.unwrap();
    assert_eq!(reopened.count_messages_after(UserId(1), MessageId(0), 1000).await.unwrap(), 25);
}

#[tokio::test]
async fn a_database_that_refuses_makes_publishing_unavailable() {
    let (store, seen, _folder) = store().await;
    store.database().close().await;
    let error = store.publish(message("x")).await.unwrap_err();
    assert!(matches!(error, PublishError::Store(_)) && error.is_unavailable(), "{error:?}");
    assert!(seen.lock().is_empty());
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_writer() {
    let (store, seen, _folder) = store().await;
    store.clone().publish(message("x")).await.unwrap();
    let writer = store.0.writer.lock().await.take().unwrap();
    drop(store);
    writer.await.unwrap();
    assert_eq!(seen.lock().len(), 1);
}

#[tokio::test]
async fn a_commit_says_for_each_user_which_message_was_the_newest_before() {
    let (store, seen, _folder) = store().await;
    let bob = user(store.database(), "bob").await;
    let door = application(store.database(), &bob, "B1").await;
    let of_bob = new_message(bob.id, door.id, "x");
    for _ in 0..2 {
        let published = [message("a"), of_bob.clone(), message("b")].map(|new| store.publish(new));
        assert!(join_all(published).await.iter().all(Result::is_ok));
    }
    store.shutdown().await;
    let of_user = |commit: &Commit, user: UserId| {
        let found = commit.users().find(|of_user| of_user.user_id == user)?;
        Some((found.previous.0, found.messages.iter().map(|stored| stored.message.id.0).collect::<Vec<_>>()))
    };
    for user in [UserId(1), bob.id] {
        let mut newest = 0;
        for (previous, ids) in seen.lock().iter().filter_map(|commit| of_user(commit, user)) {
            assert_eq!(previous, newest);
            assert!(ids.is_sorted() && ids[0] > previous);
            newest = ids[ids.len() - 1];
        }
        assert!(newest >= 5);
    }
}

#[tokio::test]
async fn who_sends_beside_the_deletion_of_their_application_is_informed_and_nothing_is_left_behind() {
    let (store, seen, folder) = store().await;
    for round in 0..30 {
        let application =
            application(store.database(), &user_named(&store).await, &format!("B{round}")).await;
        let publish = |number: usize| {
            let (store, id) = (store.clone(), application.id);
            async move {
                // Spread around the deletion.
                for _ in 0..number {
                    tokio::task::yield_now().await;
                }
                store.publish(new_message(UserId(1), id, "x")).await
            }
        };
        let senders = (0..16).map(|number| tokio::spawn(publish(number)));
        let (published, deleted) =
            tokio::join!(join_all(senders), store.database().delete_application(application.id));
        assert!(deleted.unwrap().is_some());
        for answer in published {
            let answer = answer.unwrap();
            let is_expected = answer.is_ok() || matches!(answer, Err(PublishError::NoSuchApplication));
            assert!(is_expected, "{answer:?}");
        }
        let late = store.publish(new_message(UserId(1), application.id, "late")).await;
        assert!(matches!(late, Err(PublishError::NoSuchApplication)), "{late:?}");
    }
    store.shutdown().await;
    assert!(messages(&seen).iter().all(|stored| stored.message.message != "late"));
    let path = folder.path().join("gotify.db");
    let mut file = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let orphans = "SELECT count(*) FROM messages WHERE application_id NOT IN (SELECT id FROM applications)";
    let orphans: i64 = sqlx::query_scalar(orphans).fetch_one(&mut file).await.unwrap();
    assert_eq!(orphans, 0);
}

async fn user_named(store: &Store) -> crate::model::User {
    store.database().user_by_name("alice").await.unwrap().unwrap().user
}

#[tokio::test]
async fn a_store_is_well_while_its_writer_runs() {
    let (store, _seen, _folder) = store().await;
    store.check().await.unwrap();
    let writer = store.0.writer.lock().await.take().unwrap();
    writer.abort();
    writer.await.unwrap_err();
    let error = store.check().await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the writer has ended");
}
