//! The store over a real database.

use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use tempfile::TempDir;

use super::conformance::{application, new_message, user};
use super::{MessagePage, Messages as _, NewMessage, PublishError, Sqlite, Store, Stored};
use crate::model::{ApplicationId, MessageId, UserId};

type Told = Arc<Mutex<Vec<Vec<Stored>>>>;

/// A store with one application, and what its observer was told.
async fn store() -> (Store, Told, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = Sqlite::open(folder.path().join("gotify.db").to_str().unwrap()).await.unwrap();
    let alice = user(&database, "alice").await;
    application(&database, &alice, "A1").await;
    let told = Told::default();
    let observer = Arc::clone(&told);
    let store = Store::new(Arc::new(database), move |stored| observer.lock().push(stored.to_vec()));
    (store, told, folder)
}

fn message(text: &str) -> NewMessage {
    new_message(UserId(1), ApplicationId(1), text)
}

#[tokio::test]
async fn sixty_four_senders_share_transactions_and_get_their_own_messages() {
    let (store, told, _folder) = store().await;
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
    let told = told.lock().clone();
    assert!(told.len() <= 8, "64 messages took {} transactions", told.len());
    let told: Vec<_> = told.concat().into_iter().map(|stored| stored.message.as_ref().clone()).collect();
    assert_eq!(told, published, "the observer sees every message once, in the order of ids");
}

#[tokio::test]
async fn what_a_sender_gets_is_what_is_read() {
    let (store, _told, _folder) = store().await;
    let mut new = message("x");
    new.extras = Some(serde_json::Map::new());
    let stored = store.publish(new).await.unwrap();
    let read = store.database().messages(UserId(1), MessagePage { before: None, limit: 9 }).await.unwrap();
    assert_eq!(read, [stored.as_ref().clone()]);
}

#[tokio::test]
async fn shutdown_writes_what_was_accepted_and_refuses_the_rest() {
    let (store, told, folder) = store().await;
    // Polled in this order, every message is queued by the time the shutdown begins.
    let queued = join_all((0..25).map(|_| store.publish(message("x"))));
    let (published, (), ()) = tokio::join!(queued, store.shutdown(), store.shutdown());
    assert!(published.iter().all(Result::is_ok), "{published:?}");
    assert_eq!(told.lock().concat().len(), 25);
    let error = store.publish(message("late")).await.unwrap_err();
    assert!(matches!(error, PublishError::ShutDown) && error.is_unavailable());
    let reopened = Sqlite::open(folder.path().join("gotify.db").to_str().unwrap()).await.unwrap();
    assert_eq!(reopened.count_messages_after(UserId(1), MessageId(0), 1000).await.unwrap(), 25);
}

#[tokio::test]
async fn a_database_that_refuses_makes_publishing_unavailable() {
    let (store, told, _folder) = store().await;
    store.database().close().await;
    let error = store.publish(message("x")).await.unwrap_err();
    assert!(matches!(error, PublishError::Store(_)) && error.is_unavailable(), "{error:?}");
    assert!(told.lock().is_empty());
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_writer() {
    let (store, told, _folder) = store().await;
    store.clone().publish(message("x")).await.unwrap();
    let writer = store.0.writer.lock().await.take().unwrap();
    drop(store);
    writer.await.unwrap();
    assert_eq!(told.lock().len(), 1);
}
