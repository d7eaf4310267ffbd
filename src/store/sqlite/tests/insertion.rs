//! Messages that are refused, and a file that is not as it was left.

use futures_util::FutureExt as _;
use sqlx::{ConnectOptions as _, Executor as _, sqlite::SqliteConnectOptions};

use super::{in_new_folder, path};
use crate::model::{MessageId, User};
use crate::store::conformance::{application, new_message, user};
use crate::store::sqlite::Sqlite;
use crate::store::{Applications as _, InsertOutcome, Inserted, Messages as _, NewMessage, StoreError};

/// A database with a user, and a message of theirs to be stored.
async fn world() -> (Sqlite, User, NewMessage, tempfile::TempDir) {
    let (database, folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    let backup = application(&database, &alice, "A1").await;
    let new = new_message(alice.id, backup.id, "x");
    (database, alice, new, folder)
}

async fn execute(database: &Sqlite, statement: &'static str) {
    let mut lease = database.writer.lease("change the file").await.unwrap();
    let done = lease.execute(statement).await.map(drop);
    lease.end(done).await.unwrap();
}

fn previous(inserted: &Inserted) -> MessageId {
    assert_eq!(inserted.previous.len(), 1, "{inserted:?}");
    inserted.previous[0].1
}

#[tokio::test]
async fn a_row_that_the_database_refuses_fails_alone() {
    let (database, alice, new, _folder) = world().await;
    execute(
        &database,
        "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.message = 'poison'
         BEGIN SELECT RAISE(ABORT, 'as asked'); END",
    )
    .await;
    let poison = NewMessage { message: "poison".to_owned(), ..new.clone() };
    let orphan = NewMessage { application_id: crate::model::ApplicationId(99), ..new.clone() };
    for batch in [vec![poison.clone()], vec![new.clone(), poison, orphan, new.clone()]] {
        let inserted = database.insert_messages(&batch).await.unwrap();
        for (message, outcome) in batch.iter().zip(&inserted.outcomes) {
            match (message.message.as_str(), message.application_id == new.application_id) {
                ("poison", _) => assert!(
                    matches!(outcome, InsertOutcome::Refused(StoreError::Failed { .. })),
                    "{outcome:?}"
                ),
                (_, true) => assert!(outcome.id().is_some(), "{outcome:?}"),
                (_, false) => assert!(matches!(outcome, InsertOutcome::NoSuchApplication), "{outcome:?}"),
            }
        }
    }
    let read = database.messages_after(alice.id, MessageId(0), 10).await.unwrap();
    assert_eq!(read.len(), 2);
    let after = database.insert_messages(&[new]).await.unwrap();
    assert_eq!(previous(&after), read[1].id);
}

#[tokio::test]
async fn after_a_backup_was_restored_no_id_is_given_again() {
    let (database, alice, new, folder) = world().await;
    database.insert_messages(&vec![new.clone(); 3]).await.unwrap();
    let backup = folder.path().join("backup.db");
    let mut other = SqliteConnectOptions::new().filename(path(&folder)).connect().await.unwrap();
    sqlx::query("VACUUM INTO ?").bind(backup.to_str().unwrap()).execute(&mut other).await.unwrap();
    let seen = database.insert_messages(&vec![new.clone(); 5]).await.unwrap().ids();

    // As `.restore` of SQLite's shell does, the same file has the older content.
    sqlx::query("ATTACH ? AS backup").bind(backup.to_str().unwrap()).execute(&mut other).await.unwrap();
    other
        .execute(
            "BEGIN IMMEDIATE; DELETE FROM messages; INSERT INTO messages SELECT * FROM backup.messages;
             UPDATE sqlite_sequence SET seq = (SELECT seq FROM backup.sqlite_sequence WHERE name = 'messages')
             WHERE name = 'messages'; COMMIT",
        )
        .await
        .unwrap();
    assert_eq!(database.newest_message(alice.id).await.unwrap(), Some(MessageId(3)));
    let after = database.insert_messages(&vec![new.clone(); 2]).await.unwrap();
    assert!(after.ids()[0] > seen[4], "streams have seen {seen:?}, and are given {after:?}");
    assert_eq!(previous(&after), MessageId(3));
    let next = database.insert_messages(&[new]).await.unwrap();
    assert_eq!(previous(&next), after.ids()[1]);
}

#[tokio::test]
async fn what_another_program_stored_is_named_as_what_came_before() {
    let (database, _alice, new, folder) = world().await;
    database.insert_messages(std::slice::from_ref(&new)).await.unwrap();
    let mut other = SqliteConnectOptions::new().filename(path(&folder)).connect().await.unwrap();
    other
        .execute("INSERT INTO messages (application_id, message) VALUES (1, 'foreign'), (1, 'foreign')")
        .await
        .unwrap();
    let after = database.insert_messages(&[new]).await.unwrap();
    assert_eq!((previous(&after), after.ids()), (MessageId(3), vec![MessageId(4)]));
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_named_as_what_came_before() {
    let (database, alice, new, _folder) = world().await;
    database.insert_messages(std::slice::from_ref(&new)).await.unwrap();
    let mut newest = MessageId(1);
    // Dropped ever later: before it begins, before its answer is there, after it.
    for polls in 0..20 {
        let batch = [new.clone(), new.clone()];
        let mut insertion = database.insert_messages(&batch);
        for _ in 0..polls {
            if (&mut insertion).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(insertion);
        // It runs after whatever the dropped one left.
        let after = database.insert_messages(std::slice::from_ref(&new)).await.unwrap();
        let before: Vec<_> = database.messages_after(alice.id, newest, 10).await.unwrap();
        let before: Vec<_> =
            before.iter().map(|message| message.id).filter(|id| *id < after.ids()[0]).collect();
        assert_eq!(previous(&after), before.last().copied().unwrap_or(newest));
        newest = after.ids()[0];
    }
}

#[tokio::test]
async fn an_application_of_a_large_batch_may_be_missing() {
    let (database, alice, new, _folder) = world().await;
    let gone = application(&database, &alice, "A2").await;
    database.delete_application(gone.id).await.unwrap();
    let of_gone = NewMessage { application_id: gone.id, ..new.clone() };
    let batch: Vec<_> = (0..200).map(|at| if at % 3 == 0 { of_gone.clone() } else { new.clone() }).collect();
    let inserted = database.insert_messages(&batch).await.unwrap();
    for (at, outcome) in inserted.outcomes.iter().enumerate() {
        assert_eq!(outcome.id().is_none(), at % 3 == 0, "{at}: {outcome:?}");
    }
    assert!(inserted.ids().is_sorted());
}
