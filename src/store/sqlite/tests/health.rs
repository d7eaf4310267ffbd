//! Whether a message could be stored.

use std::error::Error;

use futures_util::future::join_all;
use sqlx::{Executor as _, Row as _};
use tokio::time::{advance, pause, resume};

use super::faults::{assert_unavailable, other_connection};
use super::in_new_folder;
use crate::store::conformance::{application, new_application, user};
use crate::store::sqlite::Sqlite;
use crate::store::{Applications as _, Database as _};

/// Checks, whatever was found a moment ago.
async fn check_anew(database: &Sqlite) -> Result<(), crate::store::StoreError> {
    pause();
    advance(std::time::Duration::from_secs(2)).await;
    resume();
    database.check().await
}

#[tokio::test]
async fn a_database_is_well_while_it_can_be_written() {
    let (database, _folder) = in_new_folder().await;
    database.check().await.unwrap();
    check_anew(&database).await.unwrap();
}

#[tokio::test]
async fn a_lock_that_another_program_holds_is_noticed_without_a_write() {
    let (database, folder) = in_new_folder().await;
    let mut other = other_connection(&folder).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    for refused in join_all((0..10).map(|_| database.check())).await {
        let error = refused.unwrap_err();
        assert_eq!(error.to_string(), "the database can't store a message now");
        assert_eq!(error.source().unwrap().to_string(), "(code: 5) database is locked");
    }
    other.execute("ROLLBACK").await.unwrap();
    check_anew(&database).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_noticed_by_what_it_refused_until_it_takes_something_again() {
    let (database, _folder) = in_new_folder().await;
    let alice = user(&database, "alice").await;
    application(&database, &alice, "A1").await;
    // SQLite answers SQLITE_FULL both when the disk is full and when the file may not grow.
    let mut lease = database.writer.lease("fill the disk").await.unwrap();
    let pages: i64 = lease.fetch_one("PRAGMA page_count").await.unwrap().get(0);
    let limit = |pages: i64| sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    lease.execute(limit(pages)).await.unwrap();
    drop(lease);
    let large = || database.create_application(new_application(alice.id, &"A".repeat(100_000)));
    assert_unavailable(large().await);
    assert!(database.writer.is_doubtful());
    // What is there already can be written again: a page does not make the file grow.
    check_anew(&database).await.unwrap();
    assert!(!database.writer.is_doubtful());
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_noticed() {
    let (database, _folder) = in_new_folder().await;
    let mut lease = database.writer.lease("forbid writing").await.unwrap();
    lease.execute("PRAGMA query_only = ON").await.unwrap();
    drop(lease);
    database.writer.doubt();
    database.check().await.unwrap_err();
    // The connection is opened anew, and what could not be written can.
    check_anew(&database).await.unwrap();
}
