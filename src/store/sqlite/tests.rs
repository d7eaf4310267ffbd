//! SQLite held to what every database does, and to what is its own.

use std::time::Duration;

use tempfile::TempDir;

use super::Sqlite;
use super::connection::WaitLimits;
use crate::store::conformance;

mod backup;
mod deadlines;
mod deletions;
mod faults;
mod file;
mod health;
mod insertion;
mod lock;
mod moved;
mod search;
mod upgrade;

/// Locks are waited for only briefly, since tests hold them on purpose.
pub(super) const PATIENCE: WaitLimits =
    WaitLimits { operation: Duration::from_secs(5), lock: Duration::from_millis(20) };

mod conforms {
    use super::{conformance, in_new_folder};

    conformance::suite!(in_new_folder);
}

/// Opens a database in a folder of its own, which goes when the second value is dropped.
pub(super) async fn in_new_folder() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    (database, folder)
}

/// Opens the database of a folder.
async fn open(folder: &TempDir) -> Sqlite {
    Sqlite::open_file(path(folder).as_ref(), PATIENCE).await.unwrap()
}

pub(super) fn path(folder: &TempDir) -> String {
    folder.path().join("data/gotify.db").to_str().unwrap().to_owned()
}
