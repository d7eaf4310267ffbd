//! Connections that come back, and those that don't.

use futures_util::FutureExt as _;
use sqlx::Executor as _;
use tempfile::TempDir;

use super::*;
use crate::store::Sqlite;
use crate::store::sqlite::tests::{PATIENCE, in_new_folder, path};

const ENDLESS: &str =
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";

/// Connections that nothing else uses, the database, and its folder.
async fn of_new_file() -> (Readers, Sqlite, TempDir) {
    let (database, folder) = in_new_folder().await;
    let readers = Readers::new(path(&folder).as_ref(), PATIENCE, Arc::clone(&database.files));
    (readers, database, folder)
}

impl Readers {
    fn idle(&self) -> usize {
        self.shared.idle.lock().len()
    }

    /// Waits until nobody has a connection.
    async fn all_places(&self) {
        drop(self.shared.places.acquire_many(READERS).await.unwrap());
    }

    fn free(&self) -> usize {
        self.shared.places.available_permits()
    }
}

/// Opens so many connections, and gives them back.
async fn use_at_once(readers: &Readers, count: u32) {
    let mut leases = Vec::new();
    for _ in 0..count {
        leases.push(readers.lease("look").await.unwrap());
    }
    for lease in leases {
        lease.end(Ok(())).unwrap();
    }
}

#[tokio::test]
async fn what_comes_back_is_used_again() {
    let (readers, _database, _folder) = of_new_file().await;
    for count in [1, 1, 2, 1, READERS] {
        use_at_once(&readers, count).await;
    }
    assert_eq!((readers.idle(), readers.free()), (READERS as usize, READERS as usize));
}

#[tokio::test]
async fn a_broken_one_does_not_come_back() {
    let (readers, _database, _folder) = of_new_file().await;
    let lease = readers.lease("fail").await.unwrap();
    lease.end::<()>(Err(sqlx::Error::RowNotFound)).unwrap_err();
    assert_eq!(readers.idle(), 1, "the operation failed, not the connection");
    let lease = readers.lease("fail").await.unwrap();
    lease.end::<()>(Err(sqlx::Error::WorkerCrashed)).unwrap_err();
    readers.all_places().await;
    assert_eq!(readers.idle(), 0);
}

#[tokio::test]
async fn one_that_was_opened_to_another_file_is_not_kept() {
    let (readers, _database, folder) = of_new_file().await;
    let file = path(&folder);
    std::fs::rename(&file, format!("{file}-moved")).unwrap();
    std::fs::write(&file, "").unwrap();
    readers.lease("look").await.unwrap_err();
    readers.all_places().await;
    assert_eq!(readers.idle(), 0);
}

#[tokio::test]
async fn who_finds_none_waits_until_one_comes_back() {
    let (readers, _database, _folder) = of_new_file().await;
    let mut leases = Vec::new();
    for _ in 0..READERS {
        leases.push(readers.lease("look").await.unwrap());
    }
    let mut waiting = Box::pin(readers.lease("wait"));
    assert!((&mut waiting).now_or_never().is_none());
    leases.pop().unwrap().end(Ok(())).unwrap();
    waiting.await.unwrap().end(Ok(())).unwrap();
}

#[tokio::test]
async fn a_statement_whose_future_was_dropped_keeps_its_place_until_it_has_ended() {
    let (readers, _database, _folder) = of_new_file().await;
    // Also where the test fails, it then ends.
    let goes_on = Arc::new(());
    let mut lease = readers.lease("count").await.unwrap();
    let asked = Arc::downgrade(&goes_on);
    lease.lock_handle().await.unwrap().set_progress_handler(100, move || asked.strong_count() > 0);
    assert!(lease.execute(ENDLESS).now_or_never().is_none());
    drop(lease);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((readers.idle(), readers.free()), (0, READERS as usize - 1));
    drop(goes_on);
    readers.all_places().await;
    assert_eq!(readers.idle(), 1);
}

#[tokio::test]
async fn one_that_nobody_uses_is_closed() {
    let (readers, _database, _folder) = of_new_file().await;
    use_at_once(&readers, 3).await;
    tokio::time::pause();
    tokio::time::advance(READER_IDLE / 2).await;
    use_at_once(&readers, 1).await;
    tokio::time::advance(READER_IDLE / 2 + IDLE_CHECK).await;
    // The connections are closed by their threads.
    for _ in 0..1000 {
        if readers.idle() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(readers.idle(), 1, "it was used meanwhile");
}

#[tokio::test]
async fn closing_waits_for_what_runs() {
    let (readers, _database, _folder) = of_new_file().await;
    let lease = readers.lease("look").await.unwrap();
    let mut closing = Box::pin(readers.close());
    assert!((&mut closing).now_or_never().is_none());
    lease.end(Ok(())).unwrap();
    closing.await;
    assert_eq!(readers.idle(), 0);
    assert!(readers.lease("look").await.is_err());
}
