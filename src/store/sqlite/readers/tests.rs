//! Connections that come back, and those that don't.

use futures_util::FutureExt as _;
use sqlx::Executor as _;
use tempfile::TempDir;

use super::*;
use crate::store::Sqlite;
use crate::store::sql::spares::CHECK;
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
        self.spares.counts().0
    }

    /// Waits until nobody has a connection.
    async fn all_places(&self) {
        self.spares.all_places().await;
    }

    fn free(&self) -> usize {
        self.spares.counts().1
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

/// Returns what is in a file, or why it can't be read.
fn content(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| error.to_string())
}

#[tokio::test]
async fn another_file_at_its_place_is_not_opened() {
    for other in ["", "no database"] {
        let (readers, _database, folder) = of_new_file().await;
        let (file, log) = (path(&folder), path(&folder) + "-wal");
        let before = content(&log);
        assert!(before.as_ref().is_ok_and(|bytes| !bytes.is_empty()), "{before:?}");
        std::fs::rename(&file, format!("{file}-moved")).unwrap();
        std::fs::write(&file, other).unwrap();
        readers.lease("look").await.unwrap_err();
        assert_eq!(readers.free(), READERS as usize);
        assert_eq!((content(&log), content(&file)), (before, Ok(other.into())));
    }
}

#[tokio::test]
async fn one_that_nobody_waits_for_any_more_is_closed() {
    let (readers, _database, _folder) = of_new_file().await;
    assert!(Box::pin(readers.lease("look")).now_or_never().is_none());
    assert_eq!(readers.free(), READERS as usize - 1);
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
    assert_eq!(readers.idle(), 0);
}

#[tokio::test]
async fn one_that_nobody_uses_is_closed() {
    let (readers, _database, _folder) = of_new_file().await;
    use_at_once(&readers, 3).await;
    tokio::time::pause();
    tokio::time::advance(READER_IDLE / 2).await;
    use_at_once(&readers, 1).await;
    tokio::time::advance(READER_IDLE / 2 + CHECK).await;
    tokio::time::resume();
    // The connections are closed by their threads.
    for _ in 0..1000 {
        if readers.idle() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(readers.idle(), 1, "it was used meanwhile");
}

#[tokio::test]
async fn closing_waits_for_what_runs_and_can_be_called_again() {
    let (readers, _database, _folder) = of_new_file().await;
    let (first, second) = (readers.lease("look").await.unwrap(), readers.lease("look").await.unwrap());
    let mut waiting = Box::pin(readers.close());
    assert!((&mut waiting).now_or_never().is_none());
    drop(waiting);
    let mut closing = Box::pin(readers.close());
    first.end(Ok(())).unwrap();
    assert!((&mut closing).now_or_never().is_none());
    assert!(readers.lease("look").now_or_never().is_some_and(|refused| refused.is_err()));
    // It is closed in the background.
    drop(second);
    closing.await;
    assert_eq!((readers.idle(), readers.free()), (0, READERS as usize));
    readers.close().await;
}
