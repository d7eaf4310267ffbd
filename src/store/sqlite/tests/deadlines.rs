//! How long operations wait for the connection that writes.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::{advance, pause, resume};

use super::{in_new_folder, path};
use crate::store::conformance::{new_user, user};
use crate::store::sqlite::connection::WaitLimits;
use crate::store::sqlite::writer::WriteLease;
use crate::store::sqlite::{Sqlite, row};
use crate::store::{StoreError, Users as _};

async fn lock_patience(lease: &mut WriteLease<'_>) -> u64 {
    let found = sqlx::query("PRAGMA busy_timeout").fetch_one(&mut **lease).await.unwrap();
    row::unsigned(&found, 0).unwrap()
}

#[tokio::test]
async fn operations_that_wait_for_the_connection_are_refused_together_when_their_time_is_up() {
    let (database, _folder) = in_new_folder().await;
    let held = database.writer.lease("hold the connection").await.unwrap();
    pause();
    let waiting = (0..8).map(|number| database.create_user(new_user(&format!("user {number}"))));
    // Nothing else is to be done, so the paused clock goes on to the deadline that all of them have.
    for refused in join_all(waiting).await {
        let error = refused.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "other operations had the connection for 5 s"
        );
    }
    resume();
    drop(held);
    user(&database, "alice").await;
    assert_eq!(database.user_count().await.unwrap(), 1, "what was refused does not happen later");
}

#[tokio::test]
async fn what_waited_for_the_connection_waits_so_much_less_for_a_lock() {
    let folder = tempfile::tempdir().unwrap();
    let patience = WaitLimits { operation: Duration::from_secs(100), lock: Duration::from_secs(80) };
    let database = Sqlite::open_file(path(&folder).as_ref(), patience).await.unwrap();
    let held = database.writer.lease("hold the connection").await.unwrap();
    pause();
    let mut late = Box::pin(database.writer.lease("come late"));
    assert!((&mut late).now_or_never().is_none());
    advance(Duration::from_mins(1)).await;
    resume();
    drop(held);
    let mut late = late.await.unwrap();
    assert!((1..=40_000).contains(&lock_patience(&mut late).await));
    drop(late);
    let mut next = database.writer.lease("come next").await.unwrap();
    assert_eq!(lock_patience(&mut next).await, 80_000);
}
